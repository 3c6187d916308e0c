// lifecycle → [effects] → driver: carries out the effects of a transition

import { ConnectionError, type UpgradeError } from "../base/errors.ts";
import { forget } from "../forget.ts";
import type { Effect } from "../lifecycle/moves.ts";
import type { Driver } from "./driver.ts";
import type { CloseReason } from "./ending.ts";

type Perform = (driver: Driver, reason: CloseReason) => void;

export const PERFORM: { readonly [E in Effect]: Perform } = {
  "keep-last-deadlines": ({ deadlines }) => deadlines.keepOnly("write", "close"),
  "stop-deadlines": ({ deadlines }) => deadlines.stopAll(),
  "start-claim": ({ deadlines, limits }) => deadlines.start("claim", limits.claimMs),
  flush: ({ writing }) => writing.flush(),
  "half-close": (driver) => driver.halfClose(),
  "abort-io": ({ transport }, reason) => transport.abort(errorOf(reason)),
  release: ({ transport }) => transport.release(),
  "stop-writing": ({ writing }) => writing.stop(),
  overrule: ({ ending }, reason) => ending.overrule(reason),
  "overrule-if-cut-off": ({ ending, hasUnsent }, reason) => {
    if (hasUnsent && ending.reason?.kind !== "failed") ending.overrule(reason);
  },
  notify,
  settle: ({ ending }) => ending.down(),
  "offer-parts": ({ taker }) => taker?.take(),
  report: ({ side }, reason) => side.reportFailure?.(errorOf(reason)),
};

function notify({ ending, reading, side }: Driver, reason: CloseReason): void {
  let error: UpgradeError | undefined;
  // Lazy: after a clean end the error is rarely needed, and its stack is expensive.
  const why = (): UpgradeError => {
    error ??= errorOf(reason);
    return error;
  };
  ending.over(reason);
  reading.fail(why);
  side.over(why);
  // Nothing more is read or sent on this connection.
  forget();
}

function errorOf(reason: CloseReason): UpgradeError {
  if (reason.kind === "failed") return reason.error;
  if (reason.kind === "taken-apart") return new ConnectionError("TAKEN_APART");
  return new ConnectionError("ABORTED", reason.kind);
}
