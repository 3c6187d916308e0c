import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, Deferred, type Io, memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { latin1 } from "../../src/messages.ts";
import { destroyPairs, PAIRS, type WebEnd, webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

/** The moments at which bytes may arrive, in microtasks after the withdrawal. */
const MOMENTS = Array.from({ length: 16 }, (_, i) => i);

/** A response whose bytes are all sent before its end is known. */
function endsLater(when: Promise<void>) {
  async function* body() {
    yield "x";
    await when;
  }
  return { status: 200, headers: { "Content-Length": 1 }, body: body() };
}

/** A proposal that is taken over, after a response that ends when `answer` is called. */
async function takenOverAfterSlow(io: Io, peer: ScriptedPeer, onProposal = () => {}) {
  const slow = new Deferred<void>();
  const taken = new Promise<Parts<unknown>>((resolve) => {
    void serve(io, (request) => {
      if (request.proposal === undefined) return endsLater(slow.promise);
      onProposal();
      return request.takeOver().then(resolve);
    });
  });
  await peer.send("GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await turns();
  await peer.send(REQUEST.upgrade);
  await turns();
  return { answer: slow.resolve, taken };
}

describe.each(PAIRS)("L1, L17: account, with a withdrawn read, over $name", ({ make }) => {
  // A read is pending while the first service runs. When it answers, the proposal becomes the current
  // request, and the read is withdrawn, since its bytes might belong to the new protocol.
  test.each(MOMENTS)("bytes that arrive %i microtasks around a withdrawn read", async (moment) => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    let answer!: () => void;
    let taken!: Promise<Parts<unknown>>;
    await serve(io, async (request) => {
      if (request.proposal !== undefined) {
        taken = request.switchTo("chat");
        return undefined;
      }
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { status: 204 };
    });
    await peer.send("GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await turns();
    await peer.send(REQUEST.upgrade);
    await turns();
    answer();
    for (let i = 0; i < moment; i++) await undefined;
    void peer.send("early");
    await peer.readHead();
    await peer.readHead();
    const { readBuf, io: released } = await taken;
    const next = new ScriptedPeer(released as typeof io);
    expect(latin1(readBuf) + (await next.read(5 - readBuf.length))).toBe("early");
  });

  // Nothing is written before this hand-over: it waits only for the read.
  test.each(MOMENTS)("bytes that were sent %i microtasks before takeOver()", async (moment) => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    const { answer, taken } = await takenOverAfterSlow(io, peer);
    void peer.send("early");
    for (let i = 0; i < moment; i++) await undefined;
    answer();
    const { readBuf, io: released } = await taken;
    const next = new ScriptedPeer(released as typeof io);
    expect(latin1(readBuf) + (await next.read(5 - readBuf.length))).toBe("early");
  });
});

describe("L1 account, taken apart at any moment", () => {
  test.each(MOMENTS)("an idle client, %i microtasks after a write of the server", async (m) => {
    const [io, far] = memoryPair();
    const { connection } = await connectTo(io);
    void far.write([Buffer.from("early")]);
    for (let i = 0; i < m; i++) await undefined;
    let parts: Parts<ByteStream>;
    try {
      parts = connection.intoParts();
    } catch (error) {
      // In flight, and no longer withdrawable: the client sees them, and they end the connection.
      expect(error).toMatchObject({ code: "READ_PENDING" });
      expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
      parts = connection.intoParts();
    }
    const rest = parts.readBuf.length === 5 ? "" : latin1((await io.read())!);
    expect(latin1(parts.readBuf) + rest).toBe("early");
  });
});

/** Ways to take an idle connection over a WHATWG pair, whose bytes in flight are unknown. */
const TAKERS: Record<string, (io: WebEnd) => Promise<() => Promise<Uint8Array>>> = {
  "at once, or by force if that is refused": async (io) => {
    const { connection } = await serve(io, () => undefined);
    return async () => {
      try {
        return connection.intoParts().readBuf;
      } catch (error) {
        expect(error).toMatchObject({ code: "READ_PENDING" });
        const { readBuf, late } = connection.intoParts({ force: true });
        return Buffer.concat([readBuf, await late]);
      }
    };
  },
  "by force": async (io) => {
    const { connection } = await serve(io, () => undefined);
    return async () => {
      const { readBuf, late } = connection.intoParts({ force: true });
      return Buffer.concat([readBuf, await late]);
    };
  },
  "by close(), after withoutShutdown()": async (io) => {
    const { connection } = await connectTo(io);
    return async () => {
      const parts = connection.withoutShutdown();
      void connection.close();
      try {
        return (await parts).readBuf;
      } catch (error) {
        // They arrived before the close, unsolicited, which has ended the connection and its stream.
        expect(error).toMatchObject({ code: "UNEXPECTED_DATA" });
        return connection.intoParts().readBuf;
      }
    };
  },
};

describe.each(Object.entries(TAKERS))("L1 account, a WHATWG pair taken %s", (_, prepare) => {
  test.each(MOMENTS)(
    "%i microtasks after a chunk that arrives while it is idle",
    async (moment) => {
      let source!: ReadableStreamDefaultController<Uint8Array>;
      let isOpen = true;
      const readable = new ReadableStream<Uint8Array>({
        start: (controller) => {
          source = controller;
        },
        cancel: () => {
          isOpen = false;
        },
      });
      const take = await prepare({ readable, writable: new WritableStream() });
      await turns();
      source.enqueue(Buffer.from("GET /early-"));
      for (let i = 0; i < moment; i++) await undefined;
      const taken = take();
      // Not visible to us: the stream still holds it.
      if (isOpen) source.enqueue(Buffer.from("late"));
      const read = latin1(await taken);
      let rest = "";
      if (isOpen) source.close();
      for await (const chunk of readable) rest += latin1(chunk);
      expect(read + rest).toBe(isOpen ? "GET /early-late" : "GET /early-");
    },
  );
});

test("L1: late resolves even if only an end or a failure was in flight", async () => {
  for (const end of ["close", "error"] as const) {
    let source!: ReadableStreamDefaultController<Uint8Array>;
    const start = (controller: typeof source): void => {
      source = controller;
    };
    const io = { readable: new ReadableStream({ start }), writable: new WritableStream() };
    const { connection } = await connectTo(io);
    await turns();
    source[end]();
    const { readBuf, late } = connection.intoParts({ force: true });
    expect([readBuf.length, (await late).length, io.readable.locked]).toEqual([0, 0, false]);
  }
});

type Chunk = { readonly done: boolean; readonly value?: Uint8Array | undefined };

test("L17: the io is not released while a withdrawn read may still bring bytes", async () => {
  const [near, far] = webPair();
  // The chunk is there when the lock is released: its read resolves some microtasks later.
  const io = {
    readable: {
      locked: false,
      getReader() {
        const reader = near.readable.getReader();
        let bring: ((chunk: Chunk) => void) | undefined;
        return {
          closed: reader.closed,
          cancel: (reason: unknown) => reader.cancel(reason),
          read: () =>
            new Promise<Chunk>((resolve, reject) => {
              bring = resolve;
              reader.read().then(resolve, reject);
            }),
          releaseLock() {
            if (isLast) bring?.({ done: false, value: Buffer.from("early") });
            reader.releaseLock();
          },
        };
      },
    },
    writable: near.writable,
  };
  let isLast = false;
  const peer = new ScriptedPeer(far as never);
  const { answer, taken } = await takenOverAfterSlow(io, peer, () => {
    isLast = true;
  });
  answer();
  expect(latin1((await taken).readBuf)).toBe("early");
});
