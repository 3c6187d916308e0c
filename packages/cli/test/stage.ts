// What the tests have in common: ends that listen, and a probe of them on a clock that they move.

import { once } from "node:events";
import net from "node:net";
import { ManualClock } from "@upgrade/core/io";
import { afterEach } from "vitest";
import { type ConnectingOptions, planOf } from "../src/command/plan-of.ts";
import type { Facts } from "../src/facts.ts";
import { judge } from "../src/judge/judge.ts";
import type { Plan } from "../src/probe/plan.ts";
import { probe } from "../src/probe/probe.ts";
import { type EndOptions, endOf } from "../src/serve/end.ts";
import type { Verdict } from "../src/verdicts/verdicts.ts";

const closers: (() => unknown)[] = [];

/** Closes what a test has opened. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
}

export const closeLater = (close: () => unknown): void => void closers.push(close);

/** Listens on a free port of loopback. */
export async function listening(server: net.Server, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.listen(0, host);
  await once(server, "listening");
  closeLater(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** An end of ours: WebSocket and `echo`, both of which send back what they get. */
export function serving(options: Partial<EndOptions> = {}): Promise<number> {
  const all = { protocols: ["websocket", "echo"], subprotocols: [], isEcho: true, ...options };
  return listening(endOf(all));
}

/** A server that does this with each connection. */
export function scripted(script: (socket: net.Socket) => void): Promise<number> {
  return listening(net.createServer({ allowHalfOpen: true }, script));
}

/** Answers each request with this text. */
export const answering = (text: string): Promise<number> =>
  scripted((socket) => socket.on("data", () => socket.write(text, "latin1")));

export interface Probed {
  readonly facts: Facts;
  readonly verdict: Verdict;
}

export async function probed(
  url: string,
  options: ConnectingOptions = {},
  changes: Partial<Plan> = {},
): Promise<Probed> {
  const plan = { ...planOf(url, { proxy: false, ...options }), ...changes };
  const facts = await probe(plan);
  return { facts, verdict: judge(facts) };
}

const TURNS = 100;

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clock by a second again and again until the promise settles. Everything else is faster. */
export async function moving<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  while (!isSettled) {
    await turns();
    clock.advance(1_000);
  }
  return settled;
}

export { ManualClock };
