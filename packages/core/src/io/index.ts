// driver ↔ transport: everything that moves bytes, for those who write a client, a server, a transport

export { adopt, type Io } from "./adopt.ts";
export { Body, type BodyDisposal, type BodyOwner } from "./body.ts";
export {
  type BodyInit,
  type BodyPiece,
  type BodySource,
  bodySource,
  type ReadableStreamLike,
} from "./body-source.ts";
export { type ByteStream, isByteStream } from "./byte-stream.ts";
export { type Clock, ManualClock, systemClock } from "./clock.ts";
export {
  type CloseOptions,
  Connection,
  type ConnectionStats,
  type SignalLike,
  SwitchRefused,
  takeParts,
} from "./connection.ts";
export type { DeadlineName } from "./deadlines.ts";
export { Deferred, handled } from "./deferred.ts";
export { Driver } from "./driver.ts";
export type { CloseReason, HttpEnd } from "./ending.ts";
export { memoryPair } from "./memory-pair.ts";
export type { DuplexLike } from "./node-duplex.ts";
export type { ForcedParts, Parts, RequestHead, ResponseHead, Switched } from "./parts.ts";
export type { AbortSignalType, ByteReadableStream } from "./platform-types.ts";
export { ReceivedMessage } from "./received-message.ts";
export { rewind } from "./rewind.ts";
export { abandon, knownTrailers, sendBody, type TrailersInit, type Upload } from "./sending.ts";
export type { Side } from "./side.ts";
export { type TunnelEnd, type TunnelOptions, tunnel } from "./tunnel.ts";
export type { WebPair } from "./web-pair.ts";
