// The core: bytes → parser → events → connection, and back. No io, no clock.

export { HttpConnection } from "./connection.ts";
export {
  type ConnectionCode,
  ConnectionError,
  type ErrorCode,
  type ErrorDetails,
  type LocalCode,
  LocalProtocolError,
  type RemoteCode,
  RemoteProtocolError,
  type Sent,
  UpgradeError,
} from "./errors.ts";
export type {
  BodyLength,
  ConnectionClosedEvent,
  DataEvent,
  EndOfMessageEvent,
  Event,
  EventToSend,
  RequestEvent,
  RequestToSend,
  ResponseEvent,
  ResponseToSend,
  Version,
  Wait,
} from "./events.ts";
export { forget } from "./forget.ts";
export { endToEnd, gatewayStatus } from "./forwarding.ts";
export type { Framing } from "./framing.ts";
export { Headers, type HeadersInit, withUpgrade } from "./headers.ts";
export {
  checkOption,
  type LimitName,
  type LimitOptions,
  type Limits,
  resolveLimits,
} from "./limits.ts";
export type { Role } from "./role.ts";
export type { Sink } from "./serializer/sink.ts";
export type { State } from "./state/states.ts";
export type { Proposal } from "./switching.ts";
