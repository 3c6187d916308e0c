import { describe, expect, test } from "vitest";
import { llhttp } from "./llhttp-module.ts";

const octets = (text: string) => Buffer.from(text, "latin1");

describe("llhttp's contract, as the parser relies on it", () => {
  test("it stops right after the empty line that ends a head, whatever follows", () => {
    const bytes = octets("--B: c\r\n\r\nrest");
    expect(llhttp.read(bytes, 2, bytes.length, undefined)).toBe("ended");
    expect(llhttp.position).toBe(bytes.length - 2 - "rest".length);
  });

  test("it needs no field before the empty line", () => {
    expect(llhttp.read(octets("\r\nrest"), 0, 6, undefined)).toBe("ended");
    expect(llhttp.position).toBe(2);
  });

  test("it stops after a proposal and after framing fields, too", () => {
    for (const head of [
      "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 5\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n",
      "Transfer-Encoding: gzip\r\n\r\n",
    ]) {
      const bytes = octets(`${head}early`);
      expect(llhttp.read(bytes, 0, bytes.length, undefined), head).toBe("ended");
      expect(llhttp.position, head).toBe(head.length);
    }
  });

  test.each([
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "content-length: x\r\n",
    "X-A: b-c\r\nContent-Length:\r\n",
  ])("X04: in an answer to CONNECT it accepts what it refuses elsewhere: %j", (fields) => {
    const bytes = octets(`${fields}\r\nrest`);
    const before = bytes.toString("latin1");
    expect(llhttp.read(bytes, 0, bytes.length, undefined)).toBe("broke");
    expect(llhttp.read(bytes, 0, bytes.length, undefined, true)).toBe("ended");
    expect(llhttp.position).toBe(bytes.length - "rest".length);
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
    expect(llhttp.read(octets(lines), 0, lines.length, undefined)).toBe("broke");
  });

  test("its state is 64 bytes: it resumes in the middle of a head, with another in between", () => {
    const first = octets("Content-Le");
    expect(llhttp.read(first, 0, first.length, undefined)).toBe("goes on");
    const state = llhttp.saveState();
    const other = octets("A: b\r\nX");
    expect(llhttp.read(other, 0, other.length, undefined)).toBe("goes on");
    const second = octets("ngth: 5\r\n\r\nrest");
    expect(llhttp.read(second, 0, second.length, state)).toBe("ended");
    expect(llhttp.position).toBe(11);
  });

  test("a thousand connections do not make its memory grow, which would detach every view", () => {
    const bytes = octets("A: b");
    const rest = octets("\r\n\r\n");
    const states = Array.from({ length: 1_000 }, () => {
      llhttp.read(bytes, 0, bytes.length, undefined);
      return llhttp.saveState();
    });
    for (const state of states) {
      expect(llhttp.read(rest, 0, rest.length, state)).toBe("ended");
    }
  });
});
