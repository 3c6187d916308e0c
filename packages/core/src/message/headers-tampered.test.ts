import { describe, expect, test } from "vitest";
import { HttpConnection } from "../http-connection.ts";
import { endToEnd } from "./forwarding.ts";
import { Headers } from "./headers.ts";

describe("L10: an instance with replaced methods", () => {
  const EVIL = "x\r\nEvil: 1";

  /** Valid headers with methods that return other lines. */
  function lying(...lines: [string, string][]): Headers {
    const headers = new Headers(lines);
    const lies = {
      valueAt: () => EVIL,
      nameAt: () => EVIL,
      nameLengthAt: () => 0,
      get: () => EVIL,
      getAll: () => [],
      has: () => false,
      toFlat: () => [EVIL, EVIL],
      length: 0,
      [Symbol.iterator]: () => [[EVIL, EVIL]][Symbol.iterator](),
    };
    for (const name of Reflect.ownKeys(lies)) {
      Object.defineProperty(headers, name, Object.getOwnPropertyDescriptor(lies, name)!);
    }
    return headers;
  }

  const text = (octets: Uint8Array) => Buffer.from(octets).toString("latin1");

  test("is checked and sent as the lines it was made from", () => {
    const client = new HttpConnection("client");
    const ask = (headers: Headers) => {
      return client.send({ type: "request", method: "GET", target: "/", headers });
    };
    expect(() => ask(lying(["A", "b"]))).toThrow(expect.objectContaining({ code: "INVALID_HOST" }));
    const framed = lying(["Host", "a"], ["Content-Length", "x"]);
    expect(() => ask(framed)).toThrow(expect.objectContaining({ code: "INVALID_FRAMING" }));
    expect(text(ask(lying(["Host", "a"])))).toBe("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  });

  test("as trailers, is checked and sent as the lines it was made from", () => {
    const client = new HttpConnection("client");
    const headers = { "Host": "a", "Transfer-Encoding": "chunked" };
    client.send({ type: "request", method: "POST", target: "/", headers });
    const end = (trailers: Headers) => client.send({ type: "end-of-message", trailers });
    expect(() => end(lying(["Content-Length", "1"]))).toThrow(
      expect.objectContaining({ code: "INVALID_TRAILER" }),
    );
    expect(text(end(lying(["A", "b"])))).toBe("0\r\nA: b\r\n\r\n");
  });

  test("is forwarded as the lines it was made from", () => {
    const forwarded = endToEnd(lying(["Connection", "X"], ["X", "1"], ["A", "b"]));
    expect(forwarded.toFlat()).toEqual(["A", "b"]);
  });

  test.each([
    ["a Proxy around headers", () => new Proxy(new Headers({ a: "b" }), {})],
    ["a prototype without lines", () => Object.create(Headers.prototype) as Headers],
  ])("%s is refused", (_, make) => {
    for (const take of [Headers.from, endToEnd, (init: Headers) => new Headers(init)]) {
      expect(() => take(make())).toThrow(expect.objectContaining({ code: "INVALID_HEADERS" }));
    }
  });
});
