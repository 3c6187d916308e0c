// bytes ↔ [adopt] ↔ driver: chooses the transport for an io by its shape

import { ConnectionError, LocalProtocolError } from "../base/errors.ts";
import { type ByteStream, isByteStream } from "./byte-stream.ts";
import { isThenable } from "./deferred.ts";
import { type ConnLike, ConnStream, isConn } from "./deno-conn.ts";
import { type DuplexLike, isDuplex } from "./duplex.ts";
import { abortDuplex, NodeDuplex } from "./node-duplex.ts";
import { PullTransport } from "./pull-transport.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { isWebPair, type WebPair, WebPairStream } from "./web-pair.ts";

/**
 * Any io that a handshake accepts: a Node Duplex, a Deno.Conn, a WHATWG `{ readable, writable }`, or
 * a ByteStream.
 */
export type Io = DuplexLike | ConnLike | WebPair | ByteStream;

/** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
export function adopt(io: unknown): Transport {
  if (isDuplex(io)) return new NodeDuplex(io);
  // Checked before pairs, since a Deno.Conn also has streams.
  if (isConn(io)) return new PullTransport(new ConnStream(io));
  if (isWebPair(io)) return new PullTransport(new WebPairStream(io));
  if (isByteStream(io)) return new PullTransport(io);
  if (isThenable(io)) throw new LocalProtocolError("INVALID_IO", "it is a promise; await it first");
  throw new LocalProtocolError(
    "INVALID_IO",
    "neither a Duplex, nor a Deno.Conn, nor { readable, writable }, nor { read, write, closeWrite, abort }",
  );
}

const ignore = (): void => {};
const NO_OP_EVENTS: TransportEvents = {
  opened: ignore,
  data: ignore,
  ended: ignore,
  accepted: ignore,
  withdrawn: ignore,
  gone: ignore,
};

/** Aborts an io that we own and no longer need. An unsupported io is left untouched. */
export function abandon(io: unknown, reason: ConnectionError): void {
  let transport: Transport;
  try {
    transport = adopt(io);
  } catch {
    return;
  }
  transport.attach(NO_OP_EVENTS);
  transport.abort(reason);
}

/** Aborts an io that its last owner may still be using. */
export function abortIo(io: unknown, reason: unknown): void {
  if (isDuplex(io)) abortDuplex(io, reason);
  else abandon(io, new ConnectionError("ABORTED", "", { cause: reason }));
}
