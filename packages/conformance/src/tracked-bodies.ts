import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { BodyInit } from "@upgrade/core/io";
import { dial } from "./ends.ts";
import { answer, GET } from "./messages.ts";
import { turns } from "./turns.ts";

/** What happened to a body that was handed over. */
export type BodyState = "untouched" | "read" | "released";

/** A body whose state can be observed. */
export interface TrackedBody {
  readonly body: BodyInit;
  /** Holds no resource before its first piece is requested. */
  readonly isLazy?: boolean;
  state(): BodyState;
}

const FILE = fileURLToPath(import.meta.url);

/** Producing a piece takes a turn, so that an endless body does not starve other work. */
async function piece(): Promise<Uint8Array> {
  await turns(1);
  return Buffer.alloc(50, "x");
}

/** Every kind of body in pieces; none of them ends by itself. */
export const BODIES: Record<string, () => TrackedBody | Promise<TrackedBody>> = {
  "a Node Readable": () => readable(new Readable({ read() {} })),
  "a Node Readable with pieces": () =>
    readable(
      new Readable({
        read() {
          void piece().then((bytes) => this.push(bytes));
        },
      }),
    ),
  "a Node Readable that fails": () =>
    readable(
      new Readable({
        read() {
          this.destroy(new Error("the disk failed"));
        },
        // Like a file that cannot be opened: it fails without being read.
        construct(callback) {
          setImmediate(callback, new Error("no such file"));
        },
      }),
    ),
  "a file": file,
  "an async generator": generator,
  "an async iterable": asyncIterable,
  "an iterable": iterable,
  "a WHATWG ReadableStream": webStream,
  "a reader's stream": readersStream,
  "a received body": receivedBody,
};

function readable(body: Readable): TrackedBody {
  return {
    body,
    state: () => (body.destroyed ? "released" : body.readableDidRead ? "read" : "untouched"),
  };
}

function file(): TrackedBody {
  return readable(createReadStream(FILE, { highWaterMark: 16 }));
}

function generator(): TrackedBody {
  let state: BodyState = "untouched";
  async function* pieces(): AsyncGenerator<Uint8Array> {
    state = "read";
    try {
      for (;;) yield await piece();
    } finally {
      state = "released";
    }
  }
  return { body: pieces(), isLazy: true, state: () => state };
}

function asyncIterable(): TrackedBody {
  let state: BodyState = "untouched";
  const body = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        state = "read";
        return { done: false as const, value: await piece() };
      },
      async return() {
        state = "released";
        return { done: true as const, value: undefined };
      },
    }),
  };
  return { body, state: () => state };
}

function iterable(): TrackedBody {
  let state: BodyState = "untouched";
  const body = {
    [Symbol.iterator]: () => ({
      next() {
        state = "read";
        // A promise of a piece is also valid.
        return { done: false as const, value: piece() as unknown as Uint8Array };
      },
      return() {
        state = "released";
        return { done: true as const, value: undefined };
      },
    }),
  };
  return { body, state: () => state };
}

function webStream(): TrackedBody {
  let state: BodyState = "untouched";
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        state = "read";
        controller.enqueue(await piece());
      },
      cancel() {
        state = "released";
      },
    },
    { highWaterMark: 0 },
  );
  return { body, state: () => state };
}

// As in browsers whose ReadableStream is not async iterable. It never yields anything.
function readersStream(): TrackedBody {
  let state: BodyState = "untouched";
  const reader = {
    read() {
      state = "read";
      return new Promise<never>(() => {});
    },
    async cancel() {
      state = "released";
    },
    releaseLock() {},
  };
  return { body: { getReader: () => reader }, state: () => state };
}

// The endless body of a response from another connection.
async function receivedBody(): Promise<TrackedBody> {
  const { peer, sender, connection } = await dial({ maxDrainBytes: 0 });
  const pending = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(`${answer("200 OK", "Transfer-Encoding: chunked")}4\r\nfour\r\n`);
  const { body } = await pending;
  await turns();
  return {
    body,
    state() {
      // Once it is canceled, more pieces are a mistake.
      void peer.send("4\r\nmore\r\n").catch(() => {});
      if (connection.closeReason !== undefined) return "released";
      return body.used ? "read" : "untouched";
    },
  };
}
