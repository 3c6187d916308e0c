// Clients that request the same 13 bytes from the same peer, with one promise per request.

import { createRequire } from "node:module";
import { handshake } from "@upgrade/client";
import type { Client } from "undici";
import { during, type Shoot, type Shot } from "./benchmark.ts";
import { dial } from "./loopback.ts";
import { HELLO, HELLO_ANSWER, HELLO_BODY, refuse } from "./messages.ts";

/** Connects; the returned function sends one request and checks the response. */
type Connect = (port: number, depth: number) => Promise<() => Promise<void>>;

const ours: Connect = async (port, depth) => {
  const { sender } = await handshake(await dial(port), { pipeline: depth });
  return async () => {
    const response = await sender.sendRequest({
      method: "GET",
      target: "/hello",
      headers: [
        ["Host", "127.0.0.1"],
        ["User-Agent", "load"],
        ["Accept", "*/*"],
      ],
    });
    const body = await response.body.bytes();
    check(response.status, body.length);
  };
};

/** Assumes the length of every response, and parses nothing. */
const floor: Connect = async (port) => {
  const socket = await dial(port);
  const waiting: (() => void)[] = [];
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
    for (; received >= HELLO_ANSWER.length; received -= HELLO_ANSWER.length) waiting.shift()!();
  });
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(HELLO.request);
    });
};

// undici's index requires a newer Node for its decompression; its client and API do not.
function undiciClient(): typeof Client {
  const require = createRequire(import.meta.url);
  const client = require("undici/lib/dispatcher/client.js");
  Object.assign(client.prototype, require("undici/lib/api"));
  return client;
}

const undici: Connect = async (port, depth) => {
  const UndiciClient = undiciClient();
  const client = new UndiciClient(`http://127.0.0.1:${port}`, { pipelining: depth });
  return async () => {
    const { statusCode, body } = await client.request({
      method: "GET",
      path: "/hello",
      headers: { "User-Agent": "load", Accept: "*/*" },
    });
    check(statusCode, (await body.bytes()).length);
  };
};

function check(status: number, length: number): void {
  const right = status === 200 && length === HELLO_BODY.length;
  refuse(right ? undefined : `status ${status}, ${length} bytes`);
}

/** Each contestant with this many connections, and this many requests in flight on each. */
export function clients(connections: number, depth: number) {
  const with_ =
    (connect: Connect) =>
    async (port: number): Promise<Shoot> => {
      const asks = await Promise.all(
        Array.from({ length: connections }, () => connect(port, depth)),
      );
      return async (ms) => {
        const lanes = asks.flatMap((ask) => Array.from({ length: depth }, () => during(ms, ask)));
        return total(await Promise.all(lanes));
      };
    };
  return { ours: with_(ours), floor: with_(floor), undici: with_(undici) };
}

function total(shots: readonly Shot[]): Shot {
  return {
    count: shots.reduce((sum, { count }) => sum + count, 0),
    ms: Math.max(...shots.map(({ ms }) => ms)),
  };
}
