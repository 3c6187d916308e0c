import { describe, expect, test } from "vitest";
import { bytes, describeEvent, play, text } from "../test/play-input.ts";
import { HttpConnection, RemoteProtocolError, type Role } from "./index.ts";

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

  test.each([1, 2, 3, 7, 50, 1000])("in pieces of %i bytes", (size) => {
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
    ["GET  / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE 400 at 4"],
    ["GET / HTTP/1.1\r\n\r\n", "BAD_HOST 400 at 0"],
    ["FOO / HTTP/1.1\r\n\r\n", "UNKNOWN_METHOD 501 at 0"],
    ["GET / HTTP/1.2\r\n\r\n", "UNSUPPORTED_VERSION 505 at 13"],
    ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "MALFORMED_FIELD 400 at 20"],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "AMBIGUOUS_FRAMING 400 at 0",
    ],
    [
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\r\n",
      "MALFORMED_CHUNK 400 at 60",
    ],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "UNSUPPORTED_VERSION 505 at 13"],
  ])("and refuses %j", (input, outcome) => {
    expect(refusal("server", input)).toBe(outcome);
  });
});

describe("a client's connection reads responses", () => {
  test.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "response 200 OK, data ok, end"],
    [
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 \r\n\r\n",
      "interim-response 103 Early Hints, response 204 , end",
    ],
    ["HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", "UNEXPECTED_SWITCH  at 0"],
    ["HTTP/1.1 099 X\r\n\r\n", "BAD_STATUS  at 9"],
    ["\r\nHTTP/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE 400 at 0"],
  ])("%j", (input, outcome) => {
    expect(refusal("client", input)).toBe(outcome);
  });
});

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("a connection", () => {
  test("keeps its input, and returns views of it: nothing is copied", () => {
    const server = new HttpConnection("server");
    const chunk = bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    server.receiveData(chunk);
    server.nextEvent();
    const data = server.nextEvent();
    expect(data).toMatchObject({ type: "data" });
    expect((data as { bytes: Uint8Array }).bytes.buffer).toBe(chunk.buffer);
  });

  test("writes data to a sink uncopied, and text as text", () => {
    const server = new HttpConnection("server");
    play(server, GET);
    const written: (string | Uint8Array)[] = [];
    const sink = {
      text: (octets: string) => written.push(octets),
      bytes: (octets: Uint8Array) => written.push(octets),
    };
    const body = bytes("ok");
    server.sendTo(sink, { type: "response", status: 200, bodyLength: 4 });
    server.sendTo(sink, { type: "data", bytes: body });
    server.sendTo(sink, { type: "data", bytes: "\xe9!" });
    expect(written).toEqual(["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", body, "\xe9!"]);
    expect(written[1]).toBe(body);
  });

  test("sends bytes in memory of their own", () => {
    const server = new HttpConnection("server");
    play(server, GET);
    server.send({ type: "response", status: 200, bodyLength: 2 });
    const body = bytes("ok");
    const sent = server.send({ type: "data", bytes: body });
    body[0] = 0;
    expect(text(sent)).toBe("ok");
  });

  test("reports how many bytes it holds and whether a head has begun", () => {
    const server = new HttpConnection("server");
    const seen = () => [server.bufferedBytes, server.headHasBegun, server.endReceived];
    expect(seen()).toEqual([0, false, false]);
    play(server, "\r\n");
    expect(seen()).toEqual([2, false, false]);
    play(server, "GET");
    expect(seen()).toEqual([5, true, false]);
    server.receiveEof();
    expect(seen()).toEqual([5, true, true]);
  });

  test("holds the bytes of unfinished trailers too", () => {
    const server = new HttpConnection("server");
    play(server, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y");
    expect(server.bufferedBytes).toBe(4);
    expect(text(server.takeReadBuf())).toBe("X: y");
    expect(server.bufferedBytes).toBe(0);
  });

  test("reads a head that was received in a hundred thousand pieces", () => {
    const server = new HttpConnection("server", { maxHeadBytes: 200_000, maxTargetBytes: 200_000 });
    const head = `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    for (const octet of bytes(head)) server.receiveData(Uint8Array.of(octet));
    expect(server.nextEvent()).toMatchObject({ type: "request" });
  });

  test("throws the same error on every call", () => {
    const server = new HttpConnection("server");
    server.receiveData(bytes("\0"));
    const errors = [1, 2].map(() => {
      try {
        return server.nextEvent();
      } catch (error) {
        return error;
      }
    });
    expect(errors[0]).toBeInstanceOf(RemoteProtocolError);
    expect(errors[1]).toBe(errors[0]);
    expect(errors[0]).toMatchObject({ phase: "head", offset: 0 });
  });

  test("has a proposal until it is refused", () => {
    const client = new HttpConnection("client");
    const headers = { Host: "a", Connection: "upgrade", Upgrade: "x" };
    client.send({ type: "request", method: "GET", target: "/", headers });
    client.send({ type: "end-of-message" });
    expect(client.proposal?.protocols).toEqual(["x"]);
    play(client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(client.proposal).toBeUndefined();
  });

  test("checks its limits when it is made", () => {
    expect(() => new HttpConnection("server", { maxHeadBytes: -1 })).toThrow("maxHeadBytes");
    expect(new HttpConnection("client").limits.maxHeaders).toBe(100);
  });

  test("has the states of both roles, whichever is ours", () => {
    const client = new HttpConnection("client");
    const server = new HttpConnection("server");
    const sent = client.send({
      type: "request",
      method: "GET",
      target: "/",
      headers: { Host: "a" },
    });
    client.send({ type: "end-of-message" });
    play(server, text(sent));
    expect([client.ourState, client.theirState]).toEqual(["done", "send-response"]);
    expect([server.ourState, server.theirState]).toEqual(["send-response", "done"]);
    expect([client.persists, client.cycleIsOver, client.hasSwitched]).toEqual([true, false, false]);
  });
});

describe("a whole message is sent in one step, or not at all", () => {
  const GET = { type: "request", method: "GET", target: "/", headers: { Host: "a" } } as const;
  const OK = { type: "response", status: 200 } as const;

  function requested(method: string, version = "1.1"): HttpConnection {
    const server = new HttpConnection("server");
    server.receiveData(Buffer.from(`${method} / HTTP/${version}\r\nHost: a\r\n\r\n`));
    while (typeof server.nextEvent() === "object");
    return server;
  }
  const recorder = () => {
    const sent: string[] = [];
    const take = (octets: Uint8Array | string) => sent.push(Buffer.from(octets).toString("latin1"));
    return { sent, sink: { text: take, bytes: take } };
  };

  test.each([
    ["BODY_TOO_SHORT", { ...OK, bodyLength: 3 }, undefined],
    ["BODY_TOO_SHORT", { ...OK, headers: { "Content-Length": 3 } }, "ab"],
    ["BODY_TOO_LONG", { ...OK, headers: { "Content-Length": 1 } }, Uint8Array.of(1, 2)],
    ["BODY_NOT_ALLOWED", { type: "response", status: 304 }, "a"],
    ["INVALID_BODY", { ...OK, bodyLength: 1 }, "€"],
    ["WRONG_MOMENT", { type: "interim-response", status: 103 }, undefined],
    ["WRONG_MOMENT", GET, undefined],
  ] as const)("%s: %j, %j", (code, head, body) => {
    const server = requested("GET");
    const { sent, sink } = recorder();
    expect(() => server.sendWholeTo(sink, head, body)).toThrow(expect.objectContaining({ code }));
    expect([sent, server.ourState]).toEqual([[], "send-response"]);
    server.sendWholeTo(sink, { ...OK, bodyLength: 2 }, "ok");
    expect(sent.join("")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect(server.cycleIsOver).toBe(true);
  });

  test.each([
    [
      "chunked",
      requested("GET"),
      { ...OK, headers: { "Transfer-Encoding": "chunked" } },
      "2\r\nok\r\n0\r\n\r\n",
    ],
    ["until close", requested("GET", "1.0"), { ...OK, bodyLength: "unknown" }, "ok"],
    ["by its length", requested("POST"), { ...OK, bodyLength: 2 }, "ok"],
  ] as const)("framed %s", (_, server, head, framed) => {
    const { sent, sink } = recorder();
    server.sendWholeTo(sink, head, Buffer.from("ok"));
    expect(sent.join("").split("\r\n\r\n", 1)[0]).toContain("HTTP/1.1 200 OK");
    expect(sent.join("").slice(sent.join("").indexOf("\r\n\r\n") + 4)).toBe(framed);
  });

  test("of a client, with an empty body", () => {
    const client = new HttpConnection("client");
    const { sent, sink } = recorder();
    client.sendWholeTo(sink, GET, undefined);
    expect([sent, client.ourState]).toEqual([["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], "done"]);
  });

  test("L5: a body that is sent with its head is not held back, and a 101 may follow", () => {
    const client = new HttpConnection("client");
    const { sink } = recorder();
    const headers = { Host: "a", Connection: "upgrade", Upgrade: "x", Expect: "100-continue" };
    const head = { type: "request", method: "POST", target: "/", headers, bodyLength: 2 } as const;
    client.sendWholeTo(sink, head, "ok");
    client.receiveData(
      bytes("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    );
    expect(client.nextEvent()).toMatchObject({ type: "response", status: 101 });
    expect(client.hasSwitched).toBe(true);
  });
});
