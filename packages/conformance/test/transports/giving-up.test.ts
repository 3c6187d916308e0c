import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Io, memoryPair, tunnel } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { webPair } from "../../src/pairs/pairs.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { ROLES } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const boom = new Error("boom");

/** How a call fails. */
const WAYS: [string, () => never][] = [
  [
    "throws",
    () => {
      throw boom;
    },
  ],
  ["rejects", () => Promise.reject(boom) as never],
];

type Failing = (fail: () => never, calls: string[]) => Io;

function called(name: string, fail: () => never, calls: string[]): () => never {
  return () => {
    calls.push(name);
    return fail();
  };
}

/** Ios whose aborting calls all fail, and those calls. */
const IOS: [string, readonly string[], Failing][] = [
  [
    "a ByteStream",
    ["abort"],
    (fail, calls) => ({ ...bareStream(memoryPair()[0]), abort: called("abort", fail, calls) }),
  ],
  [
    "a Deno.Conn",
    ["close"],
    (fail, calls) => ({
      read: () => new Promise<null>(() => {}),
      write: async (bytes: Uint8Array) => bytes.length,
      closeWrite: async () => {},
      close: called("close", fail, calls),
    }),
  ],
  [
    "a WHATWG pair",
    ["cancel", "abort"],
    (fail, calls) => {
      const [{ readable, writable }] = webPair();
      const reader = readable.getReader();
      const writer = writable.getWriter();
      reader.cancel = called("cancel", fail, calls);
      writer.abort = called("abort", fail, calls);
      return {
        readable: { locked: false, getReader: () => reader },
        writable: { locked: false, getWriter: () => writer },
      } as Io;
    },
  ],
];

describe.each(IOS)("L9: %s that fails while it is aborted", (_, names, make) => {
  for (const [way, fail] of WAYS) {
    test.each(ROLES)(`and ${way} ends our %s, but not the process`, async (role) => {
      const unhandled = watchUnhandled();
      const calls: string[] = [];
      const io = make(fail, calls);
      const { connection } =
        role === "client" ? await connectTo(io) : await serve(io, () => ({ status: 204 }));
      connection.abort();
      expect((await connection.closed).kind).toBe("failed");
      expect(calls).toEqual(names);
      await turns();
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });

    test(`and ${way} ends a tunnel, but not the process`, async () => {
      const unhandled = watchUnhandled();
      const calls: string[] = [];
      const io = make(fail, calls);
      const end = await tunnel(Promise.reject(boom), io);
      expect(end).toMatchObject({ endedBy: "a", error: { cause: boom } });
      expect(calls).toEqual(names);
      await turns();
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });
  }
});

/** Invalid values of `gone`, and the resulting cause. */
const GONE: [string, () => unknown, unknown][] = [
  [
    "throws",
    () => {
      throw boom;
    },
    boom,
  ],
  ["is true", () => true, new TypeError("gone is a boolean, not a promise")],
  ["rejects", () => Promise.reject(boom), boom],
  [
    "has a then that throws",
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a custom promise
      then: () => {
        throw boom;
      },
    }),
    boom,
  ],
];

describe("L9: a ByteStream whose gone", () => {
  const streamWith = (gone: () => unknown): ByteStream =>
    Object.defineProperty(bareStream(memoryPair()[0]), "gone", { get: gone }) as ByteStream;

  for (const [way, gone, cause] of GONE) {
    test.each(ROLES)(
      `${way} fails the connection of our %s, but not the handshake`,
      async (role) => {
        const io = streamWith(gone);
        const { connection } =
          role === "client" ? await connectTo(io) : await serve(io, () => ({ status: 204 }));
        expect(await connection.closed).toMatchObject({
          error: { code: "TRANSPORT_FAILED", cause },
        });
      },
    );
  }

  test("is null counts as absent", async () => {
    const { connection } = await connectTo(streamWith(() => null));
    await turns();
    expect(connection.closeReason).toBeUndefined();
    connection.abort();
  });

  test("throws ends a tunnel, and both sides", async () => {
    const [b, far] = memoryPair();
    const end = await tunnel(streamWith(GONE[0]![1]), b);
    expect(end).toMatchObject({ endedBy: "a", error: { cause: boom } });
    await expect(far.read()).rejects.toThrow();
  });
});
