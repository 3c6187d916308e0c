// server-body: a POST of 64 KiB is streamed to the service, which streams it back.
// Once with a known length, once chunked (the client sends four chunks of 16 KiB).

import { createServer } from "node:http";
import { handshake } from "@upgrade/server";
import type { ServerBenchmark } from "../src/benchmark.ts";
import { openLoad } from "../src/load.ts";
import { listen, serveSockets } from "../src/loopback.ts";
import { lengthOfResponse, type Step } from "../src/messages.ts";

const BODY = Buffer.alloc(65_536, "body ");
const CHUNK = 16_384;
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const CHUNKED = Buffer.concat([
  ...Array.from({ length: BODY.length / CHUNK }, (_, i) => [
    Buffer.from(`${CHUNK.toString(16)}\r\n`),
    BODY.subarray(i * CHUNK, (i + 1) * CHUNK),
    Buffer.from("\r\n"),
  ]).flat(),
  LAST_CHUNK,
]);

function ours(): Promise<number> {
  return serveSockets((socket) => {
    void handshake(socket, async ({ body }) => ({ status: 200, body }));
  });
}

function nodeHttp(): Promise<number> {
  return listen(
    createServer((request, response) => {
      const { "content-length": length } = request.headers;
      if (length !== undefined) response.setHeader("Content-Length", length);
      request.pipe(response);
    }),
  );
}

/** Assumes fixed lengths, and echoes the bytes after the head. */
function floor(framing: string, length: number): () => Promise<number> {
  const head = `HTTP/1.1 200 OK\r\n${framing}\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n`;
  return () =>
    serveSockets((socket) => {
      let left = 0;
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => {
        let from = 0;
        if (left === 0) {
          from = chunk.indexOf("\r\n\r\n") + 4;
          left = length;
          socket.write(head, "latin1");
        }
        left -= chunk.length - from;
        socket.write(chunk.subarray(from));
      });
    });
}

function post(framing: string, body: Buffer): Uint8Array {
  const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${framing}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const known: Step = {
  request: post(`Content-Length: ${BODY.length}`, BODY),
  lengthOf: lengthOfResponse,
  fault: (answer) => (answer.subarray(-BODY.length).equals(BODY) ? undefined : "the body"),
};

const chunked: Step = {
  request: post("Transfer-Encoding: chunked", CHUNKED),
  lengthOf: (answer) => (answer.subarray(-5).equals(LAST_CHUNK) ? answer.length : undefined),
  fault: (answer) => {
    const data = dataOf(answer.subarray(answer.indexOf("\r\n\r\n") + 4));
    return data.equals(BODY) ? undefined : "the body";
  },
};

function dataOf(chunks: Buffer): Buffer {
  const data: Buffer[] = [];
  for (let at = 0; at < chunks.length; ) {
    const start = chunks.indexOf("\r\n", at) + 2;
    const end = start + Number.parseInt(chunks.toString("latin1", at, start), 16);
    data.push(chunks.subarray(start, end));
    at = end + 2;
  }
  return Buffer.concat(data);
}

const common = { kind: "server", unit: "requests/s", higherIsBetter: true } as const;

export const benchmarks: ServerBenchmark[] = [
  {
    ...common,
    name: "server-body/length",
    contestants: {
      ours,
      floor: floor(`Content-Length: ${BODY.length}`, BODY.length),
      "node:http": nodeHttp,
    },
    load: (port) => openLoad(port, { connections: 8, depth: 1, step: known }),
  },
  {
    ...common,
    name: "server-body/chunked",
    contestants: {
      ours,
      floor: floor("Transfer-Encoding: chunked", CHUNKED.length),
      "node:http": nodeHttp,
    },
    load: (port) => openLoad(port, { connections: 8, depth: 1, step: chunked, ending: LAST_CHUNK }),
  },
];
