// server: a GET and a 13-byte response, keep-alive, 32 connections, an async service.
// The service reads one header and writes three; the floor writes fixed bytes of the same length and
// awaits one async function, as every such service does.

import { createServer, type ServerOptions } from "node:http";
import { serve } from "@upgrade/node";
import { handshake } from "@upgrade/server";
import type { ServerBenchmark } from "../src/benchmark.ts";
import { openLoad } from "../src/load.ts";
import { listen, serveSockets } from "../src/loopback.ts";
import { HELLO, HELLO_ANSWER, HELLO_BODY, sayHello } from "../src/messages.ts";

export function ours(): Promise<number> {
  return serveSockets((socket) => {
    void handshake(socket, sayHello);
  });
}

/** Through @upgrade/node. */
async function served(): Promise<number> {
  const { url } = await serve(sayHello, { port: 0, host: "127.0.0.1" });
  return Number(new URL(url!).port);
}

export function floor(): Promise<number> {
  const service = async (): Promise<string> => HELLO_ANSWER;
  return serveSockets((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", async (chunk) => {
      let answers = "";
      for (let left = chunk.length; left > 0; left -= HELLO.request.length) {
        answers += await service();
      }
      socket.write(answers, "latin1");
    });
  });
}

/** `options`: node:http's own. */
export function nodeHttp(options: ServerOptions = {}): Promise<number> {
  return listen(
    createServer(options, async (request, response) => {
      response.setHeader("Content-Type", "text/plain");
      response.setHeader("Server", "bench");
      response.setHeader("X-Agent", request.headers["user-agent"] ?? "");
      response.end(HELLO_BODY);
    }),
  );
}

export const benchmarks: ServerBenchmark[] = [
  {
    name: "server",
    kind: "server",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: { ours, floor, "node:http": () => nodeHttp() },
    load: (port) => openLoad(port, { connections: 32, depth: 1, step: HELLO }),
  },
  {
    name: "server/serve",
    kind: "server",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: { ours: served, "by hand": ours },
    load: (port) => openLoad(port, { connections: 32, depth: 1, step: HELLO }),
  },
];
