import vm from "node:vm";
import { handshake as connectTo } from "@upgrade/client";
import { type BodyInit, type ByteStream, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { ask, head, POST, rejection, serve } from "../src/against.ts";
import { bareStream } from "../src/bare-stream.ts";
import { ScriptedPeer } from "../src/scripted-peer.ts";

/** What code of another realm makes: a frame's, a worker's of old, a test runner's. */
const foreign = vm.createContext({});
const made = <T>(code: string): T => vm.runInContext(code, foreign) as T;

const HI = "new Uint8Array([104, 105])";

/** The stream, as one whose chunks were made elsewhere. */
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

describe("L10, L15: what was made in another realm is what it is here", () => {
  test("bytes, which have a length", async () => {
    const { peer } = await serve(() => ({ status: 200, body: made<Uint8Array>(HI) }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("hi")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  });

  test("bytes as pieces, and the iterator that gives them", async () => {
    const body = made<BodyInit>(`(async function* () { yield ${HI}; yield "!"; })()`);
    const { peer } = await serve(() => ({ status: 200, body }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("0\r\n\r\n")).toMatch(/\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n$/);
  });

  test("headers, by their pairs and as a record, and the promise of an answer", async () => {
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

const VIEWS: [string, BodyInit][] = [
  ["numbers of two octets", new Uint16Array([300])],
  ["floats", new Float32Array([1])],
  ["a DataView", new DataView(new ArrayBuffer(3)) as never],
  ["another realm's numbers of two octets", made("new Uint16Array([300])")],
  ["another realm's DataView", made("new DataView(new ArrayBuffer(3))")],
].map(([name, body]) => [name as string, body as BodyInit]);

describe("L10: a view whose elements are no octets is refused in front of the head, not behind it:", () => {
  test.each(VIEWS)("%s, as an answer", async (_, body) => {
    const { peer, reports } = await serve(() => ({ status: 200, body }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual(["service: INVALID_BODY"]);
  });

  test.each(VIEWS)("%s, as a request", async (_, body) => {
    const { sender } = await ask();
    expect(await rejection(sender.sendRequest({ ...POST, body }))).toBe("INVALID_BODY");
    expect(sender.isReady).toBe(true);
  });
});

test("L9: a transport whose chunks are no bytes fails, and tells so", async () => {
  const [near] = memoryPair();
  const io = { ...withForeignChunks(near), read: async () => new Uint16Array(1) as never };
  const { connection } = await connectTo(io);
  expect(await connection.closed).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
});
