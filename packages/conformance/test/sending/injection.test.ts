import { connect, upgrade } from "@upgrade/client";
import { describe, expect, test } from "vitest";
import {
  accepted,
  answered,
  FIELD_WAYS,
  interimSent,
  proposed,
  type Refused,
  requested,
  switched,
} from "../../src/ways-to-send.ts";

// Values that an application passes on may come from an attacker. These tests combine every way to send
// with everything that would end a line, a head or a message; the serializer's tables are in core.

const octet = (code: number): string => String.fromCharCode(code);
const octets = Array.from({ length: 256 }, (_, code) => octet(code));
const CONTROLS = octets.filter((_, code) => (code < 0x20 && code !== 9) || code === 0x7f);

/** Beyond one octet: truncated, the second is LF, the third CR, the last two are ':' and ' '. */
const WIDE = ["\u0100", "\u010a", "\u010d", "\u560a\u560d", "\u{1f600}", "\ud83d", "\ude00"];
WIDE.push("\u2028", "\ufeff", "\u013a", "\u0120");

const LINES = [
  "\r\n",
  "\r\nX: y",
  "\r\n Y",
  "\n\tY",
  "\r\n\r\n",
  "\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
];

/** Before, inside and after a valid value. */
const around = (good: string, bad: readonly string[]): string[] =>
  bad.flatMap((text) => [text + good, `${good}${text}${good}`, good + text, text]);

const BAD_VALUES = around("a", [...CONTROLS, ...WIDE, ...LINES]).concat(
  " a",
  "a ",
  "\ta",
  "a\t",
  " ",
);
const SEPARATORS = [...'"(),/:;<=>?@[\\]{} \t', ...octets.slice(0x80)];
const BAD_TOKENS = ["", ...around("a", [...CONTROLS, ...WIDE, ...LINES, ...SEPARATORS])];
const BAD_REASONS = around("OK", [...CONTROLS, ...WIDE, ...LINES]);
const NEVER_IN_TARGET = [...'"<># ', "\t", ...octets.slice(0x80)];
const NO_URI = [...NEVER_IN_TARGET, ..."\\^`{}|%", "%g", "%zz"];
const BAD_TARGETS = around("/a", [...CONTROLS, ...WIDE, ...LINES, ...NEVER_IN_TARGET]).concat(
  "",
  "a",
  "*",
  "a.test:80",
  "http://",
  "http://:80/",
  "http://u:p@a.test/",
  "/a HTTP/1.1\r\nX: y\r\n\r\nGET /b",
);
const NO_AUTHORITY = [
  "",
  "a.test",
  "a.test:",
  ":80",
  "a.test:0",
  "a.test:65536",
  "a.test:8x",
  "/",
  "*",
];
const BAD_AUTHORITIES = around("a.test:80", [
  ...CONTROLS,
  ...WIDE,
  ...LINES,
  ...NO_URI,
  "/",
  "?",
  "@",
])
  .concat(NO_AUTHORITY, "u@a.test:80", "u:p@a.test:80", "http://a.test:80", "a.test:80/x", "::1:80")
  .filter((text) => text !== "");
const NO_TEXT: [string, unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["a truth", true],
  ["an object", {}],
  ["a list", ["a"]],
  ["an object with toString()", { toString: () => "a" }],
  ["a String object", Object("a")],
  ["a function", () => "a"],
  ["a symbol", Symbol("a")],
  ["a bigint", 1n],
];

/** Each is refused with `code`, nothing of it is sent, and the connection persists. */
async function refuseEach(
  bad: readonly unknown[],
  code: string,
  way: (text: never) => Promise<Refused>,
): Promise<void> {
  for (const text of bad) {
    const shown = typeof text === "string" ? JSON.stringify(text) : String(Object(text));
    expect(await way(text as never), shown).toEqual({ code, leaked: "" });
  }
}

describe("L10, Z01: every field is exactly one line:", () => {
  test.each(Object.entries(FIELD_WAYS))("values in %s", async (_, way) => {
    await refuseEach(BAD_VALUES, "INVALID_HEADER", (value) => way(["X", value]));
  });

  test.each(Object.entries(FIELD_WAYS))("names in %s", async (_, way) => {
    await refuseEach(BAD_TOKENS, "INVALID_HEADER", (name) => way([name, "a"]));
  });

  test.each(Object.entries(FIELD_WAYS))("non-strings in %s", async (_, way) => {
    for (const [what, value] of NO_TEXT) {
      const refused = { code: "INVALID_HEADER", leaked: "" };
      expect(await way(["X", value]), `${what} as a value`).toEqual(refused);
      expect(await way([value, "a"]), `${what} as a name`).toEqual(refused);
    }
  });
});

describe("L10, Z01: every start line is one line with its three parts:", () => {
  test("the method of a request", async () => {
    await refuseEach(BAD_TOKENS, "INVALID_METHOD", (method) => requested({ method }));
    await refuseEach([undefined, null], "INVALID_METHOD", (method) => requested({ method }));
  });

  test("the method of upgrade()", async () => {
    await refuseEach(BAD_TOKENS, "INVALID_METHOD", (method) =>
      proposed((io, clock) =>
        upgrade(io, { method, target: "/", protocol: "chat", headers: HOST }, { clock }),
      ),
    );
  });

  test("the target of a request", async () => {
    await refuseEach(BAD_TARGETS, "INVALID_TARGET", (target) => requested({ target }));
    await refuseEach([undefined, null], "INVALID_TARGET", (target) => requested({ target }));
  });

  test("the target of upgrade()", async () => {
    await refuseEach(BAD_TARGETS, "INVALID_TARGET", (target) =>
      proposed((io, clock) => upgrade(io, { target, protocol: "chat", headers: HOST }, { clock })),
    );
  });

  test("the authority of a CONNECT, and of connect()", async () => {
    const method = "CONNECT";
    await refuseEach(BAD_AUTHORITIES, "INVALID_TARGET", (target) => requested({ method, target }));
    await refuseEach(BAD_AUTHORITIES, "INVALID_TARGET", (authority) =>
      proposed((io, clock) => connect(io, authority, { headers: HOST, clock })),
    );
  });

  test("the version of a request", async () => {
    const bad = [
      ...around("1.1", [...CONTROLS, ...WIDE, ...LINES, " "]),
      "",
      "1.2",
      "HTTP/1.1",
      1.1,
    ];
    await refuseEach(bad, "INVALID_OPTION", (version) => requested({ version }));
  });

  test("the reason of a response, and of a 101", async () => {
    await refuseEach(BAD_REASONS, "INVALID_REASON", (reason) => answered({ status: 200, reason }));
    await refuseEach(BAD_REASONS, "INVALID_REASON", (reason) =>
      accepted({ headers: CHAT, reason }),
    );
  });

  test("the status of a response", async () => {
    const bad = [
      0,
      99,
      100,
      103,
      199,
      1000,
      2e3,
      200.5,
      -200,
      NaN,
      Infinity,
      1e21,
      "200",
      "",
      null,
    ];
    bad.push("200 OK\r\nX: y", undefined as never, true as never, [200] as never, 200n as never);
    await refuseEach(bad, "INVALID_STATUS", (status) => answered({ status }));
  });

  test("the status of sendInterim()", async () => {
    const bad = [0, 99, 101, 200, 204, 1030, 103.5, -103, NaN, "103", "103 X\r\nY: z", null];
    bad.push(undefined as never, true as never, [103] as never);
    await refuseEach(bad, "INVALID_STATUS", (status) => interimSent(status, {}));
  });
});

const HOST = { Host: "a.test" };
const CHAT = { Connection: "Upgrade", Upgrade: "chat" };

describe("L10, Z01: a protocol is a name with an optional version:", () => {
  const around1 = around("chat", [...'"():;<=>?@[\\]{} \t', "//", "/1/"]);
  const NO_PROTOCOLS = ["", ",", "chat,", ",chat", "chat,,x", "chat/", "/1", "chat x", '"chat"'];
  const NO_LINES = around("chat", [...CONTROLS, ...WIDE, ...LINES]);

  test("in upgrade()", async () => {
    const propose = (protocol: string | readonly string[]) =>
      proposed((io, clock) => upgrade(io, { target: "/", protocol, headers: HOST }, { clock }));
    const bad = [...NO_LINES, ...NO_PROTOCOLS, ...around1];
    await refuseEach(bad, "INVALID_OPTION", propose);
    await refuseEach(
      bad.map((text) => ["x", text]),
      "INVALID_OPTION",
      propose,
    );
  });

  test("in the Upgrade of a request, and of a 101", async () => {
    await refuseEach(NO_PROTOCOLS, "INVALID_UPGRADE", (protocol) =>
      requested({ headers: { ...HOST, Connection: "Upgrade", Upgrade: protocol } }),
    );
    await refuseEach(NO_PROTOCOLS, "INVALID_UPGRADE", (protocol) =>
      accepted({ headers: { Connection: "Upgrade", Upgrade: protocol } }),
    );
  });

  test("in switchTo(), which accepts only proposed ones", async () => {
    const bad = [...NO_PROTOCOLS, ...NO_LINES, undefined, null, ["chat", "x"], "chat2", "cha"];
    await refuseEach(bad, "NOT_OFFERED", (protocol) => switched(protocol));
  });
});
