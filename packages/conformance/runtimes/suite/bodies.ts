// Bodies of known length, chunked and streamed, in both directions.

import type { Case } from "./case.ts";
import { dialed, GET, latch, POST, pause, served } from "./ends.ts";
import { equal } from "./expect.ts";
import { textOfBytes, utf8 } from "./wire.ts";

/** Large enough to arrive in many pieces. */
const LENGTH = 700_000;

/** Bytes that differ at each place nearby. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

function isPattern(bytes: Uint8Array, length: number): boolean {
  return bytes.length === length && bytes.every((octet, i) => octet === i % 251);
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 20_011) {
    yield bytes.slice(at, at + size);
    if (size % 7 === 0) await pause(0);
  }
}

export const BODIES: readonly Case[] = [
  {
    name: "bodies of known length arrive whole, both ways",
    async server(io) {
      await served(io, async (request) => {
        equal(request.body.length, LENGTH);
        equal(isPattern(await request.body.bytes(), LENGTH), true);
        return { status: 200, body: pattern(LENGTH) };
      });
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const response = await sender.sendRequest({ ...POST, body: pattern(LENGTH) });
      equal(response.headers.get("content-length"), `${LENGTH}`);
      equal(isPattern(await response.body.bytes(), LENGTH), true);
      await close();
    },
  },
  {
    name: "chunked bodies arrive whole with their trailers, both ways",
    async server(io) {
      await served(io, async (request) => {
        equal(request.headers.get("transfer-encoding"), "chunked");
        equal(isPattern(await request.body.bytes(), LENGTH), true);
        equal([...((await request.trailers) ?? [])], [["X-Sum", "there"]]);
        return { status: 200, body: inPieces(pattern(LENGTH)), trailers: { "X-Sum": "back" } };
      });
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const body = inPieces(pattern(LENGTH));
      const response = await sender.sendRequest({ ...POST, body, trailers: { "X-Sum": "there" } });
      equal(response.headers.get("transfer-encoding"), "chunked");
      equal(isPattern(await response.body.bytes(), LENGTH), true);
      equal([...((await response.trailers) ?? [])], [["X-Sum", "back"]]);
      await close();
    },
  },
  {
    name: "bodies that are streams of the runtime arrive whole, both ways",
    async server(io) {
      await served(io, async (request) => {
        let length = 0;
        const reader = (request.body.stream() as ReadableStream<Uint8Array>).getReader();
        for (let it = await reader.read(); !it.done; it = await reader.read()) {
          length += it.value.length;
        }
        return { status: 200, body: streamed(`${length} `, "bytes") };
      });
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const body = streamed("one, ", "two, ", "three");
      const response = await sender.sendRequest({ ...POST, body });
      equal(await response.body.text(), "15 bytes");
      await close();
    },
  },
  {
    name: "an echo streams both ways at once, piece by piece",
    async server(io) {
      await served(io, ({ body }) => ({ status: 200, body }));
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const pieces = ["first", "second", "third"];
      const echoed = pieces.map(latch);
      async function* body() {
        for (const [i, piece] of pieces.entries()) {
          yield piece;
          await echoed[i]!.opened;
        }
      }
      const response = await sender.sendRequest({ ...POST, body: body() });
      let text = "";
      for await (const chunk of response.body) {
        text += textOfBytes(chunk);
        for (const [i, { open }] of echoed.entries()) {
          if (text.startsWith(pieces.slice(0, i + 1).join(""))) open();
        }
      }
      equal(text, "firstsecondthird");
      await close();
    },
  },
  {
    name: "a body that nobody reads is not produced",
    async server(io) {
      let produced = 0;
      async function* body() {
        for (const piece = pattern(65_536); ; produced++) {
          if (produced > 200) throw new Error("it was produced without end");
          yield piece;
        }
      }
      await served(io, () => ({ status: 200, body: body() }));
      equal(produced < 200, true);
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const response = await sender.sendRequest(GET);
      await pause(500);
      equal(response.body.used, false);
      connection.abort();
    },
  },
  {
    name: "a client that expects a 100 sends its body after it",
    async server(io) {
      await served(io, async (request) => {
        equal(request.headers.get("expect"), "100-continue");
        return { status: 200, body: `got ${await request.body.text()}` };
      });
    },
    async client(io) {
      const { sender, close } = await dialed(io, { continueMs: 0 });
      const seen: number[] = [];
      async function* body() {
        equal(seen, [100]);
        yield "it";
      }
      const headers = { "Host": "a.test", "Expect": "100-continue" };
      const response = await sender.sendRequest(
        { ...POST, headers, body: body() },
        { onInterim: ({ status }) => void seen.push(status) },
      );
      equal(await response.body.text(), "got it");
      await close();
    },
  },
  {
    name: "a client that expects a 100 and is refused sends no body",
    async server(io) {
      await served(io, () => ({ status: 413, body: "too much" }));
    },
    async client(io) {
      const { sender, close } = await dialed(io, { continueMs: 0 });
      let isSent = false;
      async function* body() {
        isSent = true;
        yield "it";
      }
      const headers = { "Host": "a.test", "Expect": "100-continue" };
      const response = await sender.sendRequest({ ...POST, headers, body: body() });
      equal([response.status, await response.body.text(), isSent], [413, "too much", false]);
      await close();
    },
  },
];

function streamed(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(utf8(piece));
    },
  });
}
