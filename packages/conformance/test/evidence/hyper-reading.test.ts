import { HttpConnection, type LimitOptions, type Role } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { Transcript } from "../../src/stories/transcript.ts";

// hyper's tests of reading messages, with our results. The numbers are those of docs/evidence/hyper.md.

function octets(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** The transcript of `bytes` without offsets. A client has sent a request with `method` before. */
function transcriptOf(
  role: Role,
  bytes: string,
  limits: LimitOptions = {},
  method = "GET",
): string[] {
  const transcript = new Transcript(role, limits);
  if (role === "client") {
    const target = method === "CONNECT" ? "a.test:443" : "/";
    transcript.connection.send({ type: "request", method, target, headers: { Host: "a.test" } });
    transcript.connection.send({ type: "end-of-message" });
  }
  transcript.receive(octets(bytes));
  return transcript.end().map((line) => line.replace(/ offset=[0-9]+/, ""));
}

const post = (...fields: string[]) => head("POST /", ...fields);
const get10 = (...fields: string[]) => ["GET / HTTP/1.0", ...fields, "", ""].join("\r\n");
const TE = (value: string) => `Transfer-Encoding: ${value}`;
const CL = (value: string) => `Content-Length: ${value}`;
const AMBIGUOUS = "error AMBIGUOUS_FRAMING status=400";
const BAD_LENGTH = "error BAD_CONTENT_LENGTH status=400";
const BAD_CODING = "error BAD_TRANSFER_ENCODING status=400";
const UNKNOWN_CODING = "error UNKNOWN_TRANSFER_CODING status=501";

describe("how a request's body is framed", () => {
  test.each<[string, string, string]>([
    ["176: GET without fields: none", head("GET /"), "request GET /"],
    ["177: POST without fields: none", post(), "request POST /"],
    ["178: chunked", post(TE("chunked")), "request POST / framing=chunked"],
    ["179: gzip before chunked", post(TE("gzip, chunked")), UNKNOWN_CODING],
    ["180: gzip before chunked, in two lines", post(TE("gzip"), TE("chunked")), UNKNOWN_CODING],
    ["181: a length", post(CL("10")), "request POST / framing=content-length:10"],
    ["182: a length before chunked", post(CL("10"), TE("chunked")), AMBIGUOUS],
    ["183, 194: a length after chunked", post(TE("chunked"), CL("10")), AMBIGUOUS],
    ["184: a length between", post(TE("gzip"), CL("10"), TE("chunked")), AMBIGUOUS],
    ["185: with keep-alive", post("Connection: keep-alive", CL("10"), TE("chunked")), AMBIGUOUS],
    ["186: two lengths that agree", post(CL("10"), CL("10")), BAD_LENGTH],
    ["187: two lengths that differ", post(CL("10"), CL("11")), BAD_LENGTH],
    ["188, 63: a sign", post(CL("+10")), BAD_LENGTH],
    ["189: gzip alone", post(TE("gzip")), UNKNOWN_CODING],
    ["190: chunked before gzip", post(TE("chunked, gzip")), BAD_CODING],
    ["191: chunked, then another line", post(TE("chunked"), TE("x")), BAD_CODING],
    [
      "192: a length in HTTP/1.0",
      get10(CL("10")),
      "request GET / HTTP/1.0 framing=content-length:10",
    ],
    ["193: chunked in HTTP/1.0", get10(TE("chunked")), BAD_CODING],
    ["71: a length that is not a number", post(CL("foo")), BAD_LENGTH],
  ])("%s", (_, bytes, line) => {
    expect(transcriptOf("server", bytes)[0]).toBe(line);
  });
});

describe("how a response's body is framed", () => {
  const ok = (...fields: string[]) => answer("200 OK", ...fields);
  test.each<[string, string, string, string?]>([
    ["196: without fields: until close", ok(), "response 200 OK framing=until-close"],
    ["197: 204", answer("204 No Content"), "response 204 No Content"],
    ["198: 304", answer("304 Not Modified"), "response 304 Not Modified"],
    ["199: a length", ok(CL("8")), "response 200 OK framing=content-length:8"],
    ["200, 37: two lengths that agree", ok(CL("8, 8"), CL("8, 8")), BAD_LENGTH],
    ["201: two lengths that differ", ok(CL("8"), CL("9")), BAD_LENGTH],
    ["202: a sign", ok(CL("+8")), BAD_LENGTH],
    ["203: chunked", ok(TE("chunked")), "response 200 OK framing=chunked"],
    ["204, 22: another coding", ok(TE("yolo")), "response 200 OK framing=until-close"],
    ["205: a length beside chunked", ok(CL("8"), TE("chunked")), AMBIGUOUS],
    ["206: a length to HEAD", ok(CL("8")), "response 200 OK", "HEAD"],
    ["207: 200 to CONNECT", ok(), "response 200 OK", "CONNECT"],
    [
      "208: 400 to CONNECT",
      answer("400 Bad Request"),
      "response 400 Bad Request framing=until-close",
      "CONNECT",
    ],
    ["209: 100 is not a final response", answer("100 Continue"), "interim-response 100 Continue"],
    [
      "210: 103 is not a final response",
      answer("103 Early Hints"),
      "interim-response 103 Early Hints",
    ],
    ["212: HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", "response 200 OK HTTP/1.0 framing=until-close"],
    ["213: chunked in HTTP/1.0", `HTTP/1.0 200 OK\r\n${TE("chunked")}\r\n\r\n`, BAD_CODING],
  ])("%s", (_, bytes, line, method) => {
    expect(transcriptOf("client", bytes, {}, method)[0]).toBe(line);
  });

  test.each<[string, string, boolean]>([
    ["214: HTTP/1.1 persists", ok(CL("0")), true],
    ["215: close in a list", ok(CL("0"), "Connection: foo, close, bar"), false],
    ["216: HTTP/1.0 does not live on", `HTTP/1.0 200 OK\r\n${CL("0")}\r\n\r\n`, false],
    [
      "216: unless keep-alive is in a list",
      `HTTP/1.0 200 OK\r\n${CL("0")}\r\nConnection: foo, keep-alive, bar\r\n\r\n`,
      true,
    ],
  ])("%s", (_, bytes, lives) => {
    expect(transcriptOf("client", bytes).at(-1)?.startsWith("need-data client=done")).toBe(lives);
  });
});

describe("heads", () => {
  test("165: a request is read to its last byte", () => {
    expect(transcriptOf("server", head("GET /echo"))).toEqual([
      "request GET /echo",
      "end-of-message",
      "need-data client=done server=send-response",
    ]);
  });

  test("166: a response, too", () => {
    expect(transcriptOf("client", answer("200 OK", CL("0"), "Foo: bar"))).toEqual([
      "response 200 OK framing=content-length:0",
      "end-of-message",
      "need-data client=done server=done",
    ]);
  });

  test.each<[string, Role, string, string]>([
    ["26: another protocol's name", "client", "HEAT/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE"],
    ["29: a status of one digit", "client", "HTTP/1.1 1 OK\r\n\r\n", "MALFORMED_START_LINE"],
    ["70: not a request line", "server", "GE T / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE"],
    [
      "167: a malformed target",
      "server",
      "GET htt:p// HTTP/1.1\r\nHost: a\r\n\r\n",
      "MALFORMED_TARGET",
    ],
    ["168, 169: HTTP/0.9", "client", "Aloha!", "MALFORMED_START_LINE"],
    ["170, 171: a space before a colon", "client", answer("200 OK", "X : 1"), "MALFORMED_FIELD"],
    [
      "172, 173: spaces in a request line",
      "server",
      "GET  / HTTP/1.1\r\n\r\n",
      "MALFORMED_START_LINE",
    ],
    ["228: LF LF", "server", "GET / HTTP/1.1\nHost: a\n\n", "MALFORMED_START_LINE"],
    [
      "229: a line that ends in LF among others",
      "server",
      "GET / HTTP/1.1\r\nHost: a\n\r\n",
      "MALFORMED_FIELD",
    ],
    ["217: a folded line", "client", answer("200 OK", "X: a\r\n b"), "MALFORMED_FIELD"],
  ])("%s", (_, role, bytes, code) => {
    expect(transcriptOf(role, bytes)[0]).toMatch(new RegExp(`^error ${code}(?: |$)`));
  });

  test("27, 69: one field of 64 KiB is too much for either end", () => {
    const field = `X: ${"v".repeat(65_536)}`;
    const name = `${"n".repeat(65_536)}: 1`;
    for (const line of [field, name]) {
      expect(transcriptOf("client", answer("200 OK", line))[0]).toMatch(/^error HEAD_TOO_LARGE/);
      expect(transcriptOf("server", head("GET /", line))[0]).toBe(
        "error HEAD_TOO_LARGE status=431",
      );
    }
  });

  test("68: a target of 65,535 octets is a 414", () => {
    const bytes = head(`GET /${"t".repeat(65_534)}`);
    expect(transcriptOf("server", bytes)[0]).toBe("error TARGET_TOO_LONG status=414");
  });

  test("226: a tab inside a value is part of it", () => {
    const connection = new HttpConnection("server");
    connection.receiveData(octets(head("GET /", "X: hello\tworld")));
    const event = connection.nextEvent();
    if (typeof event !== "object" || event.type !== "request") throw new Error("no request");
    expect(event.headers.get("x")).toBe("hello\tworld");
  });

  test.each<[LimitOptions, number]>([
    [{}, 100],
    [{ maxHeaders: 200 }, 200],
    [{ maxHeaders: 1 }, 1],
  ])("227: as many fields as allowed, and no more: %o", (limits, allowed) => {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `x${i}: 1`);
    expect(transcriptOf("server", head("GET /", ...fields(allowed - 1)), limits)[0]).toBe(
      "request GET /",
    );
    expect(transcriptOf("server", head("GET /", ...fields(allowed)), limits)[0]).toMatch(
      "TOO_MANY_HEADERS",
    );
    expect(transcriptOf("client", answer("200 OK", ...fields(allowed)), limits)[0]).toMatch(
      "200 OK",
    );
    expect(transcriptOf("client", answer("200 OK", ...fields(allowed + 1)), limits)[0]).toMatch(
      "TOO_MANY",
    );
  });

  test("227: a limit of zero allows none", () => {
    expect(transcriptOf("client", answer("200 OK", "x: 1"), { maxHeaders: 0 })[0]).toMatch(
      "TOO_MANY",
    );
  });

  test("50: a 100 in two pieces, then no head, is an error rather than a crash", () => {
    const transcript = new Transcript("client");
    transcript.connection.send({
      type: "request",
      method: "GET",
      target: "/",
      headers: { Host: "a" },
    });
    transcript.connection.send({ type: "end-of-message" });
    for (const piece of ["HTTP/1.1 100 Cont", "inue\r\n\r\n", "no head"])
      transcript.receive(octets(piece));
    expect(transcript.end().map((line) => line.replace(/ offset=.*/, ""))).toEqual([
      "interim-response 100 Continue",
      "error MALFORMED_START_LINE status=400",
    ]);
  });
});

describe("chunks", () => {
  const chunked = (body: string) => transcriptOf("server", `${post(TE("chunked"))}${body}`);
  const DATA = (text: string) => `data "${text}"`;

  test.each<[string, string, string]>([
    ["233: 1", "1\r\na\r\n0\r\n\r\n", "a"],
    ["233: 01 and 00", "01\r\na\r\n00\r\n\r\n", "a"],
    ["233: A and a", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"],
    ["239: ;x", "1;x\r\na\r\n0\r\n\r\n", "a"],
    ["239, 244: ;a=b", "3;a=b\r\nabc\r\n0;c\r\n\r\n", "abc"],
    ["239: white space before a semicolon", "1 ;x\r\na\r\n0\r\n\r\n", "a"],
    [
      "247, 64: chunks at once",
      "2\r\nab\r\n10\r\n1234567890abcdef\r\n0\r\n\r\n",
      "ab1234567890abcdef",
    ],
  ])("%s", (_, body, data) => {
    expect(chunked(body).slice(1, 3)).toEqual([DATA(data), "end-of-message"]);
  });

  test("233: Ff", () => {
    const data = "x".repeat(255);
    expect(chunked(`Ff\r\n${data}\r\n0\r\n\r\n`).slice(1, 3)).toEqual([
      DATA(data),
      "end-of-message",
    ]);
  });

  test.each<[string, string]>([
    ["234: white space after a size", "1 \r\n"],
    ["235: CR and something else", "1\rX"],
    ["237: an empty line", "\r\n"],
    ["238: X", "X\r\n"],
    ["238: 1X", "1X\r\n"],
    ["238: -", "-\r\n"],
    ["238: -1", "-1\r\n"],
    ["239: only semicolons", "1;;;  ;\r\n"],
    ["240: digits after white space", "1 2\r\n"],
    ["240: letters after white space", "1 invalid\r\n"],
    ["242: LF in an extension", "1;reject\nnewlines\r\n"],
    ["243, 65: a size that overflows", "f0000000000000003\r\n"],
    ["248, 67: a last chunk without its zero", "1\r\na\r\n\r\n"],
  ])("%s is refused", (_, body) => {
    expect(chunked(body).at(-1)).toBe("error MALFORMED_CHUNK status=400");
  });

  test.each<[string, string]>([
    ["236: after a digit", "1"],
    ["241: in an extension", "1;ext"],
    ["246: in the data", "9\r\nfoo bar"],
  ])("an end %s is an incomplete message", (_, body) => {
    const transcript = new Transcript("server");
    transcript.receive(octets(`${post(TE("chunked"))}${body}`));
    transcript.receiveEof();
    expect(transcript.end().at(-1)).toBe("error INCOMPLETE_MESSAGE phase=body");
  });

  test("245, 66: an end before the declared length is an incomplete message", () => {
    const transcript = new Transcript("server");
    transcript.receive(octets(`${post(CL("10"))}foo bar`));
    transcript.receiveEof();
    expect(transcript.end()).toEqual([
      "request POST / framing=content-length:10",
      'data "foo bar"',
      "error INCOMPLETE_MESSAGE phase=body",
    ]);
  });

  test("249: extensions are counted over all chunks", () => {
    expect(chunked("1;xxxxxxx\r\na\r\n".repeat(1_000)).at(-1)).toMatch(/^error CHUNK_EXTENSIONS/);
  });

  test("250: a trailer without its LF is refused", () => {
    expect(chunked("0\r\nX: 1\r\rY: 1\r\n\r\n").at(-1)).toMatch(/^error MALFORMED_TRAILER/);
  });

  test("7, 8, 11, 12, 13, 78, 255, 256: trailers are reported verbatim, and frame nothing", () => {
    const trailers = `X-A: 1\r\nx-a: 2\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\n\r\n`;
    const bytes = `${answer("200 OK", TE("chunked"))}3\r\nabc\r\n0\r\n${trailers}`;
    expect(transcriptOf("client", bytes)).toEqual([
      "response 200 OK framing=chunked",
      DATA("abc"),
      "end-of-message",
      "  trailer X-A: 1",
      "  trailer x-a: 2",
      "  trailer Content-Length: 99",
      "  trailer Transfer-Encoding: gzip",
      "need-data client=done server=done",
    ]);
  });

  test.each<[string, LimitOptions, string, string]>([
    [
      "257: too many trailers",
      { maxTrailers: 1 },
      "A: 1\r\nB: 1\r\n",
      "error TOO_MANY_TRAILERS status=431",
    ],
    ["258: as many as allowed", { maxTrailers: 2 }, "A: 1\r\nB: 1\r\n", "end-of-message"],
    [
      "259: a huge one",
      { maxTrailerBytes: 99 },
      `A: ${"v".repeat(99)}\r\n`,
      "error TRAILERS_TOO_LARGE status=431",
    ],
    [
      "260: many small ones",
      { maxTrailerBytes: 9 },
      "A: 1\r\n".repeat(9),
      "error TRAILERS_TOO_LARGE status=431",
    ],
  ])("%s", (_, limits, trailers, line) => {
    const bytes = `${post(TE("chunked"))}0\r\n${trailers}\r\n`;
    expect(transcriptOf("server", bytes, limits)).toContain(line);
  });
});
