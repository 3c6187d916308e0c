import vm from "node:vm";
import { handshake as connectTo } from "@upgrade/client";
import type { HeadersInit } from "@upgrade/core";
import { type BodyInit, type ByteStream, memoryPair, type TrailersInit } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { head, POST } from "../../src/messages.ts";
import { webPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

/** Evaluates code in another realm, like that of a frame or a test runner. */
const foreign = vm.createContext({});
const made = <T>(code: string): T => vm.runInContext(code, foreign) as T;

const HI = "new Uint8Array([104, 105])";

/** The stream, with chunks from another realm. */
function withForeignChunks(io: ByteStream): ByteStream {
  const chunkOf = made<(length: number) => Uint8Array>("(length) => new Uint8Array(length)");
  return {
    ...bareStream(io),
    async read() {
      const bytes = await io.read();
      if (bytes === null) return null;
      const chunk = chunkOf(bytes.length);
      chunk.set(bytes);
      return chunk;
    },
  };
}

describe("L10, L15: values from another realm are recognized", () => {
  test("bytes, whose length is known", async () => {
    const { peer } = await serve(() => ({ status: 200, body: made<Uint8Array>(HI) }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("hi")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  });

  test("an ArrayBuffer, whose length is known, and one as a piece", async () => {
    for (const [body, sent] of [
      [made<BodyInit>(`${HI}.buffer`), "\r\nContent-Length: 2\r\n\r\nhi"],
      [made<BodyInit>(`[${HI}.buffer]`), "\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
    ] as const) {
      const { peer } = await serve(() => ({ status: 200, body }));
      await peer.send(head("GET /"));
      expect(await peer.readUntil(sent)).toContain(sent);
    }
  });

  test("bytes as pieces, and the iterator that yields them", async () => {
    const body = made<BodyInit>(`(async function* () { yield ${HI}; yield "!"; })()`);
    const { peer } = await serve(() => ({ status: 200, body }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("0\r\n\r\n")).toMatch(/\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n$/);
  });

  test("headers, as pairs and as a record, and the promise of a response", async () => {
    const { peer } = await serve(() =>
      made<Promise<{ status: number }>>(
        `Promise.resolve({ status: 204, headers: new Map([["Set-Cookie", "a"], ["X", "b"]]) })`,
      ),
    );
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe("HTTP/1.1 204 No Content\r\nSet-Cookie: a\r\nX: b\r\n\r\n");
  });

  test("the chunks of a transport", async () => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let text = "";
    await serveOn(withForeignChunks(near), async ({ body }) => {
      text = await body.text();
      return { status: 204 };
    });
    await peer.send(`${head("POST /", "Content-Length: 2")}hi`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
    expect(text).toBe("hi");
  });
});

/** Promised trailers that are not a Promise of this realm. */
const PROMISED: [string, () => TrailersInit][] = [
  ["another realm's promise", () => made("Promise.resolve({ T: 1 })")],
  ["another realm's function", () => made("() => Promise.resolve({ T: 1 })")],
  ["a thenable", () => thenable((resolve) => resolve({ T: "1" }))],
  ["a function that returns a thenable", () => () => thenable((resolve) => resolve({ T: "1" }))],
];

type Settle = (value: HeadersInit | undefined) => void;

/** A custom promise whose `then` may be read only once. */
function thenable(
  begin: (resolve: Settle, reject: (reason: unknown) => void) => void,
): PromiseLike<HeadersInit | undefined> {
  let asks = 0;
  const then = (resolve: Settle, reject: (reason: unknown) => void): void => {
    if (++asks > 1) throw new Error("called twice");
    begin(resolve, reject);
  };
  return { then } as PromiseLike<HeadersInit | undefined>;
}

const CHUNKED_X = "\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n";

describe("L8, L9: trailers promised by", () => {
  test.each(PROMISED)("%s are sent after a response", async (_, make) => {
    const { peer } = await serve(() => ({ status: 200, body: "x", trailers: make() }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("T: 1\r\n\r\n")).toMatch(new RegExp(`${CHUNKED_X}$`));
  });

  test.each(PROMISED)("%s are sent after a request", async (_, make) => {
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...POST, body: "x", trailers: make() }).catch(() => {});
    expect(await peer.readUntil("T: 1\r\n\r\n")).toMatch(new RegExp(`${CHUNKED_X}$`));
  });

  const REJECTED: [string, () => TrailersInit][] = [
    ["another realm's promise", () => made("Promise.reject(new Error('disk'))")],
    ["a thenable", () => thenable((_, reject) => reject(new Error("disk")))],
  ];

  test.each(REJECTED)(
    "%s that reject truncate the response, and do not end the process",
    async (_, make) => {
      const unhandled = watchUnhandled();
      const { peer, connection } = await serve(() => ({
        status: 200,
        body: "x",
        trailers: make(),
      }));
      await peer.send(head("GET /"));
      expect(await connection.closed).toMatchObject({ error: { code: "BODY_FAILED" } });
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    },
  );

  test.each(REJECTED)("%s that reject are not awaited by a 304 or HEAD", async (_, make) => {
    const unhandled = watchUnhandled();
    const { peer } = await serve(({ method }) => ({
      status: method === "HEAD" ? 200 : 304,
      trailers: make(),
    }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 304 /);
    await peer.send(head("HEAD /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    await turns();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

const VIEWS: [string, BodyInit][] = [
  ["a Uint16Array", new Uint16Array([300])],
  ["floats", new Float32Array([1])],
  ["a DataView", new DataView(new ArrayBuffer(3)) as never],
  ["another realm's Uint16Array", made("new Uint16Array([300])")],
  ["another realm's DataView", made("new DataView(new ArrayBuffer(3))")],
].map(([name, body]) => [name as string, body as BodyInit]);

describe("L10: a view whose elements are not octets is refused before the head:", () => {
  test.each(VIEWS)("%s, as a response", async (_, body) => {
    const { peer, reports } = await serve(() => ({ status: 200, body }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual(["service: INVALID_BODY"]);
  });

  test.each(VIEWS)("%s, as a request", async (_, body) => {
    const { sender } = await dial();
    expect(await rejection(sender.sendRequest({ ...POST, body }))).toBe("INVALID_BODY");
    expect(sender.isReady).toBe(true);
  });
});

test("L1: an empty chunk of another realm, from a WHATWG pair, is skipped", async () => {
  const [near, far] = webPair();
  const peer = new ScriptedPeer(far);
  const empty = made<() => Uint8Array>("() => new Uint8Array(0)");
  const chunks = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(empty());
      controller.enqueue(chunk);
    },
  });
  const readable = near.readable.pipeThrough(chunks);
  await serveOn({ readable, writable: near.writable }, () => ({ status: 204 }));
  await peer.send(head("GET /"));
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
});

test("L9: a transport whose chunks are not bytes fails with an error that says so", async () => {
  const [near] = memoryPair();
  const io = { ...withForeignChunks(near), read: async () => new Uint16Array(1) as never };
  const { connection } = await connectTo(io);
  expect(await connection.closed).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
});
