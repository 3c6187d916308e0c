import { describe, expect, test } from "vitest";
import { type Event, HttpConnection, RemoteProtocolError, type Role, type Wait } from "./index.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const text = (octets: Uint8Array) => Buffer.from(octets).toString("latin1");

/** What follows from `input`, cut into pieces of `size`: events, then the wait or the error. */
function play(connection: HttpConnection, input: string, size = input.length || 1): string[] {
  const log: string[] = [];
  let body = "";
  const flush = () => {
    if (body !== "") log.push(`data ${body}`);
    body = "";
  };
  for (let at = 0; at < input.length; at += size) {
    connection.receiveData(bytes(input.slice(at, at + size)));
    for (
      let next = connection.nextEvent();
      typeof next === "object";
      next = connection.nextEvent()
    ) {
      if (next.type === "data") body += text(next.bytes);
      else {
        flush();
        log.push(describeEvent(next));
      }
    }
  }
  flush();
  return log;
}

function describeEvent(event: Event | Wait): string {
  if (typeof event === "string") return event;
  switch (event.type) {
    case "request":
      return `request ${event.method} ${event.target} ${event.headers.toFlat().join("|")}`;
    case "response":
    case "informational-response":
      return `${event.type} ${event.status} ${event.reason}`;
    case "end-of-message":
      return `end ${event.trailers.toFlat().join("|")}`.trim();
    default:
      return event.type;
  }
}

function refusal(role: Role, input: string): string {
  const connection = new HttpConnection(role);
  try {
    if (role === "client")
      connection.send({ type: "request", method: "GET", target: "/", headers: { Host: "a" } });
    if (role === "client") connection.send({ type: "end-of-message" });
    const log = play(connection, input);
    return log.join(", ");
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.status ?? ""} at ${error.offset}`;
  }
}

describe("a server's connection reads requests", () => {
  const chunked =
    "POST /a?b HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nE:\r\n\r\n" +
    "5;x=y\r\nhello\r\n0006\r\n world\r\n0\r\nDigest: abc \r\n\r\nGET /next HTTP/1.1\r\n";

  test.each([1, 2, 3, 7, 50, 1000])("cut into pieces of %i", (size) => {
    const connection = new HttpConnection("server");
    expect(play(connection, chunked, size)).toEqual([
      "request POST /a?b Host|a.test|Transfer-Encoding|chunked|E|",
      "data hello world",
      "end Digest|abc",
    ]);
    expect(text(connection.takeReadBuf())).toBe("GET /next HTTP/1.1\r\n");
  });

  test("one after the other", () => {
    const connection = new HttpConnection("server");
    const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    expect(play(connection, get + get)).toEqual(["request GET / Host|a", "end"]);
    expect(connection.nextEvent()).toBe("paused");
    const out = connection.send({ type: "response", status: 200, bodyLength: 2 });
    expect(text(out)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    expect(text(connection.send({ type: "data", bytes: "ok" }))).toBe("ok");
    connection.send({ type: "end-of-message" });
    connection.startNextCycle();
    expect(describeEvent(connection.nextEvent())).toBe("request GET / Host|a");
  });

  test.each([
    ["GET  / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE 400 at 0"],
    ["GET / HTTP/1.1\r\n\r\n", "BAD_HOST 400 at 0"],
    ["FOO / HTTP/1.1\r\n\r\n", "UNKNOWN_METHOD 501 at 1"],
    ["GET / HTTP/1.2\r\n\r\n", "UNSUPPORTED_VERSION 505 at 14"],
    ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "MALFORMED_FIELD 400 at 20"],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "AMBIGUOUS_FRAMING 400 at 0",
    ],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\r\n",
      "MALFORMED_CHUNK 400 at 60",
    ],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "UNSUPPORTED_VERSION 505 at 24"],
  ])("and refuses %j", (input, outcome) => {
    expect(refusal("server", input)).toBe(outcome);
  });
});

describe("a client's connection reads responses", () => {
  test.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "response 200 OK, data ok, end"],
    [
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 \r\n\r\n",
      "informational-response 103 Early Hints, response 204 , end",
    ],
    ["HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", "UNEXPECTED_SWITCH  at 0"],
    ["HTTP/1.1 099 X\r\n\r\n", "BAD_STATUS  at 0"],
    ["\r\nHTTP/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE 400 at 0"],
  ])("%j", (input, outcome) => {
    expect(refusal("client", input)).toBe(outcome);
  });
});

describe("L4: a switch needs consent", () => {
  const proposal =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: Chat/1, x\r\n\r\n";

  test("both ends come to the same state, and the bytes behind the heads are left", () => {
    const client = new HttpConnection("client");
    const server = new HttpConnection("server");
    server.receiveData(
      client.send({
        type: "request",
        method: "GET",
        target: "/chat",
        headers: [
          ["Host", "a"],
          ["Connection", "Upgrade"],
          ["Upgrade", "chat/1"],
        ],
      }),
    );
    client.send({ type: "end-of-message" });
    server.receiveData(bytes("early"));
    expect(describeEvent(server.nextEvent())).toContain("request GET /chat");
    expect(describeEvent(server.nextEvent())).toBe("end");
    expect(server.nextEvent()).toBe("paused");
    client.receiveData(
      server.send({
        type: "response",
        status: 101,
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "CHAT/1"],
        ],
      }),
    );
    client.receiveData(bytes("first"));
    expect(describeEvent(client.nextEvent())).toBe("response 101 Switching Protocols");
    expect(client.nextEvent()).toBe("paused");
    expect(client.states).toEqual({ client: "switched-protocol", server: "switched-protocol" });
    expect(server.states).toEqual(client.states);
    expect(text(server.takeReadBuf())).toBe("early");
    expect(text(client.takeReadBuf())).toBe("first");
  });

  test("a protocol that was not offered is not switched to, and the server may still answer", () => {
    const server = new HttpConnection("server");
    play(server, proposal);
    expect(() =>
      server.send({
        type: "response",
        status: 101,
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "tls"],
        ],
      }),
    ).toThrow(expect.objectContaining({ code: "NOT_OFFERED" }));
    expect(text(server.send({ type: "response", status: 403, bodyLength: 0 }))).toContain("403");
  });
});
