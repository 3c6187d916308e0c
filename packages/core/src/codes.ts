// bytes → parser → events → connection → driver → application: [every error, as data]

type Fault = "remote" | "local" | "connection";

export interface CodeEntry {
  /** Whose fault: the peer's, the caller's, or the io's. Decides the class. */
  readonly fault: Fault;
  /** What a server answers, where it still can. */
  readonly status?: number;
  readonly says: string;
}

/** Every code. The types, the messages and the docs page are made from this table. */
export const CODES = {
  MALFORMED_START_LINE: { fault: "remote", status: 400, says: "the start line does not follow the grammar" },
  UNKNOWN_METHOD: { fault: "remote", status: 501, says: "the method is a token, but none this parser knows" },
  UNSUPPORTED_VERSION: { fault: "remote", status: 505, says: "the version is not HTTP/1.0 or HTTP/1.1" },
  MALFORMED_TARGET: { fault: "remote", status: 400, says: "the request target is not of the form its method asks for" },
  TARGET_TOO_LONG: { fault: "remote", status: 414, says: "the request target is longer than maxTargetBytes" },
  MALFORMED_FIELD: { fault: "remote", status: 400, says: "a field line does not follow the grammar" },
  HEAD_TOO_LARGE: { fault: "remote", status: 431, says: "the head is longer than maxHeadBytes" },
  TOO_MANY_HEADERS: { fault: "remote", status: 431, says: "the head has more fields than maxHeaders" },
  BAD_HOST: { fault: "remote", status: 400, says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  BAD_CONTENT_LENGTH: { fault: "remote", status: 400, says: "Content-Length is not one decimal number below 2^53" },
  BAD_TRANSFER_ENCODING: { fault: "remote", status: 400, says: "Transfer-Encoding is empty, has chunked elsewhere than last or twice, or stands in HTTP/1.0" },
  UNKNOWN_TRANSFER_CODING: { fault: "remote", status: 501, says: "a transfer coding other than chunked" },
  AMBIGUOUS_FRAMING: { fault: "remote", status: 400, says: "Content-Length and Transfer-Encoding together" },
  TRAILER_WITH_LENGTH: { fault: "remote", status: 400, says: "Trailer announces what has no place behind a body that Content-Length ends" },
  CONNECT_WITH_BODY: { fault: "remote", status: 400, says: "a CONNECT request has no body, hence no Content-Length and no Transfer-Encoding" },
  MALFORMED_CHUNK: { fault: "remote", status: 400, says: "a chunk does not follow the grammar" },
  CHUNK_EXTENSIONS_TOO_LARGE: { fault: "remote", status: 413, says: "the chunk extensions of a message are longer than maxChunkExtensionBytes" },
  BODY_TOO_LARGE: { fault: "remote", status: 413, says: "the body is longer than maxBodyBytes, or than the maxBytes it is read with" },
  MALFORMED_TRAILER: { fault: "remote", status: 400, says: "the trailer section does not follow the grammar" },
  TRAILERS_TOO_LARGE: { fault: "remote", status: 431, says: "the trailer section is longer than maxTrailerBytes" },
  TOO_MANY_TRAILERS: { fault: "remote", status: 431, says: "the trailer section has more fields than maxTrailers" },
  UNKNOWN_EXPECTATION: { fault: "remote", status: 417, says: "an expectation other than 100-continue" },
  BAD_STATUS: { fault: "remote", says: "the status code is not three digits from 100 up" },
  TOO_MANY_INTERIM_RESPONSES: { fault: "remote", says: "more interim responses than maxInterimResponses" },
  UNEXPECTED_SWITCH: { fault: "remote", says: "a 101 that no request proposed, or before the request's body was asked for" },
  BAD_SWITCH: { fault: "remote", says: "a 101 must be HTTP/1.1, name offered protocols with their connection option, and have no framing" },
  UNEXPECTED_DATA: { fault: "remote", says: "bytes came while no response was awaited" },

  WRONG_MOMENT: { fault: "local", says: "this is not allowed in the present state" },
  INVALID_OPTION: { fault: "local", says: "an option has a value it cannot have" },
  INVALID_IO: { fault: "local", says: "this io cannot carry a connection" },
  INVALID_METHOD: { fault: "local", says: "the method is not a token" },
  INVALID_TARGET: { fault: "local", says: "the request target is not of the form its method asks for" },
  INVALID_HEADERS: { fault: "local", says: "headers are pairs, a record, or a WHATWG Headers" },
  INVALID_HEADER: { fault: "local", says: "a field name is not a token, or its value has an octet that is not allowed" },
  INVALID_HOST: { fault: "local", says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  INVALID_STATUS: { fault: "local", says: "the status is not an integer this message may have" },
  INVALID_REASON: { fault: "local", says: "the reason phrase has an octet that is not allowed" },
  INVALID_FRAMING: { fault: "local", says: "Content-Length and Transfer-Encoding do not agree with each other or with the message" },
  INVALID_TRAILER: { fault: "local", says: "trailers go with a chunked body only, and never frame, route or authenticate" },
  INVALID_BODY: { fault: "local", says: "a body is a string, bytes, an iterable of them, or a ReadableStream" },
  BODY_NOT_ALLOWED: { fault: "local", says: "this message cannot have a body" },
  BODY_TOO_LONG: { fault: "local", says: "the body is longer than its Content-Length" },
  BODY_TOO_SHORT: { fault: "local", says: "the body ended before its Content-Length" },
  INVALID_UPGRADE: { fault: "local", says: "Upgrade goes with its connection option, names protocols, and stands in every 426" },
  NO_PROPOSAL: { fault: "local", says: "the request did not propose a switch" },
  NOT_OFFERED: { fault: "local", says: "the protocol is none of those the request offered" },
  ALREADY_ANSWERED: { fault: "local", says: "the request was answered before" },
  ALREADY_TAKEN: { fault: "local", says: "the parts have an owner" },
  STILL_WRITING: { fault: "local", says: "bytes of ours are not sent yet, or an exchange is in hand" },
  READ_PENDING: { fault: "local", says: "a read is pending that this transport cannot withdraw" },
  BODY_USED: { fault: "local", says: "the body has a reader" },
  NO_RESPONSE: { fault: "local", says: "the service gave no response and did not switch" },
  SERVICE_FAILED: { fault: "local", says: "the service threw" },
  BODY_FAILED: { fault: "local", says: "the body that was being sent threw" },

  TRANSPORT_FAILED: { fault: "connection", says: "the transport failed" },
  INCOMPLETE_MESSAGE: { fault: "connection", says: "the peer ended in the middle of a message" },
  HEAD_TIMEOUT: { fault: "connection", status: 408, says: "the head did not come within headMs" },
  BODY_TIMEOUT: { fault: "connection", status: 408, says: "nothing more of the body came within bodyProgressMs" },
  WRITE_TIMEOUT: { fault: "connection", says: "the transport took nothing within writeProgressMs" },
  DRAIN_TIMEOUT: { fault: "connection", says: "a body nobody read did not end within drainMs" },
  DRAIN_TOO_LARGE: { fault: "connection", status: 413, says: "a body nobody read is longer than maxDrainBytes" },
  UPLOAD_TIMEOUT: { fault: "connection", says: "the response was complete, and the request's body did not end within uploadGraceMs" },
  CLOSE_TIMEOUT: { fault: "connection", says: "the exchange in hand did not end before the deadline of close()" },
  ANSWER_TIMEOUT: { fault: "connection", says: "the answer to the proposal did not come within timeoutMs" },
  SWITCH_UNCLAIMED: { fault: "connection", says: "nobody took the parts of the switched connection within claimMs" },
  SWITCH_REFUSED: { fault: "connection", says: "the proposal was refused" },
  PEER_ENDED: { fault: "connection", says: "the peer ended its side while it was owed an answer" },
  ABORTED: { fault: "connection", says: "the connection was aborted" },
  CANCELED: { fault: "connection", says: "the request was cancelled by its signal" },
  NOT_SENT: { fault: "connection", says: "the connection ended before the request was sent" },
  QUEUE_FULL: { fault: "connection", says: "maxQueuedRequests are waiting" },
  TAKEN_APART: { fault: "connection", says: "the connection was taken apart" },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof CODES;
type CodeOf<F extends Fault> = {
  [C in ErrorCode]: (typeof CODES)[C]["fault"] extends F ? C : never;
}[ErrorCode];
export type RemoteCode = CodeOf<"remote">;
export type LocalCode = CodeOf<"local">;
export type ConnectionCode = CodeOf<"connection">;
