// parts of a switch → [after] → facts: do early bytes, silence and half-close survive?

import { rewind } from "@upgrade/client";
import { adopt, type WebSocketAgreement } from "@upgrade/websocket";
import type { AfterFacts, Failure, Returned } from "../facts.ts";
import { CLASSES, WebSocket } from "../web-socket.ts";
import type { Switched } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import type { Plan } from "./plan.ts";
import type { Tap } from "./tap.ts";

/** How long to watch for an end that comes at once, if nothing can be sent. */
const WATCH_MS = 300;

/** Sends one thing, and says whether it came back. */
interface Line {
  /** Sends something that comes back. */
  roundTrip(): Promise<Returned>;
  /** Ends our side. */
  finish(): Promise<Returned | undefined>;
}

export async function tryAfter(switched: Switched, plan: Plan): Promise<AfterFacts> {
  const tap = switched.io;
  const line = lineOf(switched, plan);
  try {
    const early = await line.roundTrip();
    let idle: AfterFacts["idle"];
    if (early.survived && plan.idleMs > 0) idle = await afterSilence(line, tap, plan);
    const isAlive = early.survived && idle?.survived !== false;
    const halfClose = isAlive ? await line.finish() : undefined;
    return { earlyBytes: switched.readBuf.length, early, idle, halfClose, ending: tap.ending };
  } finally {
    tap.destroy();
  }
}

function lineOf(switched: Switched, plan: Plan): Line {
  if (switched.protocol.toLowerCase() === "websocket") return messages(switched, plan);
  return plan.isEcho ? echoed(switched, plan) : silence(switched, plan);
}

async function afterSilence(
  line: Line,
  tap: Tap,
  { clock, idleMs }: Plan,
): Promise<Returned & { idleMs: number }> {
  const began = clock.now();
  await endOf(tap, idleMs, { clock });
  const ms = clock.now() - began;
  if (tap.ending === "open") return { ...(await line.roundTrip()), idleMs };
  return { by: "silence", survived: false, ms, ending: tap.ending, idleMs };
}

/** Resolves when the other side has ended, or after `ms`. */
function endOf(tap: Tap, ms: number, { clock }: Pick<Plan, "clock">): Promise<void> {
  if (tap.ending !== "open") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = clock.setTimer(ms, done);
    tap.on("ending", done);
    function done() {
      clock.clearTimer(timer);
      tap.off("ending", done);
      resolve();
    }
  });
}

/** Nothing can be sent without knowing the protocol: watches whether the connection stays. */
function silence(switched: Switched, plan: Plan): Line {
  const stream = rewind(switched.parts);
  stream.on("error", () => {}).resume();
  return {
    async roundTrip() {
      const began = plan.clock.now();
      await endOf(switched.io, Math.min(WATCH_MS, plan.timeoutMs), plan);
      const { ending } = switched.io;
      const ms = plan.clock.now() - began;
      return { by: "silence", survived: ending === "open", ms, ending };
    },
    finish: async () => undefined,
  };
}

/** The other end sends back what it gets. */
function echoed(switched: Switched, plan: Plan): Line {
  const { clock, timeoutMs } = plan;
  const stream = rewind(switched.parts);
  let text = "";
  let count = 0;
  let hasEnded = false;
  let failure: Failure | undefined;
  const wakes = new Set<() => void>();
  const wake = () => {
    for (const one of [...wakes]) one();
  };
  stream.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
    wake();
  });
  stream.on("end", () => {
    hasEnded = true;
    wake();
  });
  stream.on("error", (error) => {
    failure = failureOf(error);
    wake();
  });
  const returned = (mark: string, isMet: () => boolean): Promise<Returned> => {
    const began = clock.now();
    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, done);
      function check() {
        if (isMet() || hasEnded || failure !== undefined) done();
      }
      function done() {
        clock.clearTimer(timer);
        wakes.delete(check);
        const survived = text.includes(mark) && isMet();
        const { ending } = switched.io;
        resolve({ by: "echo", survived, ms: clock.now() - began, ending, failure });
      }
      wakes.add(check);
      check();
    });
  };
  const next = () => `upgrade probe ${++count}\n`;
  return {
    roundTrip() {
      const mark = next();
      stream.write(mark);
      return returned(mark, () => text.includes(mark));
    },
    finish() {
      const mark = next();
      stream.end(mark);
      return returned(mark, () => text.includes(mark) && hasEnded);
    },
  };
}

/** WebSocket: every end answers a ping (RFC 6455 §5.5.2). */
function messages(switched: Switched, { clock, timeoutMs }: Plan): Line {
  const agreement = switched.agreement as WebSocketAgreement;
  const socket = adopt<WebSocket>(switched.parts, agreement, CLASSES);
  let failure: Failure | undefined;
  socket.on("error", (error) => {
    failure ??= failureOf(error);
  });
  let count = 0;
  const outcome = (
    by: "ping" | "close",
    begin: (settle: (survived: boolean) => void) => void,
  ): Promise<Returned> => {
    const began = clock.now();
    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => settle(false));
      // 1006: no close frame came.
      const closed = (code: number) => settle(by === "close" && code !== 1006);
      socket.on("close", closed);
      function settle(survived: boolean) {
        clock.clearTimer(timer);
        socket.off("close", closed);
        const { ending } = switched.io;
        resolve({ by, survived, ms: clock.now() - began, ending, failure });
      }
      if (socket.readyState === WebSocket.CLOSED) settle(false);
      else begin(settle);
    });
  };
  return {
    roundTrip() {
      const mark = `upgrade probe ${++count}`;
      return outcome("ping", (settle) => {
        const onPong = (data: Buffer) => {
          if (String(data) === mark) settle(true);
        };
        socket.on("pong", onPong);
        socket.ping(mark, undefined, () => {});
      });
    },
    finish: () => outcome("close", () => socket.close(1000)),
  };
}
