import tls from "node:tls";
import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Io, ManualClock, memoryPair, systemClock } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { head, POST } from "../../src/messages.ts";
import { destroyPairs, duplexPair, tcpPair, tlsPair, webPair } from "../../src/pairs/pairs.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

type Body = AsyncIterable<string>;

const HOUR_MS = 3_600_000;

async function* endless(length: number): AsyncGenerator<string> {
  for (;;) yield "x".repeat(length);
}

/** An io whose writes wait for `accept`, which accepts the oldest. */
function withAcceptance() {
  const [near, far] = memoryPair();
  const waiting: (() => void)[] = [];
  const io = {
    ...bareStream(near),
    write: (chunks: readonly Uint8Array[]) =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        void near.write(chunks);
      }),
  };
  return { io, far, accept: () => waiting.shift()?.() };
}

const GET = Buffer.from(head("GET /"));

const ROLES = {
  "a server that answers": async (io: ByteStream, far: ByteStream, body: Body, options: object) => {
    const { connection } = await serveOn(io, () => ({ status: 200, body }), options);
    await far.write([GET]);
    return connection;
  },
  "a client that uploads": async (io: ByteStream, _: ByteStream, body: Body, options: object) => {
    const { sender, connection } = await connectTo(io, options);
    sender.sendRequest({ ...POST, body }).catch(() => {});
    return connection;
  },
};

describe.each(Object.entries(ROLES))("L12, L13: %s", (_, start) => {
  const begun = async (length: number, options = {}) => {
    const { io, far, accept } = withAcceptance();
    const clock = new ManualClock();
    const given = { clock, writeHighWaterBytes: 1, ...options };
    const connection = await start(io, far, endless(length), given);
    await turns();
    return { clock, accept, connection };
  };
  /** The transport accepts one write every `everyMs`. Returns how long that lasted, at most an hour. */
  const trickle = async (
    { clock, accept, connection }: Awaited<ReturnType<typeof begun>>,
    everyMs: number,
  ) => {
    let ms = 0;
    for (; ms < HOUR_MS && connection.closeReason === undefined; ms += everyMs) {
      clock.advance(everyMs);
      accept();
      await turns(2);
    }
    return ms;
  };

  test("aborts on a peer that reads a few bytes every 29 seconds", async () => {
    const slow = await begun(1);
    expect(await trickle(slow, 29_000)).toBeLessThanOrEqual(90_000);
    expect(slow.connection.closeReason).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  });

  test("waits for one that reads 500 bytes a second, however long", async () => {
    expect(await trickle(await begun(10_000), 20_000)).toBeGreaterThanOrEqual(HOUR_MS);
  });

  test("waits for any that reads something, if there is no minimum speed", async () => {
    const slow = await begun(1, { minBodyBytesPerSecond: 0 });
    expect(await trickle(slow, 29_000)).toBeGreaterThanOrEqual(HOUR_MS);
  });

  test("may take any time to produce the next piece, since the peer is not slow", async () => {
    const [near, far] = memoryPair();
    const clock = new ManualClock();
    const next: (() => void)[] = [];
    async function* events() {
      for (;;) {
        await new Promise<void>((resolve) => void next.push(resolve));
        yield "x";
      }
    }
    const given = { clock, writeHighWaterBytes: 1 };
    const connection = await start(near, far, events(), given);
    for (let ms = 0; ms < HOUR_MS; ms += 29_000) {
      await turns(2);
      clock.advance(29_000);
      next.shift()!();
      void far.read().catch(() => {});
    }
    expect(connection.closeReason).toBe(undefined);
  });
});

const READERS: Record<string, () => { near: Io; ask: () => void; readOne: () => void }> = {
  "a Duplex": () => {
    const [near, far] = duplexPair();
    return { near, ask: () => void far.write(GET), readOne: () => void far.read(1) };
  },
  "a WHATWG pair": () => {
    const [near, far] = webPair();
    const [reading, writing] = [far.readable.getReader(), far.writable.getWriter()];
    return {
      near: near as unknown as Io,
      ask: () => void writing.write(GET),
      readOne: () => void reading.read().catch(() => {}),
    };
  },
  "a memory pair": () => {
    const [near, far] = memoryPair(16);
    return {
      near,
      ask: () => void far.write([GET]),
      readOne: () => void far.read().catch(() => {}),
    };
  },
};

test.each(Object.entries(READERS))(
  "L12, L13: a reader that takes a piece of %s now and then does not hold the connection open",
  async (_, make) => {
    const { near, ask, readOne } = make();
    const clock = new ManualClock();
    const { connection } = await serveOn(near, () => ({ status: 200, body: endless(16) }), {
      clock,
      writeHighWaterBytes: 1,
    });
    ask();
    for (let ms = 0; ms < HOUR_MS && connection.closeReason === undefined; ms += 29_000) {
      await turns();
      clock.advance(29_000);
      readOne();
    }
    expect(connection.closeReason).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  },
);

describe.each([
  ["TCP", tcpPair],
  ["TLS", tlsPair],
])("L13: a body of many megabytes in one write, over %s,", (_, make) => {
  const LENGTH = 32_000_000;
  const begun = async () => {
    const [near, far] = await make();
    const clock = new ManualClock();
    const body = new Uint8Array(LENGTH);
    const { connection } = await serveOn(near, () => ({ status: 200, body }), { clock });
    far.on("error", () => {});
    far.write(head("GET /"));
    await until(() => near.writableLength > 0);
    return { near, far, clock, connection };
  };

  test("continues while the peer reads some of it every 30 seconds", async () => {
    const { near, far, clock, connection } = await begun();
    let taken = 0;
    let pausesAt = 0;
    far.on("data", (bytes: Uint8Array) => {
      taken += bytes.length;
      if (taken >= pausesAt) far.pause();
    });
    // The kernel may buffer ten million bytes more.
    for (pausesAt = 4_000_000; pausesAt <= 12_000_000; pausesAt += 4_000_000) {
      far.resume();
      await until(() => taken >= pausesAt);
      clock.advance(30_000);
      expect(connection.closeReason).toBe(undefined);
      expect(near.writableLength).toBeGreaterThan(0);
    }
    pausesAt = Infinity;
    far.resume();
    await until(() => taken > LENGTH);
    expect(connection.closeReason).toBe(undefined);
  });

  test("fails once the peer stops reading", async () => {
    const { near, clock, connection } = await begun();
    // What the kernel buffers at first counts as progress.
    clock.advance(30_000);
    await turns(20);
    for (let i = 0; i < 5 && connection.closeReason === undefined; i++) {
      clock.advance(30_000);
      await turns();
    }
    expect(connection.closeReason).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
    expect(near.destroyed).toBe(true);
  });
});

test("L13: a request on an io that never opens fails after writeProgressMs", async () => {
  const [near] = await tcpPair();
  const clock = new ManualClock();
  const { sender, connection } = await connectTo(tls.connect({ socket: near }), { clock });
  const pending = sender.sendRequest(POST).catch((error: { code: string; sent: string }) => error);
  await turns();
  clock.advance(29_999);
  expect(connection.closeReason).toBe(undefined);
  clock.advance(1);
  expect(await pending).toMatchObject({ code: "WRITE_TIMEOUT", sent: "nothing" });
});

async function until(holds: () => boolean): Promise<void> {
  const before = systemClock.now();
  while (!holds() && systemClock.now() - before < 5_000) await turns(1);
  expect(holds()).toBe(true);
}
