// An HTTP/1.1 server: a handshake, a service, and correct protocol switches.

export type { ErrorCode, LimitOptions, Sent } from "@upgrade/core";
export {
  type Acceptance,
  ConnectionError,
  endToEnd,
  endToEndTrailers,
  gatewayStatus,
  Headers,
  type HeadersInit,
  LocalProtocolError,
  type Proposable,
  type Proposal,
  type ProposedRequest,
  type Protocol,
  type Refusal,
  type RefusingResponse,
  RemoteProtocolError,
  UpgradeError,
} from "@upgrade/core";
export type {
  Body,
  BodyDisposal,
  BodyInit,
  BodyPiece,
  ByteStream,
  Clock,
  CloseOptions,
  CollectOptions,
  Io,
  SignalLike,
  Trace,
  TracedConnection,
  TracedExchange,
  TraceEvent,
  TraceListener,
  TrailersInit,
} from "@upgrade/core/io";
export {
  type CloseReason,
  type Connection,
  type ConnectionStats,
  type ForcedParts,
  type HttpEnd,
  type Parts,
  type Phase,
  rewind,
  type Switched,
  SwitchRefused,
  type Tap,
  type TunnelEnd,
  type TunnelOptions,
  type TunnelSide,
  tunnel,
} from "@upgrade/core/io";
export { type FetchHandler, type FetchServiceOptions, fetchService } from "./fetch-service.ts";
export { handshake, prepareHandshake, type ServerHandshake } from "./handshake.ts";
export type { ServerRequest, SwitchOptions } from "./request.ts";
export type {
  ErrorContext,
  ServerOptions,
  ServerResponse,
  Service,
  ServiceResult,
} from "./service.ts";
export { type Speak, type Spoken, switching } from "./switching.ts";
