import { HttpConnection } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { head, latin1 } from "../../src/messages.ts";

describe("HttpConnection", () => {
  test("ignores bytes after an end", () => {
    const server = new HttpConnection("server");
    server.receiveEof();
    expect(server.nextEvent()).toEqual({ type: "connection-closed" });
    server.receiveData(Buffer.from("x"));
    expect(server.nextEvent()).toBe("paused");
    expect(latin1(server.takeReadBuf())).toBe("x");
  });

  test.each([
    ["0", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n"],
    ["5", "INVALID_FRAMING"],
  ])("a 205 of Content-Length %s: %s", (length, expected) => {
    const server = new HttpConnection("server");
    server.receiveData(Buffer.from(head("GET /")));
    while (typeof server.nextEvent() === "object");
    const send = () =>
      server.send({ type: "response", status: 205, headers: { "Content-Length": length } });
    if (length === "5") expect(send).toThrow(expect.objectContaining({ code: expected }));
    else expect(latin1(send())).toContain(expected);
  });
});
