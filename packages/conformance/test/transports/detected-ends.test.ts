import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { type ByteStream, duplexStream, type Io, memoryPair, portStream } from "@upgrade/core/io";
import { handshake, type ServerRequest } from "@upgrade/server";
import { afterEach, expect, test } from "vitest";
import { StandInConn } from "../../src/pairs/deno-conn.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";

// docs/transports.md documents, for each transport, what a server with a running service can detect.
// Every cell of its table is tested here.

interface Peer {
  write(text: string): void;
  /** Ends its side cleanly. */
  end(): void;
  /** Resets the connection. */
  reset(): void;
}
type Joined = { readonly io: Io; readonly peer: Peer };

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

async function tcp(): Promise<{ near: net.Socket; far: net.Socket }> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const far = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [[near]] = await Promise.all([once(server, "connection"), once(far, "connect")]);
  server.close();
  far.on("error", () => {});
  undo.push(() => {
    far.destroy();
    near.destroy();
  });
  return { near, far };
}

// Pre-shared keys: no certificate is needed, and none can expire.
const PSK = {
  ciphers: "PSK-AES128-GCM-SHA256",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
} as const;
const key = Buffer.alloc(16, 7);

const transports: Record<string, () => Promise<Joined>> = {
  "`net.Socket`, TCP": async () => {
    const { near, far } = await tcp();
    return {
      io: near,
      peer: {
        write: (text) => void far.write(text),
        end: () => void far.end(),
        reset: () => void far.resetAndDestroy(),
      },
    };
  },
  "`tls.TLSSocket`": async () => {
    const { near, far } = await tcp();
    const io = new tls.TLSSocket(near, {
      isServer: true,
      ...PSK,
      pskCallback: () => key,
    } as tls.TLSSocketOptions);
    const secure = tls.connect({
      socket: far,
      ...PSK,
      pskCallback: () => ({ psk: key, identity: "a" }),
      checkServerIdentity: () => undefined,
      rejectUnauthorized: false,
    });
    secure.on("error", () => {});
    await once(secure, "secureConnect");
    return {
      io,
      peer: {
        write: (text) => void secure.write(text),
        end: () => void secure.end(),
        reset: () => void far.resetAndDestroy(),
      },
    };
  },
  "another `Duplex`": async () => {
    const io = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      final: (done) => done(),
    });
    return {
      io,
      peer: {
        write: (text) => void io.push(text),
        end: () => void io.push(null),
        reset: () => void io.destroy(new Error("reset")),
      },
    };
  },
  "`Deno.Conn`": async () => {
    const { near, far } = await tcp();
    return {
      io: new StandInConn(near),
      peer: {
        write: (text) => void far.write(text),
        end: () => void far.end(),
        reset: () => void far.resetAndDestroy(),
      },
    };
  },
  "WHATWG `{ readable, writable }`": async () => {
    const there = new TransformStream<Uint8Array, Uint8Array>();
    const back = new TransformStream<Uint8Array, Uint8Array>();
    const writer = there.writable.getWriter();
    const reader = back.readable.getReader();
    writer.closed.catch(() => {});
    return {
      io: { readable: there.readable, writable: back.writable },
      peer: {
        write: (text) => void writer.write(Buffer.from(text)).catch(() => {}),
        end: () => void writer.close().catch(() => {}),
        reset: () => {
          writer.abort(new Error("reset")).catch(() => {});
          reader.cancel(new Error("reset")).catch(() => {});
        },
      },
    };
  },
  "`ByteStream` with `gone`": async () => {
    const [io, far] = memoryPair();
    return { io, peer: peerOf(far) };
  },
  "`duplexStream()`, TCP": async () => {
    const { near, far } = await tcp();
    return {
      io: duplexStream(near),
      peer: {
        write: (text) => void far.write(text),
        end: () => void far.end(),
        reset: () => void far.resetAndDestroy(),
      },
    };
  },
  "`portStream()`": async () => {
    const { port1, port2 } = new MessageChannel();
    const [io, far] = [portStream(port1), portStream(port2)];
    undo.push(() => far.abort(new Error("the test is over")));
    return { io, peer: peerOf(far) };
  },
  "`ByteStream` without it": async () => {
    const [near, far] = memoryPair();
    return { io: bareStream(near), peer: peerOf(far) };
  },
};

function peerOf(far: ByteStream): Peer {
  return {
    write: (text) => void far.write([Buffer.from(text)]),
    end: () => void far.closeWrite(),
    reset: () => far.abort(new Error("reset")),
  };
}

const HEAD = "GET / HTTP/1.1\r\nHost: a.test\r\n";
const ways: Record<string, (peer: Peer) => void> = {
  "FIN": (peer) => peer.end(),
  "FIN after bytes": (peer) => {
    peer.write(`${HEAD}\r\n`);
    peer.end();
  },
  "reset": (peer) => peer.reset(),
};

/** What the service handles: a request, a proposal, or a body longer than is read ahead. */
type Current = "request" | "proposal" | "body";

const REQUESTS: Record<Current, string> = {
  request: `${HEAD}\r\n`,
  proposal: `${HEAD}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
  body: `${HEAD}Content-Length: 1000\r\n\r\n0123456789`,
};

/** Whether `request.signal` aborts while the service runs. */
async function isReported(joined: Joined, current: Current, how: (peer: Peer) => void) {
  const { io, peer } = joined;
  let called: (request: ServerRequest<unknown>) => void = () => {};
  const request = new Promise<ServerRequest<unknown>>((resolve) => {
    called = resolve;
  });
  const { connection } = await handshake(
    io,
    (received) => {
      called(received);
      return new Promise<undefined>(() => {});
    },
    current === "body" ? { readAheadBytes: 10 } : {},
  );
  undo.push(() => connection.abort());
  peer.write(REQUESTS[current]);
  const { signal } = await request;
  const seen = new Promise<boolean>((resolve) => {
    if (signal.aborted) resolve(true);
    signal.addEventListener("abort", () => resolve(true));
  });
  how(peer);
  return Promise.race([seen, manyTurns().then(() => false)]);
}

// Round trips of another connection, which take longer than anything sent on loopback before.
async function manyTurns(): Promise<void> {
  const { near, far } = await tcp();
  near.pipe(near);
  for (let i = 0; i < 50; i++) {
    far.write("x");
    await once(far, "data");
  }
}

const page = readFileSync(new URL("../../../../docs/transports.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => / \| (?:seen|not seen)/.test(line))
  .map((line) => line.slice(2, -2).split(" | "));

test("every transport of the table is known here, and vice versa", () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(transports));
});

test.each(
  rows.flatMap(([name = "", ...cells]) =>
    cells.flatMap((cell, i) => {
      const way = Object.keys(ways)[i % 3]!;
      const current: Current[] = i < 3 ? ["request"] : ["proposal", "body"];
      return current.map((what) => ({ name, way, current: what, cell }));
    }),
  ),
)("L18: $way on a $name, during a $current: $cell", async ({ name, way, current, cell }) => {
  const seen = await isReported(await transports[name]!(), current, ways[way]!);
  expect(seen ? "seen" : "not seen").toBe(cell);
});
