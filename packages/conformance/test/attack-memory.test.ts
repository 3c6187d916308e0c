import { type Event, HttpConnection, type RequestEvent } from "@upgrade/core";
import { describe, expect, test } from "vitest";

const octets = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

function request(next: Event | string): RequestEvent {
  if (typeof next === "string" || next.type !== "request") throw new Error(JSON.stringify(next));
  return next;
}

/** The request that stands next. */
function read(server: HttpConnection): RequestEvent {
  return request(server.nextEvent());
}

/** Answers the request in hand, and lets the next begin. */
function answer(server: HttpConnection): void {
  server.nextEvent();
  server.send({ type: "response", status: 200, bodyLength: 0 });
  server.send({ type: "end-of-message" });
  server.startNextCycle();
}

const told = ({ method, target, headers }: RequestEvent) => [method, target, ...headers.toFlat()];

const FIRST = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND = "GET /2 HTTP/1.1\r\nHost: b\r\nX: harmless words\r\n\r\n";

describe("all connections read in one memory, and none sees another in it", () => {
  test("a head read while somebody's chunk is being copied stays what it was", () => {
    const [near, far] = [new HttpConnection("server"), new HttpConnection("server")];
    const chunk = octets(FIRST + SECOND);
    near.receiveData(chunk);
    expect(told(read(near))).toEqual(["GET", "/1", "Host", "a"]);
    answer(near);
    far.receiveData(octets("POST /far HTTP/1.1\r\nHost: far.test\r\nMany: more words\r\n\r\n"));
    far.receiveData(octets("PUT"));
    const { buffer } = chunk;
    let seen: RequestEvent | undefined;
    Object.defineProperty(chunk, "buffer", {
      get() {
        seen ??= read(far);
        return buffer;
      },
    });
    // So that the chunk is not in memory any more and has to be copied again.
    const other = new HttpConnection("server");
    other.receiveData(octets("GET "));
    other.nextEvent();
    expect(told(read(near))).toEqual(["GET", "/2", "Host", "b", "X", "harmless words"]);
    expect(told(seen!)).toEqual(["POST", "/far", "Host", "far.test", "Many", "more words"]);
  });

  test("what was checked is what is cut, though the chunk's owner has written to it since", () => {
    const server = new HttpConnection("server");
    const chunk = octets(FIRST + SECOND);
    server.receiveData(chunk);
    read(server);
    answer(server);
    chunk.set(octets("\r\nEvil: x"), chunk.length - 4 - "less words".length);
    expect(told(read(server))).toEqual(["GET", "/2", "Host", "b", "X", "harmless words"]);
  });

  test("a chunk that is taken away leaves its connection where it was, not where another is", () => {
    const [near, far] = [new HttpConnection("server"), new HttpConnection("server")];
    far.receiveData(octets("GE"));
    expect(far.nextEvent()).toBe("need-data");
    // TypeScript's library of 2022 does not know yet that a buffer may shrink.
    const buffer: ArrayBuffer & { resize?(length: number): void } = Reflect.construct(ArrayBuffer, [
      ...[8, { maxByteLength: 8 }],
    ]);
    near.receiveData(new Uint8Array(buffer));
    near.receiveData(octets(FIRST));
    buffer.resize!(0);
    expect(told(read(near))).toEqual(["GET", "/1", "Host", "a"]);
  });

  test("a chunk in memory that is shared with other threads is read like any other", () => {
    const server = new HttpConnection("server");
    const chunk = new Uint8Array(new SharedArrayBuffer(FIRST.length));
    chunk.set(octets(FIRST));
    server.receiveData(chunk);
    expect(told(read(server))).toEqual(["GET", "/1", "Host", "a"]);
  });
});
