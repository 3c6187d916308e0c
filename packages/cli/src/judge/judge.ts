// facts → [judge] → verdict: what broke the upgrade; a pure function

import type { AnswerFacts, Facts, Returned } from "../facts.ts";
import { softwareOr } from "../verdicts/hops.ts";
import { type Verdict, verdict } from "../verdicts/verdicts.ts";
import { judgeExchange } from "./exchange.ts";
import { judgeReaching } from "./reaching.ts";
import { seconds, softwareOf } from "./wording.ts";

/** The first step that failed, in the order of the steps; or that everything works. */
export function judge(facts: Facts): Verdict {
  const { exchange, target } = facts;
  // With --insecure, distrust is no verdict unless nothing came after it.
  const isPastTls = exchange !== undefined;
  const reached = isPastTls ? undefined : judgeReaching(facts);
  return reached ?? judgeExchange(facts) ?? judgeAfter(facts) ?? healthy(exchange?.answer, target);
}

const HOW = { open: "stayed silent", ended: "closed it", reset: "reset it" } as const;

function judgeAfter({ after, exchange, target }: Facts): Verdict | undefined {
  if (after === undefined) return undefined;
  const software = softwareOr(exchange?.answer && softwareOf(exchange.answer));
  const { early, idle, halfClose } = after;
  const blanks = {
    seconds: seconds(target.timeoutMs),
    protocol: target.protocols.join(", "),
    fix: software.relays,
    idle: software.idle,
  };
  if (early?.survived === false) return judgeEarly(early, blanks);
  if (idle?.survived === false) {
    const cut = seconds(idle.by === "silence" ? idle.ms : idle.idleMs);
    return verdict("idle-cut", { ...blanks, cut });
  }
  if (halfClose?.survived === false && halfClose.by === "echo") {
    return verdict("half-close-lost", { how: HOW[halfClose.ending] });
  }
  return undefined;
}

interface EarlyBlanks {
  readonly seconds: string;
  readonly protocol: string;
  readonly fix: string;
}

function judgeEarly({ by, ending, failure }: Returned, blanks: EarlyBlanks): Verdict {
  if (failure?.code.startsWith("WS_ERR_")) {
    return verdict("no-frames", { message: failure.message });
  }
  if (ending !== "open") return verdict("ended-at-once", { ...blanks, how: HOW[ending] });
  return verdict(by === "ping" ? "no-pong" : "no-echo", blanks);
}

function healthy(answer: AnswerFacts | undefined, { protocols }: Facts["target"]): Verdict {
  const { fields = [], pieces = 1 } = answer ?? {};
  const protocol = protocols.join(", ");
  if (pieces > 1) return verdict("switched-in-pieces", { protocol, pieces });
  const names = fields.map(([name]) => name);
  if (names.length > 0 && names.every((name) => name === name.toLowerCase())) {
    return verdict("switched-lower-case", { protocol, names: names.join(", ") });
  }
  return verdict("switched", { protocol });
}
