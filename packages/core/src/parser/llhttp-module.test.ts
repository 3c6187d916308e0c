import { describe, expect, test } from "vitest";
import { execute, OK, PAUSED, position, saveState } from "./llhttp-module.ts";

const octets = (text: string) => Buffer.from(text, "latin1");

describe("llhttp's contract, as the parser relies on it", () => {
  test("it stops right after the empty line that ends a head, whatever follows", () => {
    const bytes = octets("--B: c\r\n\r\nrest");
    expect(execute(bytes, 2, bytes.length, undefined)).toBe(PAUSED);
    expect(position).toBe(bytes.length - 2 - "rest".length);
  });

  test("it needs no field before the empty line", () => {
    expect(execute(octets("\r\nrest"), 0, 6, undefined)).toBe(PAUSED);
    expect(position).toBe(2);
  });

  test("it stops after a proposal and after framing fields, too", () => {
    for (const head of [
      "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 5\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n",
      "Transfer-Encoding: gzip\r\n\r\n",
    ]) {
      const bytes = octets(`${head}early`);
      expect(execute(bytes, 0, bytes.length, undefined), head).toBe(PAUSED);
      expect(position, head).toBe(head.length);
    }
  });

  test.each([
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "content-length: x\r\n",
    "X-A: b-c\r\nContent-Length:\r\n",
  ])("X04: in an answer to CONNECT it accepts what it refuses elsewhere: %j", (fields) => {
    const bytes = octets(`${fields}\r\nrest`);
    const before = bytes.toString("latin1");
    expect(execute(bytes, 0, bytes.length, undefined)).not.toBe(PAUSED);
    expect(execute(bytes, 0, bytes.length, undefined, true)).toBe(PAUSED);
    expect(position).toBe(bytes.length - "rest".length);
    expect(bytes.toString("latin1")).toBe(before);
  });

  test.each([
    "\n",
    "\r\r\n",
    "\r \n",
    " a: b\r\n",
    ": b\r\n",
    "a\r\n",
    "a : b\r\n",
    "a: b\n",
    "a: b\r\n\n",
  ])("it refuses %j at once", (lines) => {
    expect([OK, PAUSED]).not.toContain(execute(octets(lines), 0, lines.length, undefined));
  });

  test("its state is 64 bytes: it resumes in the middle of a head, with another in between", () => {
    const first = octets("Content-Le");
    expect(execute(first, 0, first.length, undefined)).toBe(OK);
    const state = saveState();
    const other = octets("A: b\r\nX");
    expect(execute(other, 0, other.length, undefined)).toBe(OK);
    const second = octets("ngth: 5\r\n\r\nrest");
    expect(execute(second, 0, second.length, state)).toBe(PAUSED);
    expect(position).toBe(11);
  });

  test("a thousand connections do not make its memory grow, which would detach every view", () => {
    const bytes = octets("A: b");
    const rest = octets("\r\n\r\n");
    const states = Array.from({ length: 1_000 }, () => {
      execute(bytes, 0, bytes.length, undefined);
      return saveState();
    });
    for (const state of states) {
      expect(execute(rest, 0, rest.length, state)).toBe(PAUSED);
    }
  });
});
