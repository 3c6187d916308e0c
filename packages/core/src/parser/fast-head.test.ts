import { describe, expect, test } from "vitest";
import { RemoteProtocolError } from "../base/errors.ts";
import { resolveLimits } from "../base/limits.ts";
import { type Facts, inspect } from "../message/facts.ts";
import { readFast } from "./fast-head.ts";
import { type Head, headLimits, type SectionKind } from "./head.ts";
import { scanner } from "./scanner-module.ts";
import { readFields, SlowHead } from "./slow-head.ts";
import { FIELDS } from "./tape-layout.ts";

const octets = (text: string) => Buffer.from(text, "latin1");
// As many fields as the scanner takes, and more, in any section.
const MANY = resolveLimits({ maxHeaders: 2_000, maxTrailers: 2_000 });
const LIMITS = { ...headLimits("request", resolveLimits()), maxBytes: Infinity };

/** Facts without those that differ: the scanner omits a valid Host, and gives a length as a number. */
function comparable({ host: _, contentLength, length, ...others }: Facts): object {
  return { ...others, length: length ?? Number(contentLength) };
}

function outcome(make: () => Head): unknown {
  try {
    const head = make();
    const headers = head.headers.toFlat();
    return head.kind === "trailers"
      ? { ...head, headers }
      : { ...head, facts: comparable(head.facts), headers };
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} at ${error.offset}: ${error.message}`;
  }
}

const slow = (kind: SectionKind, text: string) =>
  outcome(() => new SlowHead(kind, LIMITS).read(octets(text), 0, text.length, false)!);

const byGrammar = (kind: SectionKind, text: string) =>
  outcome(() => {
    const head = new SlowHead(kind, LIMITS).read(octets(text), 0, text.length, false)!;
    const { headers, facts } = readFields(kind, text, LIMITS);
    return head.kind === "trailers" ? { ...head, headers } : { ...head, headers, facts };
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
  "OPTIONS /a/%2F?b=c&d HTTP/1.0\r\n",
  "PUT /{[|%]}^`\\?%z HTTP/1.1\r\n",
  "CONNECT [::1]:443 HTTP/1.1\r\n",
  "CONNECT a.test:80 HTTP/1.0\r\n",
  "OPTIONS * HTTP/1.1\r\n",
  "GET http://a.test:80/b?c=%20 HTTP/1.1\r\n",
];
const STATUS_LINES = [
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0 404\r\n",
  "HTTP/1.1 999 \r\n",
  "HTTP/1.1 101 a\t\xe9 b\r\n",
];

function scanned(kind: SectionKind, text: string): Head | undefined {
  const bytes = octets(`..${text}GET `);
  const head = readFast(kind, bytes, 2, bytes.length, MANY);
  if (head !== undefined) expect(scanner.text()).toBe(text);
  return head;
}

describe("the scanner agrees with the slow reader", () => {
  const heads: [SectionKind, string][] = [
    ...REQUEST_LINES.map((line): [SectionKind, string] => ["request", line]),
    ...STATUS_LINES.map((line): [SectionKind, string] => ["response", line]),
    ["trailers", ""] as [SectionKind, string],
  ].flatMap(([kind, line]) => [
    [kind, `${line}\r\n`] as [SectionKind, string],
    [kind, `${line}${FIELD_LINES.join("")}\r\n`] as [SectionKind, string],
    ...FIELD_LINES.map((lines): [SectionKind, string] => [kind, `${line}${lines}\r\n`]),
  ]);

  test.each(heads)("%s %j", (kind, text) => {
    const head = scanned(kind, text);
    // Some lines of the list have an octet that a token cannot have, or two lengths together.
    const isLeft = text.includes("@") || text.split(/content-length/i).length > 2;
    expect(head === undefined).toBe(isLeft);
    if (head === undefined) return;
    const fast = outcome(() => head);
    expect(fast).toEqual(slow(kind, text));
    expect(fast).toEqual(byGrammar(kind, text));
  });

  test("it finds the same control fields", () => {
    for (const lines of FIELD_LINES) {
      const head = scanned("request", `GET / HTTP/1.1\r\n${lines}\r\n`);
      if (head?.kind !== "request") continue;
      expect(comparable(inspect(head.headers)), lines).toEqual(comparable(head.facts));
    }
  });

  test.each([
    ["too many fields for the tape", `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(1_025)}\r\n`],
    ["too many control fields", `GET / HTTP/1.1\r\n${"Expect: b\r\n".repeat(17)}\r\n`],
    ["a second space", "GET  / HTTP/1.1\r\n\r\n"],
    ["an empty line before", "\r\nGET / HTTP/1.1\r\n\r\n"],
    ["a rare method", "M-SEARCH / HTTP/1.1\r\n\r\n"],
    ["an asterisk with another method", "GET * HTTP/1.1\r\n\r\n"],
    ["an authority with another method", "GET a.test:80 HTTP/1.1\r\n\r\n"],
    ["a path with CONNECT", "CONNECT / HTTP/1.1\r\n\r\n"],
    ["an authority without a port", "CONNECT a.test HTTP/1.1\r\n\r\n"],
    ["a user in a target", "GET http://u@a.test/ HTTP/1.1\r\n\r\n"],
    ["no target", "GET  HTTP/1.1\r\n\r\n"],
    ["a fragment", "GET /a#b HTTP/1.1\r\n\r\n"],
    ["a quotation mark", 'GET /" HTTP/1.1\r\n\r\n'],
    ["another version", "GET / HTTP/2.0\r\n\r\n"],
    ["a fold", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"],
    ["a bare line feed", "GET / HTTP/1.1\r\nA: b\n\r\n"],
    ["no end", "GET / HTTP/1.1\r\nA: b\r\n"],
  ])("it does not accept %s", (_, text) => {
    expect(scanned("request", text)).toBeUndefined();
  });

  test("it accepts 1,024 fields, and a head as long as its input buffer", () => {
    const fields = "A: b\r\n".repeat(1_023);
    const pad = "p".repeat(65_536 - 23 - fields.length);
    const text = `GET / HTTP/1.1\r\n${fields}P: ${pad}\r\n\r\n`;
    expect(text.length).toBe(65_536);
    expect(scanned("request", text)).toBeDefined();
    expect(scanner.tape[FIELDS]).toBe(1_024);
    expect(scanned("request", text.replace("P: ", "P: p"))).toBeUndefined();
  });
});
