// bytes ↔ [adopt] ↔ driver: which transport goes with this io, by its shape

import { type ConnectionError, LocalProtocolError } from "../errors.ts";
import { type ByteStream, isByteStream } from "./byte-stream.ts";
import { type ConnLike, ConnStream, isConn } from "./deno-conn.ts";
import { type DuplexLike, isDuplex, NodeDuplex } from "./node-duplex.ts";
import { PullTransport } from "./pull-transport.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { isWebPair, type WebPair, WebPairStream } from "./web-pair.ts";

/**
 * What a handshake takes: a Node Duplex, a Deno.Conn, a WHATWG `{ readable, writable }`, or a
 * ByteStream.
 */
export type Io = DuplexLike | ConnLike | WebPair | ByteStream;

/** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
export function adopt(io: unknown): Transport {
  if (isDuplex(io)) return new NodeDuplex(io);
  // Before pairs, since it has streams besides.
  if (isConn(io)) return new PullTransport(new ConnStream(io));
  if (isWebPair(io)) return new PullTransport(new WebPairStream(io));
  if (isByteStream(io)) return new PullTransport(io);
  throw new LocalProtocolError(
    "INVALID_IO",
    "neither a Duplex, nor a Deno.Conn, nor { readable, writable }, nor { read, write, closeWrite, abort }",
  );
}

const ignore = (): void => {};
const DEAF: TransportEvents = {
  opened: ignore,
  data: ignore,
  ended: ignore,
  accepted: ignore,
  withdrawn: ignore,
  gone: ignore,
};

/** Aborts an io that is ours and has no use. One that no transport goes with stays as it is. */
export function abandon(io: unknown, reason: ConnectionError): void {
  let transport: Transport;
  try {
    transport = adopt(io);
  } catch {
    return;
  }
  transport.attach(DEAF);
  transport.abort(reason);
}
