// WebSocket's opening handshake for both ends, and the way to ws.

export { type AdoptOptions, adopt, type WebSocketClass } from "./adopt.ts";
export type { AgreedExtension, DeflateAgreement, WebSocketAgreement } from "./agreement.ts";
export { type HandshakeFailure, WebSocketHandshakeError } from "./handshake-error.ts";
export type {
  AcceptOrigin,
  ChooseSubprotocol,
  PerMessageDeflateOptions,
  WebSocketOptions,
} from "./options.ts";
export type { RefusalReason, WebSocketRefusal } from "./refusals.ts";
export { type WebSocketProtocol, websocket } from "./websocket.ts";
