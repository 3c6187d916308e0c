import { describe, expect, test } from "vitest";
import { MISBEHAVIORS } from "../src/serve/misbehaviors.ts";
import { VERDICTS, type VerdictId } from "../src/verdicts/verdicts.ts";
import {
  answering,
  closeAfterEach,
  ManualClock,
  moving,
  probed,
  scripted,
  serving,
} from "./stage.ts";

closeAfterEach();

/** What the probe says about each misbehavior of `serve`. */
const EXPECTED: Readonly<Record<keyof typeof MISBEHAVIORS, VerdictId>> = {
  "no-connection-option": "no-connection-option",
  "no-upgrade-field": "no-upgrade-field",
  "other-protocol": "protocol-not-offered",
  "old-101": "old-101",
  "wrong-key": "wrong-accept-key",
  "no-key": "no-accept-key",
  "repeated-key": "repeated-field",
  "unasked-extension": "extension-not-offered",
  "wrong-extension": "malformed-extensions",
  "unasked-subprotocol": "subprotocol-not-offered",
  "200": "upgrade-ignored",
  "302": "redirect",
  "401": "not-authenticated",
  "403": "forbidden",
  "404": "not-found",
  "426": "upgrade-not-relayed",
  "503": "unavailable",
  "lower-case": "switched-lower-case",
  "in-pieces": "switched-in-pieces",
  "cut-101": "head-cut",
  "half-head": "head-unfinished",
  "bad-field": "malformed-answer",
  "garbage": "not-http",
  "http2": "h2-only",
  "silence": "no-answer",
  "no-answer": "closed-without-answer",
  "reset": "reset",
  "early-fin": "ended-at-once",
  "early-reset": "ended-at-once",
  "no-relay": "no-pong",
  "no-frames": "no-frames",
  "idle-cut": "idle-cut",
  // WebSocket has no half-close; see below.
  "lost-half-close": "switched",
};

test("every misbehavior has a verdict", () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(MISBEHAVIORS).sort());
});

describe("over WebSocket", () => {
  test.each(Object.entries(EXPECTED))("serve --misbehave %s is %s", async (kind, id) => {
    const clock = new ManualClock();
    const port = await serving({ misbehavior: MISBEHAVIORS[kind], clock });
    const url = `ws://127.0.0.1:${port}/chat`;
    const { verdict } = await moving(clock, probed(url, { idle: "7" }, { clock }));
    expect(verdict.id).toBe(id);
    expect(verdict.class).toBe(VERDICTS[id].exit);
    expect(verdict.says).not.toContain("undefined");
    expect(verdict.change).not.toContain("undefined");
  });
});

describe("what a further attempt finds", () => {
  const refusal = (text: string) =>
    `HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

  test("the same answer without a proposal: the server has not seen it", async () => {
    const port = await answering(refusal("no"));
    const { verdict, facts } = await probed(`ws://127.0.0.1:${port}/`);
    expect(facts.control.withoutProposal).toEqual({ status: 400, isSame: true });
    expect(verdict.id).toBe("upgrade-ignored");
  });

  test("another answer without a proposal: the server has seen it", async () => {
    const port = await scripted((socket) => {
      socket.on("data", (bytes) => {
        socket.write(refusal(/upgrade/i.test(String(bytes)) ? "no key" : "hello"));
      });
    });
    const { verdict, facts } = await probed(`ws://127.0.0.1:${port}/`);
    expect(facts.control.withoutProposal).toEqual({ status: 400, isSame: false });
    expect(verdict.id).toBe("bad-request");
  });

  test("a switch without the body: the body is the cause", async () => {
    const port = await scripted((socket) => {
      socket.on("data", (bytes) => {
        const accepts = !/content-length/i.test(String(bytes));
        const head = "Connection: Upgrade\r\nUpgrade: raw\r\n\r\n";
        socket.write(
          accepts ? `HTTP/1.1 101 a\r\n${head}` : `HTTP/1.1 426 a\r\nContent-Length: 0\r\n${head}`,
        );
      });
    });
    const options = { protocol: ["raw"], body: "hello" };
    const { verdict, facts } = await probed(`http://127.0.0.1:${port}/`, options);
    expect(facts.control.withoutBody).toBe(101);
    expect(verdict.id).toBe("body-with-upgrade");
  });
});

describe("over a protocol that echoes", () => {
  test.each([
    ["early-fin", "ended-at-once"],
    ["early-reset", "ended-at-once"],
    ["no-relay", "no-echo"],
    ["idle-cut", "idle-cut"],
    ["lost-half-close", "half-close-lost"],
  ] as const)("serve --misbehave %s is %s", async (kind, id) => {
    const clock = new ManualClock();
    const port = await serving({ misbehavior: MISBEHAVIORS[kind], clock });
    const options = { protocol: ["echo"], echo: true, idle: "7" };
    const url = `http://127.0.0.1:${port}/`;
    const { verdict } = await moving(clock, probed(url, options, { clock }));
    expect(verdict.id).toBe(id);
  });

  test("the moment of a cut is measured", async () => {
    const clock = new ManualClock();
    const port = await serving({ misbehavior: MISBEHAVIORS["idle-cut"], clock });
    const url = `ws://127.0.0.1:${port}/`;
    const { verdict } = await moving(clock, probed(url, { idle: "7" }, { clock }));
    expect(verdict.says).toMatch(/^The connection was cut after [56] s of silence$/);
  });
});
