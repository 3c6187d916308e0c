import { connect } from "@upgrade/client";
import { Deferred, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, join, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

// hyper's tests of whole connections that no other test of ours covers. The numbers are those of
// docs/evidence/hyper.md.

const OK = answer("200 OK", "Content-Length: 0");

describe("our client", () => {
  test("21: bytes after the response to HEAD are not its body", async () => {
    const { peer, sender, connection } = await dial();
    const response = sender.sendRequest({ ...GET, method: "HEAD" });
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 11")}Hello World`);
    expect(await (await response).body.text()).toBe("");
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
  });

  test("43: an abort fails the body being read", async () => {
    const { peer, sender, connection } = await dial();
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 5")}he`);
    const text = (await response).body.text();
    connection.abort();
    expect(await rejection(text)).toBe("ABORTED");
  });

  test("278: a response without a body, followed by the end, is a response and an end", async () => {
    const { peer, sender, connection } = await dial();
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(OK);
    await peer.end();
    expect((await response).status).toBe(200);
    expect((await connection.closed).kind).toBe("peer-ended");
  });

  test("280: a closed connection sends nothing and reads nothing", async () => {
    const { peer, sender, connection } = await dial();
    const closed = connection.close();
    await peer.end();
    await closed;
    expect(await rejection(sender.sendRequest(GET))).toBe("NOT_SENT");
    expect(await peer.readToLast()).toBe("");
    expect(connection.stats).toEqual({ bytesRead: 0, bytesWritten: 0, requests: 0 });
  });

  test("283: is not ready during its own upload, even if the response is complete", async () => {
    const { peer, sender } = await dial();
    const gate = new Deferred<void>();
    async function* body() {
      yield "first";
      await gate.promise;
    }
    const response = sender.sendRequest({ ...POST, body: body() });
    await peer.readUntil("first\r\n");
    await peer.send(OK);
    await (await response).body.bytes();
    const ready = sender.ready();
    expect(await stateOf(ready)).toBe("pending");
    gate.resolve();
    await ready;
    expect(await peer.readUntil("0\r\n\r\n")).toBe("0\r\n\r\n");
  });

  test("321: is ready as soon as the last chunk arrives", async () => {
    const { peer, sender } = await dial();
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`);
    expect(await (await response).body.text()).toBe("hello");
    expect(sender.isReady).toBe(true);
  });

  test("331: gets its tunnel through a proxy, and the bytes after the head", async () => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const pending = connect(near, "a.test:443");
    expect(await peer.readHead()).toBe("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    await peer.send(`${answer("200 OK")}hi`);
    const result = await pending;
    if (!result.switched) throw new Error("refused");
    expect(Buffer.from(result.readBuf).toString()).toBe("hi");
    expect(result.io).toBe(near);
  });
});

describe("our server", () => {
  test("60: bytes after a GET with close are not its body", async () => {
    let body: string | undefined;
    const { peer } = await serve(async (request) => {
      body = await request.body.text();
      return { status: 200 };
    });
    await peer.send(`${head("GET /", "Connection: close")}hello`);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toBe("");
  });

  test("61, 62: a length frames a body, on GET as on POST", async () => {
    const bodies: string[] = [];
    const { peer } = await serve(async ({ body }) => {
      bodies.push(await body.text());
      return { status: 200 };
    });
    for (const method of ["GET", "POST"]) {
      await peer.send(`${head(`${method} /`, "Content-Length: 19")}I'm a good request.`);
      await peer.readHead();
    }
    expect(bodies).toEqual(["I'm a good request.", "I'm a good request."]);
  });

  test.each([
    ["68: a long target", head(`GET /${"t".repeat(65_534)}`), "414 URI Too Long"],
    [
      "69, 74: a long field",
      head("GET /", `${"n".repeat(65_536)}: 1`),
      "431 Request Header Fields Too Large",
    ],
    [
      "70, 71: a length that is not a number",
      head("POST /", "Content-Length: foo"),
      "400 Bad Request",
    ],
  ])("%s is refused with a status, and the connection ends", async (_, bytes, status) => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send(bytes);
    expect(await peer.readToEnd()).toBe(answer(status, "Content-Length: 0", "Connection: close"));
    await peer.end();
    expect((await connection.closed).kind).toBe("failed");
  });

  test("79, 95: chunks with trailers, and a chunked response, keep the connection open", async () => {
    async function* pieces() {
      yield "ok";
    }
    const { peer } = await serve(async ({ body }) => {
      await body.bytes();
      return { status: 200, body: pieces() };
    });
    for (let i = 0; i < 2; i++) {
      await peer.send(`${head("POST /", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\nX: 1\r\n\r\n`);
      expect(await peer.readUntil("0\r\n\r\n")).toMatch(/2\r\nok\r\n0\r\n\r\n$/);
    }
  });

  test("114: disabled keep-alive ends it after one request", async () => {
    const { peer } = await serve(() => ({ status: 200 }), { maxRequests: 1 });
    await peer.send(head("GET /") + head("GET /"));
    expect(await peer.readToEnd()).toBe(answer("200 OK", "Content-Length: 0", "Connection: close"));
  });

  test("137: an ignored proposal ends the connection, unless it is configured to persist", async () => {
    const offer = head("GET /", "Connection: Upgrade", "Upgrade: yolo");
    const closing = await serve(() => ({ status: 200 }));
    await closing.peer.send(offer);
    expect(await closing.peer.readToEnd()).toContain("\r\nConnection: close\r\n");
    const { peer } = await serve(() => ({ status: 200 }), { keepAliveAfterRefusal: true });
    for (let i = 0; i < 2; i++) {
      await peer.send(offer);
      expect(await peer.readHead()).toBe(OK);
    }
  });

  test("161: does not shut down before its last byte", async () => {
    const body = "x".repeat(1_000_000);
    const { sender } = await join(() => ({ status: 200, headers: { Connection: "close" }, body }));
    const response = await sender.sendRequest(GET);
    expect((await response.body.bytes()).length).toBe(body.length);
  });

  test("251: a body that has ended stays ended", async () => {
    const ends: unknown[] = [];
    const { peer } = await serve(async ({ body }) => {
      const iterator = body[Symbol.asyncIterator]();
      for (let i = 0; i < 4; i++) ends.push((await iterator.next()).done);
      return { status: 200 };
    });
    await peer.send(`${head("POST /", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\n\r\n`);
    await peer.readHead();
    expect(ends).toEqual([false, true, true, true]);
  });
});

test("151, 152, 154, 155: consecutive exchanges, with bodies of known and unknown length", async () => {
  const { sender, connection } = await join(async ({ body, headers }) => ({
    status: 200,
    body: `${headers.get("content-length") ?? headers.get("transfer-encoding")}: ${await body.text()}`,
  }));
  async function* pieces() {
    yield "hello";
  }
  for (const [body, framing] of [
    ["hello", "5"],
    [pieces(), "chunked"],
    ["", "0"],
  ] as const) {
    const response = await sender.sendRequest({ ...POST, body });
    expect(await response.body.text()).toBe(`${framing}: ${body === "" ? "" : "hello"}`);
  }
  await turns();
  expect(connection.stats.requests).toBe(3);
});
