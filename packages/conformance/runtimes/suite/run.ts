// Plays every case on a transport; each within its own time, so that a hang has a name.

import type { Io } from "@upgrade/core/io";
import { BODIES } from "./bodies.ts";
import type { Case, Facts, Opened, Result, Transport } from "./case.ts";
import { ENDINGS } from "./endings.ts";
import { textOf } from "./expect.ts";
import { MESSAGES } from "./messages.ts";
import { PROTOCOLS } from "./protocols.ts";
import { SWITCHES } from "./switches.ts";

export const CASES: readonly Case[] = [
  ...MESSAGES,
  ...BODIES,
  ...SWITCHES,
  ...ENDINGS,
  ...PROTOCOLS,
];

/** For a busy machine; nothing waits for it unless it fails. */
const CASE_MS = 10_000;

/** Plays all cases on each transport, so many of them at once. */
export async function runSuite(
  transports: readonly Transport[],
  report: (result: Result) => unknown,
  atOnce = CASES.length,
): Promise<void> {
  for (const transport of transports) {
    const left = [...CASES];
    const playInTurn = async (): Promise<void> => {
      for (let played = left.shift(); played !== undefined; played = left.shift()) {
        const failed = await play(transport, played);
        const result = { transport: transport.name, case: played.name };
        await report(failed === undefined ? result : { ...result, failed });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, playInTurn));
  }
}

/** Why the case failed; undefined if it passed. */
async function play(transport: Transport, played: Case): Promise<string | undefined> {
  let opened: Opened;
  try {
    opened = await within("the connection", transport.open(played));
  } catch (error) {
    return textOf(error);
  }
  const { io, served, discardServer } = opened;
  const client = within("the client's half", played.client(io, transport.facts));
  // Without its peer, the other half need not wait until its time is over.
  client.catch(() => discard(io));
  const halves = await Promise.allSettled([within("the server's half", served), client]);
  discard(io);
  discardServer?.();
  const failures = halves.flatMap((half, i) =>
    half.status === "rejected" ? [`${i === 0 ? "server" : "client"}: ${textOf(half.reason)}`] : [],
  );
  return failures.length === 0 ? undefined : failures.join("; ");
}

/** Plays the server half of a case. If it fails, its end is destroyed. */
export async function playServer(played: Case, io: Io, facts: Facts): Promise<void> {
  try {
    await within("the server's half", played.server(io, facts));
  } catch (error) {
    discard(io);
    throw error;
  }
}

/** Plays the server half at an end in the same realm. */
export function openedPair(played: Case, facts: Facts, client: Io, server: Io): Opened {
  const served = playServer(played, server, facts);
  return { io: client, served, discardServer: () => discard(server) };
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end`)), CASE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Destroys an io that may still be open, or in use after a failure. */
function discard(io: Io): void {
  const { destroy, abort, close, readable, writable } = io as Partial<{
    destroy(): void;
    abort(reason: unknown): void;
    close(): Promise<void> | undefined;
    readable: ReadableStream;
    writable: WritableStream;
  }>;
  const reason = new Error("the case is over");
  const steps = [
    () => destroy?.call(io),
    () => abort?.call(io, reason),
    () => close?.call(io),
    () => typeof readable === "object" && readable.cancel(reason),
    () => typeof writable === "object" && writable.abort(reason),
  ];
  for (const step of steps) {
    try {
      Promise.resolve(step()).catch(() => {});
    } catch {
      // It is closed already.
    }
  }
}
