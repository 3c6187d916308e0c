// driver ↔ transport: everything that moves bytes, for writing a client, a server, or a transport

export type { OnTransition } from "../lifecycle/lifecycle.ts";
export type { Phase } from "../lifecycle/phases.ts";
// For applications; the client and the server re-export it.
export type { Body, CollectOptions } from "./body.ts";
export type { BodyInit, BodyPiece, ReadableStreamLike } from "./body-source.ts";
export { type ByteStream, isByteStream } from "./byte-stream.ts";
export { type Clock, ManualClock, systemClock } from "./clock.ts";
export {
  type CloseOptions,
  Connection,
  type ConnectionStats,
  SwitchRefused,
} from "./connection.ts";
export type { ConnLike } from "./deno-conn.ts";
export type { CloseReason, HttpEnd } from "./ending.ts";
export type { SignalLike } from "./listening.ts";
export { memoryPair } from "./memory-pair.ts";
export type { DuplexLike } from "./node-duplex.ts";
export type { ForcedParts, Parts, RequestHead, ResponseHead, Switched } from "./parts.ts";
export type { AbortSignalType, ByteReadableStream } from "./platform-types.ts";
export { rewind } from "./rewind.ts";
export type { TrailersInit } from "./sending.ts";
export { type TunnelEnd, type TunnelOptions, type TunnelSide, tunnel } from "./tunnel.ts";
export type { WebPair } from "./web-pair.ts";

// Building blocks of a client or a server, tied to this exact version.

export { headersToSend } from "../headers.ts";
export { byClass, INSPECT, type Inspect, shown } from "../inspect.ts";
export {
  ANY,
  BOOLEAN,
  checkOptions,
  DURATION,
  FUNCTION,
  inWords,
  type Kind,
  type Kinds,
  SIGNAL,
} from "../options.ts";
export { abandon, type Io } from "./adopt.ts";
export { type BodySource, bodySource, releaseBody } from "./body-source.ts";
export { takeParts } from "./connection.ts";
export type { DeadlineName } from "./deadlines.ts";
export { Deferred, handled } from "./deferred.ts";
export { DRIVER_OPTIONS, Driver, type DriverKinds, type DriverOptions } from "./driver.ts";
export { type BodyDisposal, type BodyOwner, Incoming, type Refusal } from "./incoming.ts";
export { listen } from "./listening.ts";
export { switchedBy } from "./parts.ts";
export { ReceivedMessage } from "./received-message.ts";
export {
  type Content,
  contentOf,
  promisedTrailers,
  releaseContent,
  sendContent,
  type Upload,
} from "./sending.ts";
export type { Side, SideEvent } from "./side.ts";
