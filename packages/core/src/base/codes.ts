// Every error, as data: its code, its message, and the status that answers it.

export interface CodeEntry {
  /** The status a server answers with, if it still can. */
  readonly status?: number;
  /** The status a gateway answers with if this happened upstream. Default: 502. */
  readonly gateway?: 504;
  readonly says: string;
}

/** Mistakes of the peer. */
export const REMOTE_CODES = {
  MALFORMED_START_LINE: { status: 400, says: "the start line does not follow the grammar" },
  UNKNOWN_METHOD: { status: 501, says: "the method is unknown" },
  UNSUPPORTED_VERSION: { status: 505, says: "the version is not HTTP/1.0 or HTTP/1.1" },
  MALFORMED_TARGET: { status: 400, says: "the request target has an octet that is not allowed, or a form that its method does not allow" },
  TARGET_TOO_LONG: { status: 414, says: "the request target is longer than maxTargetBytes" },
  MALFORMED_FIELD: { status: 400, says: "a field line does not follow the grammar" },
  HEAD_TOO_LARGE: { status: 431, says: "the head is longer than maxHeadBytes" },
  TOO_MANY_HEADERS: { status: 431, says: "the head has more fields than maxHeaders" },
  BAD_HOST: { status: 400, says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  BAD_CONTENT_LENGTH: { status: 400, says: "Content-Length is not one decimal number below 2^53" },
  BAD_TRANSFER_ENCODING: { status: 400, says: "Transfer-Encoding is empty, has chunked twice or not last, or is used in HTTP/1.0" },
  UNKNOWN_TRANSFER_CODING: { status: 501, says: "a transfer coding other than chunked" },
  AMBIGUOUS_FRAMING: { status: 400, says: "Content-Length and Transfer-Encoding together" },
  TRAILER_WITH_LENGTH: { status: 400, says: "Trailer announces trailers, but a body with a Content-Length cannot have any" },
  CONNECT_WITH_BODY: { status: 400, says: "a CONNECT request has no body, hence no Content-Length and no Transfer-Encoding" },
  MALFORMED_CHUNK: { status: 400, says: "a chunk does not follow the grammar" },
  CHUNK_EXTENSIONS_TOO_LARGE: { status: 413, says: "the chunk extensions of a message are longer than maxChunkExtensionBytes" },
  BODY_TOO_LARGE: { status: 413, says: "the body is longer than maxBodyBytes, or than the maxBytes of the read" },
  MALFORMED_TRAILER: { status: 400, says: "the trailer section does not follow the grammar" },
  TRAILERS_TOO_LARGE: { status: 431, says: "the trailer section is longer than maxTrailerBytes" },
  TOO_MANY_TRAILERS: { status: 431, says: "the trailer section has more fields than maxTrailers" },
  UNKNOWN_EXPECTATION: { status: 417, says: "an expectation other than 100-continue" },
  BAD_STATUS: { says: "the status code is not three digits, 100 or more" },
  TOO_MANY_INTERIM_RESPONSES: { says: "more interim responses than maxInterimResponses" },
  UNEXPECTED_SWITCH: { says: "a 101 that no request proposed, or that came before the 100 the request expects" },
  BAD_SWITCH: { says: "a 101 must be HTTP/1.1, name only offered protocols, and have Connection: Upgrade" },
  AGREEMENT_FAILED: { says: "the response accepts the switch, but does not fit the offer of the protocol" },
  UNEXPECTED_DATA: { says: "data arrived when no response was expected" },
} as const satisfies Record<string, CodeEntry>;

/** Mistakes of the caller. */
export const LOCAL_CODES = {
  WRONG_MOMENT: { says: "this is not allowed in the current state" },
  INVALID_OPTION: { says: "an option is unknown, or its value is invalid" },
  NO_WEBASSEMBLY: { says: "WebAssembly cannot be compiled here: allow it ('wasm-unsafe-eval' in a Content-Security-Policy, no --jitless), or bundle with the runtime's export condition (workerd)" },
  INVALID_IO: { says: "this io cannot carry a connection" },
  INVALID_METHOD: { says: "the method is not a token" },
  INVALID_TARGET: { says: "the request target has an octet that is not allowed, or a form that its method does not allow" },
  INVALID_HEADERS: { says: "headers are pairs, a record, or a WHATWG Headers" },
  INVALID_HEADER: { says: "a field name is not a token, its value has an octet that is not allowed, or the field is not allowed in this message" },
  INVALID_HOST: { says: 'an HTTP/1.1 request has exactly one Host, and it is uri-host [":" port]' },
  INVALID_STATUS: { says: "the status is not an integer that this message can have" },
  INVALID_REASON: { says: "the reason phrase has an octet that is not allowed" },
  INVALID_FRAMING: { says: "Content-Length and Transfer-Encoding do not agree with each other or with the message" },
  INVALID_TRAILER: { says: "trailers need a chunked body, and must not frame, route or authenticate" },
  INVALID_BODY: { says: "a body is a string, bytes, an iterable of them, or a ReadableStream" },
  BODY_NOT_ALLOWED: { says: "this message cannot have a body" },
  BODY_TOO_LONG: { says: "the body is longer than its Content-Length" },
  BODY_TOO_SHORT: { says: "the body ended before its Content-Length" },
  INVALID_UPGRADE: { says: "Upgrade must name protocols and come with Connection: Upgrade, and every 426 must have it" },
  NO_PROPOSAL: { says: "the request did not propose a switch" },
  NOT_OFFERED: { says: "the request did not offer this protocol" },
  ALREADY_ANSWERED: { says: "the request has already been answered" },
  ALREADY_TAKEN: { says: "the parts have already been taken" },
  STILL_WRITING: { says: "some bytes have not been sent yet, or an exchange is in progress" },
  READ_PENDING: { says: "a read is pending, and this transport cannot cancel it" },
  BODY_USED: { says: "the body already has a reader" },
  UNINTENDED_TUNNEL: { says: "a 2xx to CONNECT opens a tunnel: use switchTo() or takeOver(), or return tunnel: true with the status" },
  NO_RESPONSE: { says: "the service neither returned a response nor switched" },
  SERVICE_FAILED: { says: "the service threw" },
  CALLBACK_FAILED: { says: "a callback threw" },
  BODY_CHANGED: { says: "bytes were detached or resized before they were written" },
  BODY_FAILED: { says: "the body being sent threw" },
} as const satisfies Record<string, CodeEntry>;

/** What happens to the io, or ends the connection, and is no one's mistake. */
export const CONNECTION_CODES = {
  TRANSPORT_FAILED: { says: "the transport failed" },
  INCOMPLETE_MESSAGE: { says: "the connection ended before the message was complete" },
  HEAD_TIMEOUT: { status: 408, gateway: 504, says: "the head did not arrive within headMs" },
  BODY_TIMEOUT: { status: 408, gateway: 504, says: "the body arrived too slowly: nothing within bodyProgressMs, or less than minBodyBytesPerSecond, or its trailers did not end within headMs" },
  WRITE_TIMEOUT: { gateway: 504, says: "the transport accepted nothing within writeProgressMs, or less than minBodyBytesPerSecond" },
  DRAIN_TIMEOUT: { says: "an unread body did not end within drainMs" },
  DRAIN_TOO_LARGE: { status: 413, says: "an unread body is longer than maxDrainBytes" },
  UPLOAD_TIMEOUT: { gateway: 504, says: "the response was complete, but the request's body did not end within uploadGraceMs" },
  CLOSE_TIMEOUT: { says: "the exchange in progress did not end before the deadline of close()" },
  ANSWER_TIMEOUT: { gateway: 504, says: "the answer to the proposal did not arrive within timeoutMs" },
  SWITCH_UNCLAIMED: { says: "the parts of the switched connection were not taken within claimMs" },
  SWITCH_REFUSED: { says: "the proposal was refused" },
  PEER_ENDED: { says: "the peer ended its side before it was answered" },
  ABORTED: { says: "the connection was aborted" },
  CANCELED: { says: "the request was canceled by its signal" },
  NOT_SENT: { says: "the connection ended before the message was sent" },
  QUEUE_FULL: { says: "maxQueuedRequests requests are already waiting" },
  LISTEN_FAILED: { says: "the server cannot listen" },
  OPEN_TIMEOUT: { gateway: 504, says: "the connection was not open within timeoutMs" },
  PROXY_REFUSED: { says: "the proxy refused to open a tunnel" },
  TAKEN_APART: { says: "the connection was taken apart" },
} as const satisfies Record<string, CodeEntry>;

/** The codes of a {@link RemoteProtocolError}: the peer broke a rule. */
export type RemoteCode = keyof typeof REMOTE_CODES;
/** The codes of a {@link LocalProtocolError}: the caller broke a rule. */
export type LocalCode = keyof typeof LOCAL_CODES;
/** The codes of a {@link ConnectionError}: no one broke a rule. */
export type ConnectionCode = keyof typeof CONNECTION_CODES;
/** Every code that an error can have. */
export type ErrorCode = RemoteCode | LocalCode | ConnectionCode;

/** Every code. The types, the messages and the docs page are derived from these. */
export const CODES: { readonly [Code in ErrorCode]: CodeEntry } = { ...REMOTE_CODES, ...LOCAL_CODES, ...CONNECTION_CODES };
