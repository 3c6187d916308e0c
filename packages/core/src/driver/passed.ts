// clock → deadlines → [passed] → driver: what happens when each deadline passes

import { ConnectionError } from "../base/errors.ts";
import type { DeadlineName } from "./deadlines.ts";
import type { Driver } from "./driver.ts";
import { CLOSED, IDLE } from "./ending.ts";

type Passed = (driver: Driver) => void;

export const PASSED: { readonly [N in DeadlineName]: Passed } = {
  head: (driver) => fail(driver, "HEAD_TIMEOUT", "head"),
  body: (driver) => fail(driver, "BODY_TIMEOUT", "body"),
  answer: (driver) => fail(driver, "ANSWER_TIMEOUT", "answer"),
  write: (driver) => fail(driver, "WRITE_TIMEOUT", "write"),
  close: (driver) => {
    if (!driver.isPolled && driver.reading.isUnread) driver.finish(CLOSED);
    else fail(driver, "CLOSE_TIMEOUT", "close");
  },
  idle: (driver) => driver.finish(IDLE),
  age: (driver) => driver.retire("maxAgeMs"),
  drain: ({ reading }) => reading.drainTimedOut(),
  linger: (driver) => driver.fail(new ConnectionError("ABORTED", "lingerMs")),
  claim: (driver) => driver.unclaimed(new ConnectionError("SWITCH_UNCLAIMED")),
  continue: ({ side }) => side.receive({ type: "deadline", name: "continue" }),
  upload: ({ side }) => side.receive({ type: "deadline", name: "upload" }),
};

type Code = `${"HEAD" | "BODY" | "WRITE" | "ANSWER" | "CLOSE"}_TIMEOUT`;

function fail(driver: Driver, code: Code, phase: DeadlineName): void {
  driver.fail(new ConnectionError(code, "", { phase }));
}
