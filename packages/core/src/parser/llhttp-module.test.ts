import { describe, expect, test } from "vitest";
import { codeOf } from "./llhttp-codes.ts";
import { execute, OK, PAUSED, position, saveState, targetLength } from "./llhttp-module.ts";

const octets = (text: string) => Buffer.from(text, "latin1");

describe("llhttp's contract, as the parser relies on it", () => {
  test("it stops right behind a head, whatever follows", () => {
    const bytes = octets("--\r\nGET /a HTTP/1.1\r\nB: c\r\n\r\nrest");
    expect(execute("request", bytes, 2, bytes.length, undefined)).toBe(PAUSED);
    expect(position).toBe(bytes.length - 2 - "rest".length);
    expect(targetLength).toBe(2);
  });

  test("it stops behind a proposal and behind a CONNECT just the same", () => {
    for (const head of [
      "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length: 5\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]) {
      const bytes = octets(`${head}early`);
      expect(execute("request", bytes, 0, bytes.length, undefined), head).toBe(PAUSED);
      expect(position, head).toBe(head.length);
    }
  });

  test.each([
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "content-length: x\r\n",
    "X-A: b-c\r\nContent-Length:\r\n",
  ])("X04: where CONNECT is answered it lets pass what it refuses elsewhere: %j", (fields) => {
    const bytes = octets(`HTTP/1.1 200 a-b\r\n${fields}\r\nrest`);
    const before = bytes.toString("latin1");
    expect(execute("response", bytes, 0, bytes.length, undefined)).not.toBe(PAUSED);
    expect(execute("response", bytes, 0, bytes.length, undefined, true)).toBe(PAUSED);
    expect(position).toBe(bytes.length - "rest".length);
    expect(bytes.toString("latin1")).toBe(before);
  });

  test("its state is 64 bytes: it goes on in the middle of a head, with another in between", () => {
    const first = octets("GET /a HTTP/1.1\r\nContent-Le");
    expect(execute("request", first, 0, first.length, undefined)).toBe(OK);
    const state = saveState("request");
    const other = octets("POST /other HTTP/1.1\r\nX");
    expect(execute("request", other, 0, other.length, undefined)).toBe(OK);
    const second = octets("ngth: 5\r\n\r\nrest");
    expect(execute("request", second, 0, second.length, state)).toBe(PAUSED);
    expect(position).toBe(11);
  });

  test("a thousand connections do not make its memory grow, which would detach every view", () => {
    const bytes = octets("GET / HTTP/1.1\r\nA: b");
    const rest = octets("\r\n\r\n");
    const states = Array.from({ length: 1_000 }, () => {
      execute("request", bytes, 0, bytes.length, undefined);
      return saveState("request");
    });
    for (const state of states) {
      expect(execute("request", rest, 0, rest.length, state)).toBe(PAUSED);
    }
  });

  test("requests and responses do not meet", () => {
    const request = octets("GET / HTTP/1.1\r\n");
    execute("request", request, 0, request.length, undefined);
    const state = saveState("request");
    const response = octets("HTTP/1.1 200 OK\r\n\r\n");
    expect(execute("response", response, 0, response.length, undefined)).toBe(PAUSED);
    expect(execute("request", octets("\r\n"), 0, 2, state)).toBe(PAUSED);
  });
});

test("an error number without a place of its own is told by where it happened", () => {
  expect(codeOf(999, true)).toBe("MALFORMED_START_LINE");
  expect(codeOf(999, false)).toBe("MALFORMED_FIELD");
});
