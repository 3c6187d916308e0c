import { describe, expect, test } from "vitest";
import { RemoteProtocolError } from "../errors.ts";
import { inspect } from "../facts.ts";
import { resolveLimits } from "../limits.ts";
import { FIELDS, IS_EXACT, STEERING, tape } from "../tape.ts";
import { auditHead, type Head, makeHead } from "./head-audit.ts";
import { execute, type MessageKind, PAUSED } from "./llhttp-module.ts";

const octets = (text: string) => Buffer.from(text, "latin1");
const { maxHeaders, maxTargetBytes } = resolveLimits();
const LIMITS = {
  maxBytes: Infinity,
  tooLarge: "HEAD_TOO_LARGE",
  maxFields: maxHeaders,
  tooMany: "TOO_MANY_HEADERS",
} as const;

function outcome(make: () => Head): unknown {
  try {
    const { headers, ...head } = make();
    return { ...head, headers: headers.toFlat() };
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} at ${error.offset}: ${error.message}`;
  }
}

const audited = (kind: MessageKind, text: string) =>
  outcome(() => auditHead(kind, text, LIMITS, maxTargetBytes));
const made = (kind: MessageKind, text: string) =>
  outcome(() => makeHead(kind, text, LIMITS, maxTargetBytes));

describe("L11: the audit trusts no parser, and refuses what llhttp might once let pass", () => {
  test.each([
    ["GET  / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["G=T / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["\r\nGET\t/ HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 2"],
    ["GET / HTTP/1.1 \r\n\r\n", "MALFORMED_START_LINE at 14"],
    ["GET /  HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 5"],
    ["GET / HTTP/2.0\r\n\r\n", "UNSUPPORTED_VERSION at 5"],
    ["GET / HTTP/1.1\n\r\n", "MALFORMED_START_LINE at 14"],
    ["GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA : b\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\n: b\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA b\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nA: b\r\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA: \0\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA: b\r\n\rx", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nA: b\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nA: b", "MALFORMED_FIELD at 22"],
    [
      `GET /${"a".repeat(maxTargetBytes)} HTTP/1.1\r\n\r\n`,
      `TARGET_TOO_LONG at ${maxTargetBytes + 4}`,
    ],
    [`GET / HTTP/1.1\r\n${"A:\r\n".repeat(101)}\r\n`, "TOO_MANY_HEADERS at 416"],
  ])("%j", (text, expected) => {
    expect(audited("request", text)).toContain(expected);
  });

  test.each([
    ["HTTP/1.1  200 OK\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["HTTP/2.0 200 OK\r\n\r\n", "UNSUPPORTED_VERSION at 0"],
    ["HTTP/1.1 099 OK\r\n\r\n", "BAD_STATUS at 0"],
    ["HTTP/1.1 200 O\0K\r\n\r\n", "MALFORMED_START_LINE at 13"],
    ["HTTP/1.1 200 OK\r\nA\r\n\r\n", "MALFORMED_FIELD at 17"],
  ])("%j", (text, expected) => {
    expect(audited("response", text)).toContain(expected);
  });
});

const FIELD_LINES = [
  "Host: a.test\r\n",
  "HOST:\t b\t \r\n",
  "te: trailers\r\nTE:x\r\n",
  "Date: now\r\nHost-: x\r\n",
  "dAtE:\r\nTrailer: A\r\ntrailer:B\r\n",
  "Expect: 100-continue\r\nAccept: \r\nCookie: a=b\r\n",
  "Upgrade: a, b\r\nupgrade:c\r\n",
  "Connection: keep-alive\r\nconnection: Upgrade, close,TE\r\n",
  "Content-Length: 5\r\n",
  "content_length: 5\r\ncontent-lengtH: 6\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer_encoding: chunked\r\ntransfer-encodinh: x\r\n",
  "connectioN:\r\nconnectio@: x\r\n",
  `X: ${"v".repeat(300)}\r\n`,
  "E:\r\nF: \t\r\nG: \xe9\xff\r\n",
];
const REQUEST_LINES = [
  "GET / HTTP/1.1\r\n",
  "\r\n\r\nM-SEARCH * HTTP/1.0\r\n",
  "CONNECT a:1 HTTP/1.1\r\n",
];
const STATUS_LINES = [
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0 404\r\n",
  "HTTP/1.1 999 \r\n",
  "HTTP/1.1 101 a\t\xe9 b\r\n",
];

describe("the recorder finds what the audit finds", () => {
  const heads: [MessageKind, string][] = [
    ...REQUEST_LINES.map((line): [MessageKind, string] => ["request", line]),
    ...STATUS_LINES.map((line): [MessageKind, string] => ["response", line]),
  ].flatMap(([kind, line]) => [
    [kind, `${line}\r\n`] as [MessageKind, string],
    [kind, `${line}${FIELD_LINES.join("")}\r\n`] as [MessageKind, string],
    ...FIELD_LINES.map((lines): [MessageKind, string] => [kind, `${line}${lines}\r\n`]),
  ]);

  test.each(heads)("%s %j", (kind, text) => {
    const bytes = octets(`..${text}GET `);
    if (execute(kind, bytes, 2, bytes.length, undefined) !== PAUSED) return;
    const isExact = tape[IS_EXACT] === 1;
    expect(made(kind, text)).toEqual(audited(kind, text));
    expect(isExact).toBe(true);
  });

  test("what it is told in steering fields is what their names say", () => {
    for (const lines of FIELD_LINES) {
      const text = `GET / HTTP/1.1\r\n${lines}\r\n`;
      const bytes = octets(text);
      if (execute("request", bytes, 0, bytes.length, undefined) !== PAUSED) continue;
      const head = makeHead("request", text, LIMITS, maxTargetBytes);
      expect(head.facts, lines).toEqual(inspect(head.headers));
    }
  });

  test("a head it cannot hold, or finds strange, is audited", () => {
    for (const [text, fields, steering] of [
      [`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(1_025)}\r\n`, 1_024, 0],
      [`GET / HTTP/1.1\r\n${"Date: b\r\n".repeat(17)}\r\n`, 17, 16],
      ["GET  / HTTP/1.1\r\n\r\n", 0, 0],
    ] as const) {
      const bytes = octets(text);
      expect(execute("request", bytes, 0, bytes.length, undefined)).toBe(PAUSED);
      expect(tape[IS_EXACT]).toBe(0);
      expect(tape[FIELDS]).toBeLessThanOrEqual(fields);
      expect(tape[STEERING]).toBeLessThanOrEqual(steering);
      expect(made("request", text)).toEqual(audited("request", text));
    }
  });
});
