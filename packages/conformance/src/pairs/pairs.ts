import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { Duplex } from "node:stream";
import { TransformStream } from "node:stream/web";
import tls from "node:tls";
import { type Io, memoryPair } from "@upgrade/core/io";

/** Two ends of one transport: bytes written to one are read from the other. */
export type Pair = readonly [near: Io, far: Io];

/** One way to connect two ends. */
export interface PairKind {
  readonly name: string;
  make(): Promise<Pair>;
}

export const pem = (name: string): string =>
  readFileSync(new URL(`../../keys/localhost.${name}.pem`, import.meta.url), "utf8");

const made: { destroy(): unknown }[] = [];

/** Ends everything the functions below have created. For `afterEach`. */
export function destroyPairs(): void {
  for (const stream of made.splice(0)) stream.destroy();
}

/** Two sockets over loopback: the one that connected, and the one that was accepted. */
export async function tcpPair(options: net.ServerOpts = {}): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer({ noDelay: true, ...options }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const near = net.connect({ port, host: "127.0.0.1", noDelay: true, ...options });
  const [[far]] = (await Promise.all([once(server, "connection"), once(near, "connect")])) as [
    [net.Socket],
    unknown,
  ];
  server.close();
  made.push(near, far);
  return [near, far];
}

// The socket under a TLS socket: TLS itself has no reset.
const rawSockets = new WeakMap<object, net.Socket>();

/** Ends both sides of a stream so that its peer sees a failure: over TCP and TLS a reset. */
export function resetStream(io: Duplex & { resetAndDestroy?: () => void }): void {
  const raw = rawSockets.get(io) ?? io;
  if (raw.resetAndDestroy === undefined) io.destroy(new Error("reset"));
  else raw.resetAndDestroy();
}

/** TLS over loopback, secure on both sides. */
export async function tlsPair(
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<[tls.TLSSocket, tls.TLSSocket]> {
  const [socket, accepted] = await tcpPair(options);
  const server = tls.createServer({ key: pem("key"), cert: pem("cert"), ...options });
  server.emit("connection", accepted);
  const near = tls.connect({ socket, rejectUnauthorized: false, ...options });
  const [[far]] = (await Promise.all([
    once(server, "secureConnection"),
    once(near, "secureConnect"),
  ])) as [[tls.TLSSocket], unknown];
  rawSockets.set(near, socket);
  rawSockets.set(far, accepted);
  made.push(near, far);
  return [near, far];
}

/** A Duplex in memory: passes each write to its other side at once, as one chunk. */
export class JoinedDuplex extends Duplex {
  /** The number of writes. */
  writes = 0;
  #other!: JoinedDuplex;
  #resume: (() => void) | undefined;

  static join(allowHalfOpen: boolean): [JoinedDuplex, JoinedDuplex] {
    const near = new JoinedDuplex({ allowHalfOpen });
    const far = new JoinedDuplex({ allowHalfOpen });
    near.#other = far;
    far.#other = near;
    return [near, far];
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _: BufferEncoding, accepted: () => void): void {
    this.writes++;
    this.#other.#resume = accepted;
    if (this.#other.push(chunk)) this.#other._read();
  }

  override _writev(chunks: { chunk: Buffer }[], accepted: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", accepted);
  }

  override _final(ended: () => void): void {
    this.#other.push(null);
    ended();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const other = this.#other;
    // Aborting before both sides have ended is a reset, as on TCP.
    if (!this.writableFinished || error !== null) other.destroy(new Error("reset"));
    done(error);
  }
}

export function duplexPair(allowHalfOpen = true): [JoinedDuplex, JoinedDuplex] {
  const [near, far] = JoinedDuplex.join(allowHalfOpen);
  for (const end of [near, far]) end.on("error", () => {});
  made.push(near, far);
  return [near, far];
}

/** A socket in a runtime with Web Streams. */
export interface WebEnd {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Two crossed TransformStreams. */
export function webPair(): [WebEnd, WebEnd] {
  const lane = () =>
    new TransformStream<Uint8Array, Uint8Array>(
      {},
      { highWaterMark: 65_536, size: (chunk) => chunk?.byteLength ?? 0 },
      { highWaterMark: 0 },
    ) as unknown as { readable: WebEnd["readable"]; writable: WebEnd["writable"] };
  const there = lane();
  const back = lane();
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}

/** Every transport, with sockets and Duplexes in both variants. */
export const PAIRS: readonly PairKind[] = [
  { name: "TCP", make: () => tcpPair() },
  { name: "TCP, allowHalfOpen", make: () => tcpPair({ allowHalfOpen: true }) },
  { name: "TLS", make: () => tlsPair() },
  { name: "TLS, allowHalfOpen", make: () => tlsPair({ allowHalfOpen: true }) },
  { name: "Duplex", make: async () => duplexPair(false) },
  { name: "Duplex, allowHalfOpen", make: async () => duplexPair(true) },
  { name: "memory pair", make: async () => memoryPair() },
  { name: "WHATWG pair", make: async () => webPair() as unknown as Pair },
];
