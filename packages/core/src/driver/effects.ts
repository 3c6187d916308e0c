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
  overrule,
  "overrule-if-cut-off": (driver, reason) => {
    if (driver.hasUnsent && driver.reason?.kind !== "failed") overrule(driver, reason);
  },
  notify,
  settle: ({ ending, reason, tracing }) => {
    ending.down(reason!);
    tracing?.closed(reason!);
  },
  "offer-parts": ({ taker }) => taker?.take(),
  report: ({ side }, reason) => side.reportFailure?.(errorOf(reason)),
};

function overrule(driver: Driver, reason: CloseReason): void {
  driver.reason = reason;
  driver.ending.overrule(reason);
}

function notify(driver: Driver, reason: CloseReason): void {
  const { ending, reading, side } = driver;
  let error: UpgradeError | undefined;
  // Lazy: after a clean end the error is rarely needed, and its stack is expensive.
  const why = (): UpgradeError => {
    error ??= errorOf(reason);
    return error;
  };
  driver.reason = reason;
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
