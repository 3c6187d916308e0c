// driver ↔ transport: everything that moves bytes, for writing a client, a server, or a transport

// For applications; the client and the server re-export it.
export type { Body, CollectOptions } from "./driver/body.ts";
export type { BodyInit, BodyPiece, ReadableStreamLike } from "./driver/body-source.ts";
export { type Clock, ManualClock, systemClock } from "./driver/clock.ts";
export type { CloseReason, HttpEnd } from "./driver/ending.ts";
export type { SignalLike } from "./driver/listening.ts";
export type { TrailersInit } from "./driver/sending.ts";
export type {
  MessageEnd,
  RequestHead,
  ResponseHead,
  Trace,
  TracedConnection,
  TraceEvent,
  TraceListener,
  TunnelEnded,
} from "./driver/trace.ts";
export type { TracedExchange } from "./driver/trace-channels.ts";
export { AgreementFailed } from "./handover/agreement-failed.ts";
export {
  type CloseOptions,
  Connection,
  type ConnectionStats,
  SwitchRefused,
} from "./handover/connection.ts";
export type { ForcedParts, Parts } from "./handover/parts.ts";
export { rewind } from "./handover/rewind.ts";
export { type Tap, type TunnelEnd, type TunnelOptions, tunnel } from "./handover/tunnel.ts";
export type { TunnelSide } from "./handover/tunnel-side.ts";
export type { Phase } from "./lifecycle/phases.ts";
export type { Switched } from "./message/switched.ts";
export { type ByteStream, isByteStream } from "./transports/byte-stream.ts";
export type { ConnLike } from "./transports/deno-conn.ts";
export type { DuplexLike } from "./transports/duplex.ts";
export { duplexStream } from "./transports/duplex-stream.ts";
export { memoryPair } from "./transports/memory-pair.ts";
export type { AbortSignalType, ByteReadableStream } from "./transports/platform-types.ts";
export { type PortLike, type PortStreamOptions, portStream } from "./transports/port-stream.ts";
export type { WebPair } from "./transports/web-pair.ts";

// Building blocks of a client or a server, tied to this exact version.

export { brand } from "./base/errors.ts";
export { byClass, INSPECT, type Inspect, shown } from "./base/inspect.ts";
export {
  ANY,
  BOOLEAN,
  CLOCK,
  checkOptions,
  DURATION,
  FUNCTION,
  inWords,
  type Kind,
  type Kinds,
  SIGNAL,
} from "./base/options.ts";
export { isToken, listMembers } from "./base/tokens.ts";
export { type BodySource, bodySource, releaseBody } from "./driver/body-source.ts";
export type { DeadlineName } from "./driver/deadlines.ts";
export { Driver } from "./driver/driver.ts";
export { type BodyDisposal, Incoming } from "./driver/incoming.ts";
export { listen } from "./driver/listening.ts";
export type { Reading } from "./driver/reading.ts";
export { ReceivedMessage } from "./driver/received-message.ts";
export {
  type Content,
  contentOf,
  isWhole,
  promisedTrailers,
  releaseContent,
  sendContent,
  type Upload,
} from "./driver/sending.ts";
export {
  DRIVER_OPTIONS,
  type DriverKinds,
  type DriverOptions,
  Settings,
} from "./driver/settings.ts";
export type { Side, SideEvent } from "./driver/side.ts";
export { takeParts } from "./handover/connection.ts";
export { addressOctets, canonicalAddress } from "./message/ip-address.ts";
export { decisionOf, offerOf, protocolOf } from "./message/protocol.ts";
export { abandon, abortIo, type Io } from "./transports/adopt.ts";
export { Deferred, handled, ignoreFailure, isThenable } from "./transports/deferred.ts";
export { guard } from "./transports/guard.ts";
export { readableOf } from "./transports/readable.ts";
