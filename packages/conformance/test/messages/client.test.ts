import { Deferred } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const NO_CONTENT = answer("204 No Content");
const get = (target: string) => ({ ...GET, target });

describe("the queue", () => {
  test("each request is written after the previous response", async () => {
    const { peer, sender } = await dial();
    const pending = ["/1", "/2", "/3"].map((target) => sender.sendRequest(get(target)));
    for (const target of ["/1", "/2", "/3"]) {
      expect(await peer.readHead()).toBe(head(`GET ${target}`));
      await turns();
      expect(peer.unread).toBe("");
      await peer.send(NO_CONTENT);
    }
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([204, 204, 204]);
  });

  test("L12: maxQueuedRequests may wait; the next is refused with QUEUE_FULL, and nothing of it is sent", async () => {
    const { peer, sender } = await dial({ maxQueuedRequests: 2 });
    const pending = [1, 2, 3].map((n) => sender.sendRequest(get(`/${n}`)));
    await expect(sender.sendRequest(get("/4"))).rejects.toMatchObject({
      code: "QUEUE_FULL",
      sent: "nothing",
      retrySafe: true,
    });
    for (let i = 0; i < 3; i++) {
      await peer.readHead();
      await peer.send(NO_CONTENT);
    }
    await Promise.all(pending);
    expect(sender.isReady).toBe(true);
  });

  test("what waits when the connection ends is NOT_SENT, its body untouched", async () => {
    const { peer, sender } = await dial();
    let touched = false;
    async function* body() {
      touched = true;
      yield "x";
    }
    const first = sender.sendRequest(GET);
    const second = sender.sendRequest({ ...POST, body: body() });
    await peer.readHead();
    await peer.send(answer("200 OK", "Content-Length: 0", "Connection: close"));
    expect((await first).status).toBe(200);
    await expect(second).rejects.toMatchObject({
      code: "NOT_SENT",
      sent: "nothing",
      responseSeen: false,
    });
    expect(touched).toBe(false);
    expect(await peer.readToEnd()).toBe("");
  });

  test("an invalid request is refused alone: the others proceed", async () => {
    const { peer, sender } = await dial();
    const first = sender.sendRequest(GET);
    const wrong = sender.sendRequest({ ...GET, target: "/a b" });
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_TARGET", sent: "nothing" });
    await peer.readHead();
    await peer.send(NO_CONTENT);
    await first;
    expect(sender.isReady).toBe(true);
  });

  test("sendRequest never throws synchronously", async () => {
    const { sender } = await dial();
    const nonsense = [undefined, null, 7, {}, { method: "GET", target: "/", headers: 5 }];
    for (const request of nonsense) {
      const pending = sender.sendRequest(request as never);
      expect(pending).toBeInstanceOf(Promise);
      expect(await rejection(pending)).not.toBe("resolved");
    }
    expect(sender.isReady).toBe(true);
  });
});

describe("ready()", () => {
  test("resolves at once on a fresh connection, and again when the response body has arrived", async () => {
    const { peer, sender } = await dial();
    await sender.ready();
    const pending = sender.sendRequest(GET);
    const ready = sender.ready();
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 4")}bo`);
    const response = await pending;
    expect([await stateOf(ready), sender.isReady]).toEqual(["pending", false]);
    await peer.send("dy");
    expect(await response.body.text()).toBe("body");
    await ready;
    expect(sender.isReady).toBe(true);
  });

  test("waits while a large body waits for its reader", async () => {
    const { peer, sender } = await dial({ readAheadBytes: 4 });
    const pending = sender.sendRequest(GET);
    const ready = sender.ready();
    await peer.readHead();
    await peer.send(answer("200 OK", "Content-Length: 8"));
    const response = await pending;
    await peer.send("1234");
    await peer.send("5678");
    expect(await stateOf(ready)).toBe("pending");
    expect(await response.body.text()).toBe("12345678");
    await ready;
  });

  test("rejects with NOT_SENT when the connection has ended", async () => {
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest(GET);
    const ready = sender.ready();
    peer.reset();
    expect(await rejection(ready)).toBe("NOT_SENT");
    expect(await rejection(pending)).toBe("TRANSPORT_FAILED");
    await connection.closed;
    expect(await rejection(sender.ready())).toBe("NOT_SENT");
    expect([sender.isReady, sender.isClosed]).toEqual([false, true]);
  });
});

describe("L20: unsolicited bytes", () => {
  test("on an idle connection close it, with that as the reason", async () => {
    const { peer, connection, sender } = await dial();
    await peer.send(answer("200 OK", "Content-Length: 0"));
    expect(await connection.closed).toMatchObject({
      kind: "failed",
      error: { code: "UNEXPECTED_DATA", offset: 0 },
    });
    expect(sender.isClosed).toBe(true);
    await peer.failed();
  });

  test("a 408 on an idle connection does not answer the next request", async () => {
    const { peer, sender } = await dial();
    const first = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(NO_CONTENT);
    await first;
    await peer.send(answer("408 Request Timeout", "Connection: close", "Content-Length: 0"));
    await turns();
    expect(await rejection(sender.sendRequest(GET))).toBe("NOT_SENT");
  });

  test("after a response, in the same chunk, do not answer a waiting request", async () => {
    const { peer, sender, connection } = await dial();
    const first = sender.sendRequest(get("/1"));
    const second = sender.sendRequest(get("/2"));
    await peer.readHead();
    const poison = `${answer("200 OK", "Content-Length: 6")}poison`;
    await peer.send(`${answer("200 OK", "Content-Length: 2")}ok${poison}`);
    expect(await (await first).body.text()).toBe("ok");
    await expect(second).rejects.toMatchObject({ code: "NOT_SENT", sent: "nothing" });
    expect(connection.closeReason).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    expect(peer.unread).toBe("");
  });

  test("an end right after the response leaves waiting requests unsent", async () => {
    const { peer, sender } = await dial();
    const first = sender.sendRequest(get("/1"));
    await peer.readHead();
    const sent = peer.send(NO_CONTENT);
    await peer.end();
    await sent;
    await first;
    await turns();
    expect(await rejection(sender.sendRequest(get("/2")))).toBe("NOT_SENT");
    expect(await peer.readToEnd()).toBe("");
  });
});

describe("a final response during the upload", () => {
  const uploading = async (options = {}) => {
    const client = await dial(options);
    const gate = new Deferred<void>();
    let left = false;
    async function* body() {
      try {
        yield "first";
        await gate.promise;
        yield "second";
      } finally {
        left = true;
      }
    }
    const response = client.sender.sendRequest({ ...POST, body: body() });
    await client.peer.readUntil("5\r\nfirst\r\n");
    return { ...client, response, continueBody: gate.resolve, left: () => left };
  };

  test("resolves at once; the upload is completed, and the connection persists", async () => {
    const { peer, sender, response, continueBody } = await uploading();
    await peer.send(`${answer("200 OK", "Content-Length: 2")}ok`);
    expect(await (await response).body.text()).toBe("ok");
    expect(sender.isReady).toBe(false);
    continueBody();
    expect(await peer.readUntil("0\r\n\r\n")).toBe("6\r\nsecond\r\n0\r\n\r\n");
    await sender.ready();
  });

  test.each(["413 Content Too Large", "500 Internal Server Error"])(
    "%s stops it",
    async (status) => {
      const { peer, response, continueBody, left, connection } = await uploading();
      await peer.send(`${answer(status, "Content-Length: 2")}no`);
      expect(await (await response).body.text()).toBe("no");
      expect(await peer.readToEnd()).toBe("");
      continueBody();
      await turns();
      expect([peer.unread, left()]).toEqual(["", true]);
      await peer.end();
      expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
    },
  );

  test("Connection: close stops it", async () => {
    const { peer, response, continueBody } = await uploading();
    await peer.send(`${answer("200 OK", "Content-Length: 2", "Connection: close")}ok`);
    expect(await (await response).body.text()).toBe("ok");
    expect(await peer.readToEnd()).toBe("");
    continueBody();
  });

  test("a close-delimited response stops it", async () => {
    const { peer, response } = await uploading();
    await peer.send(`${answer("200 OK")}all of it`);
    await peer.end();
    expect(await (await response).body.text()).toBe("all of it");
    expect(await peer.readToEnd()).toBe("");
  });
});

test("maxRequests, on the client: the last request has close", async () => {
  const { peer, sender, connection } = await dial({ maxRequests: 2 });
  for (const fields of [[], ["Connection: close"]]) {
    const pending = sender.sendRequest(GET);
    expect(await peer.readHead()).toBe(head("GET /", ...fields));
    await peer.send(answer("204 No Content"));
    await pending;
  }
  expect([sender.isClosed, await peer.readToEnd()]).toEqual([true, ""]);
  expect(connection.closeReason).toMatchObject({ kind: "not-persistent", because: "maxRequests" });
});

test("stats count both ways on the client, too", async () => {
  const { peer, sender, connection } = await dial();
  expect(connection.stats).toEqual({ bytesRead: 0, bytesWritten: 0, requests: 0 });
  const sent = sender.sendRequest({ ...POST, body: "body" });
  const request = await peer.readUntil("body");
  const response = `${answer("100 Continue")}${answer("200 OK", "Content-Length: 2")}ok`;
  await peer.send(response);
  expect(await (await sent).body.text()).toBe("ok");
  expect(connection.stats).toEqual({
    bytesRead: response.length,
    bytesWritten: request.length,
    requests: 1,
  });
  expect(connection.state).toEqual({ client: "idle", server: "idle" });
});
