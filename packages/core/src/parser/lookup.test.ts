import { expect, test } from "vitest";
import { HttpConnection } from "../http-connection.ts";
import type { Headers } from "../message/headers.ts";

function received(lines: string): Headers {
  const server = new HttpConnection("server");
  server.receiveData(Buffer.from(`GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`, "latin1"));
  const event = server.nextEvent();
  if (typeof event === "string" || event.type !== "request") throw new Error("no request");
  return event.headers;
}

const LONG = "x-a-name-that-is-longer-than-most-of-them-are";

test("a name is found in either case, only whole, and in order", () => {
  const headers = received("X-A: 1\r\nx-ab: 2\r\nX-a: 3\r\n-x-a: 4\r\n");
  expect(headers.getAll("x-A")).toEqual(["1", "3"]);
  expect(headers.get("X-AB")).toBe("2");
  expect([headers.has("x"), headers.has("x-"), headers.has("x-abc")]).toEqual([
    false,
    false,
    false,
  ]);
});

test("a name of sixteen, seventeen and thirty-two octets, and one that is longer", () => {
  for (const length of [15, 16, 17, 31, 32, 33, LONG.length]) {
    const name = LONG.slice(0, length);
    const other = `${name.slice(0, -1)}_`;
    const headers = received(`${other}: no\r\n${name.toUpperCase()}: yes\r\n`);
    expect(headers.get(name), String(length)).toBe("yes");
    expect(headers.get(`${name.slice(0, -1)}!`), String(length)).toBeUndefined();
  }
});

test("names that differ only in the case bit of a symbol are different", () => {
  const headers = received("a~b: tilde\r\na^b: caret\r\n");
  expect([headers.get("A~B"), headers.get("A^B")]).toEqual(["tilde", "caret"]);
});

test("a text that is not a name is not found, even if its low eight bits are", () => {
  const headers = received("X-K: 1\r\n");
  for (const name of ["", "\u0158-K", "X-\u212a", "x-k ", "x-k:", "x\r\n-k"]) {
    expect(headers.get(name), JSON.stringify(name)).toBeUndefined();
  }
});

test("every name is found, however many are looked up", () => {
  const names = Array.from({ length: 90 }, (_, i) => `x-name-${i}`);
  const headers = received(names.map((name) => `${name}: of ${name}\r\n`).join(""));
  for (const name of names) expect(headers.get(name.toUpperCase())).toBe(`of ${name}`);
  for (const name of names) expect(headers.get(name)).toBe(`of ${name}`);
});
