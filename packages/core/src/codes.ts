// bytes → parser → events → connection → driver → application: [every error, as data]

export interface CodeEntry {
  /** What a server answers, where it still can. */
  readonly status?: number;
  /** What a gateway answers if this happened on its way to the next server. Default: 502. */
  readonly gateway?: 504;
  readonly says: string;
}

/** What the peer does wrong. */
export const REMOTE_CODES = {
  MALFORMED_START_LINE: { status: 400, says: "the start line does not follow the grammar" },
  UNKNOWN_METHOD: { status: 501, says: "the method is a token, but none this parser knows" },
  UNSUPPORTED_VERSION: { status: 505, says: "the version is not HTTP/1.0 or HTTP/1.1" },
  MALFORMED_TARGET: { status: 400, says: "the request target has an octet that is not allowed, or a form that does not go with its method" },
  TARGET_TOO_LONG: { status: 414, says: "the request target is longer than maxTargetBytes" },
  MALFORMED_FIELD: { status: 400, says: "a field line does not follow the grammar" },
  HEAD_TOO_LARGE: { status: 431, says: "the head is longer than maxHeadBytes" },
  TOO_MANY_HEADERS: { status: 431, says: "the head has more fields than maxHeaders" },
  BAD_HOST: { status: 400, says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  BAD_CONTENT_LENGTH: { status: 400, says: "Content-Length is not one decimal number below 2^53" },
  BAD_TRANSFER_ENCODING: { status: 400, says: "Transfer-Encoding is empty, has chunked elsewhere than last or twice, or stands in HTTP/1.0" },
  UNKNOWN_TRANSFER_CODING: { status: 501, says: "a transfer coding other than chunked" },
  AMBIGUOUS_FRAMING: { status: 400, says: "Content-Length and Transfer-Encoding together" },
  TRAILER_WITH_LENGTH: { status: 400, says: "Trailer announces what has no place behind a body that Content-Length ends" },
  CONNECT_WITH_BODY: { status: 400, says: "a CONNECT request has no body, hence no Content-Length and no Transfer-Encoding" },
  MALFORMED_CHUNK: { status: 400, says: "a chunk does not follow the grammar" },
  CHUNK_EXTENSIONS_TOO_LARGE: { status: 413, says: "the chunk extensions of a message are longer than maxChunkExtensionBytes" },
  BODY_TOO_LARGE: { status: 413, says: "the body is longer than maxBodyBytes, or than the maxBytes it is read with" },
  MALFORMED_TRAILER: { status: 400, says: "the trailer section does not follow the grammar" },
  TRAILERS_TOO_LARGE: { status: 431, says: "the trailer section is longer than maxTrailerBytes" },
  TOO_MANY_TRAILERS: { status: 431, says: "the trailer section has more fields than maxTrailers" },
  UNKNOWN_EXPECTATION: { status: 417, says: "an expectation other than 100-continue" },
  BAD_STATUS: { says: "the status code is not three digits from 100 up" },
  TOO_MANY_INTERIM_RESPONSES: { says: "more interim responses than maxInterimResponses" },
  UNEXPECTED_SWITCH: { says: "a 101 that no request proposed, or before the request's body was asked for" },
  BAD_SWITCH: { says: "a 101 must be HTTP/1.1, and name offered protocols with their connection option" },
  UNEXPECTED_DATA: { says: "bytes came while no response was awaited" },
} as const satisfies Record<string, CodeEntry>;

/** What the caller does wrong. */
export const LOCAL_CODES = {
  WRONG_MOMENT: { says: "this is not allowed in the present state" },
  INVALID_OPTION: { says: "an option does not exist, or has a value it cannot have" },
  NO_WEBASSEMBLY: { says: "WebAssembly cannot be compiled here: allow it ('wasm-unsafe-eval' in a Content-Security-Policy, no --jitless), or bundle with the runtime's export condition (workerd)" },
  INVALID_IO: { says: "this io cannot carry a connection" },
  INVALID_METHOD: { says: "the method is not a token" },
  INVALID_TARGET: { says: "the request target has an octet that is not allowed, or a form that does not go with its method" },
  INVALID_HEADERS: { says: "headers are pairs, a record, or a WHATWG Headers" },
  INVALID_HEADER: { says: "a field name is not a token, its value has an octet that is not allowed, or the field has no place in this message" },
  INVALID_HOST: { says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  INVALID_STATUS: { says: "the status is not an integer this message may have" },
  INVALID_REASON: { says: "the reason phrase has an octet that is not allowed" },
  INVALID_FRAMING: { says: "Content-Length and Transfer-Encoding do not agree with each other or with the message" },
  INVALID_TRAILER: { says: "trailers go with a chunked body only, and never frame, route or authenticate" },
  INVALID_BODY: { says: "a body is a string, bytes, an iterable of them, or a ReadableStream" },
  BODY_NOT_ALLOWED: { says: "this message cannot have a body" },
  BODY_TOO_LONG: { says: "the body is longer than its Content-Length" },
  BODY_TOO_SHORT: { says: "the body ended before its Content-Length" },
  INVALID_UPGRADE: { says: "Upgrade goes with its connection option, names protocols, and stands in every 426" },
  NO_PROPOSAL: { says: "the request did not propose a switch" },
  NOT_OFFERED: { says: "the protocol is none of those the request offered" },
  ALREADY_ANSWERED: { says: "the request was answered before" },
  ALREADY_TAKEN: { says: "the parts have an owner" },
  STILL_WRITING: { says: "bytes of ours are not sent yet, or an exchange is in hand" },
  READ_PENDING: { says: "a read is pending that this transport cannot withdraw" },
  BODY_USED: { says: "the body has a reader" },
  UNINTENDED_TUNNEL: { says: "a 2xx to CONNECT opens a tunnel: use switchTo() or takeOver(), or return tunnel: true beside the status" },
  NO_RESPONSE: { says: "the service gave no response and did not switch" },
  SERVICE_FAILED: { says: "the service threw" },
  CALLBACK_FAILED: { says: "a callback that you gave threw" },
  BODY_CHANGED: { says: "bytes that were given to be sent were detached or resized before they were written" },
  BODY_FAILED: { says: "the body that was being sent threw" },
} as const satisfies Record<string, CodeEntry>;

/** What happens to the io, or ends the connection, and is nobody's fault. */
export const CONNECTION_CODES = {
  TRANSPORT_FAILED: { says: "the transport failed" },
  INCOMPLETE_MESSAGE: { says: "the connection ended before the message was complete" },
  HEAD_TIMEOUT: { status: 408, gateway: 504, says: "the head did not come within headMs" },
  BODY_TIMEOUT: { status: 408, gateway: 504, says: "the body came too slowly: nothing within bodyProgressMs, or less than minBodyBytesPerSecond, or no end of its trailers within headMs" },
  WRITE_TIMEOUT: { gateway: 504, says: "the transport took nothing within writeProgressMs, or less than minBodyBytesPerSecond" },
  DRAIN_TIMEOUT: { says: "a body nobody read did not end within drainMs" },
  DRAIN_TOO_LARGE: { status: 413, says: "a body nobody read is longer than maxDrainBytes" },
  UPLOAD_TIMEOUT: { gateway: 504, says: "the response was complete, and the request's body did not end within uploadGraceMs" },
  CLOSE_TIMEOUT: { says: "the exchange in hand did not end before the deadline of close()" },
  ANSWER_TIMEOUT: { gateway: 504, says: "the answer to the proposal did not come within timeoutMs" },
  SWITCH_UNCLAIMED: { says: "nobody took the parts of the switched connection within claimMs" },
  SWITCH_REFUSED: { says: "the proposal was refused" },
  PEER_ENDED: { says: "the peer ended its side while it was owed an answer" },
  ABORTED: { says: "the connection was aborted" },
  CANCELED: { says: "the request was cancelled by its signal" },
  NOT_SENT: { says: "the connection ended before the message was sent" },
  QUEUE_FULL: { says: "maxQueuedRequests are waiting" },
  TAKEN_APART: { says: "the connection was taken apart" },
} as const satisfies Record<string, CodeEntry>;

export type RemoteCode = keyof typeof REMOTE_CODES;
export type LocalCode = keyof typeof LOCAL_CODES;
export type ConnectionCode = keyof typeof CONNECTION_CODES;
export type ErrorCode = RemoteCode | LocalCode | ConnectionCode;

/** Every code: the types, the messages and the docs page are made of these. */
export const CODES: { readonly [Code in ErrorCode]: CodeEntry } = { ...REMOTE_CODES, ...LOCAL_CODES, ...CONNECTION_CODES };
