// An HTTP/1.1 client: a handshake, a sender, and correct protocol switches.

export type {
  AcceptingResponse,
  ErrorCode,
  LimitOptions,
  Offer,
  Proposable,
  Proposal,
  Protocol,
  Sent,
} from "@upgrade/core";
export {
  ConnectionError,
  endToEnd,
  endToEndTrailers,
  gatewayStatus,
  Headers,
  type HeadersInit,
  LocalProtocolError,
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
  AgreementFailed,
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
export {
  type ClientHandshake,
  type ClientOptions,
  handshake,
  prepareHandshake,
} from "./handshake.ts";
export type { ClientRequest, SendOptions } from "./request.ts";
export type { ClientResponse, InterimResponse } from "./response.ts";
export type { Sender } from "./sender.ts";
export {
  type ConnectOptions,
  connect,
  type SwitchAccepted,
  type SwitchDeclined,
  type UpgradeOptions,
  type UpgradeRequest,
  type UpgradeResult,
  upgrade,
} from "./upgrade.ts";
