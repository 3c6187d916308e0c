// The core: bytes → parser → events → connection, and back. No io, no clock.

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
} from "./base/errors.ts";
export {
  checkOption,
  type LimitName,
  type LimitOptions,
  type Limits,
  resolveLimits,
} from "./base/limits.ts";
export type { Role } from "./base/role.ts";
export { forget } from "./forget.ts";
export { HttpConnection } from "./http-connection.ts";
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
  Wait,
} from "./message/events.ts";
export { endToEnd, endToEndTrailers, gatewayStatus } from "./message/forwarding.ts";
export type { Framing } from "./message/framing.ts";
export { Headers, type HeadersInit, withUpgrade } from "./message/headers.ts";
export type {
  Acceptance,
  AcceptingResponse,
  AgreementOf,
  HttpVersion,
  Offer,
  Proposable,
  ProposedRequest,
  Protocol,
  Refusal,
  RefusingResponse,
} from "./message/protocol.ts";
export type { Proposal } from "./message/switching.ts";
export type { Version } from "./message/version.ts";
export type { Prepared } from "./serializer/prepared.ts";
export type { Sink } from "./serializer/sink.ts";
export type { State } from "./state/states.ts";
