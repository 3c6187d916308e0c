import { handshake } from "@upgrade/client";
import { Deferred, ManualClock } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ROLES, type Role } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

describe("L13 in time: close(), on the server,", () => {
  test("ends at once while idle", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("ends at once after an answered request", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send(head("GET /"));
    await peer.readHead();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("finishes a head that is half received, with Connection: close", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send("GET / HTTP/1.1\r\nHost:");
    await turns();
    void connection.close();
    await peer.send(" a.test\r\n\r\n");
    expect(await peer.readToEnd()).toBe(answer("200 OK", "Content-Length: 0", "Connection: close"));
  });

  test("ignores empty lines before a head", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send("\r\n");
    await turns();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("finishes the current exchange with Connection: close, and serves no later request", async () => {
    const gate = new Deferred<void>();
    const targets: string[] = [];
    const { peer, connection } = await serve(async ({ target }) => {
      targets.push(target);
      await gate.promise;
      return { status: 200 };
    });
    await peer.send(head("GET /1") + head("GET /2"));
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toBe(answer("200 OK", "Content-Length: 0", "Connection: close"));
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
    expect(targets).toEqual(["/1"]);
  });

  test("called twice, uses the earlier deadline", async () => {
    const { peer, connection, clock } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const first = connection.close({ timeoutMs: 5_000 });
    const second = connection.close({ timeoutMs: 50 });
    expect(second).toBe(first);
    void connection.close({ timeoutMs: 9_000 });
    clock.advance(50);
    const reason = await first;
    expect(reason).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
    expect(connection.closeReason).toBe(reason);
    await peer.failed();
  });

  test("has a deadline by default", async () => {
    const { peer, connection, clock } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const closed = connection.close();
    clock.advance(9_999);
    expect(await stateOf(closed)).toBe("pending");
    clock.advance(1);
    expect(await closed).toMatchObject({ error: { code: "CLOSE_TIMEOUT" } });
  });

  test("aborts on its signal, and resolves", async () => {
    const { peer, connection } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const stop = new AbortController();
    const closed = connection.close({ signal: stop.signal });
    stop.abort("now");
    expect(await closed).toMatchObject({
      kind: "failed",
      error: { code: "ABORTED", cause: "now" },
    });
    await peer.failed();
  });

  test("applies its deadline while lingering, too", async () => {
    const { peer, connection, clock } = await serve(() => ({ status: 200 }));
    const closed = connection.close({ timeoutMs: 100 });
    await peer.readToEnd();
    clock.advance(100);
    await closed;
    expect(await rejection(peer.send("more"))).toBe("aborted");
  });

  test("resolves at once when the connection is already closed", async () => {
    const { connection } = await serve(() => ({ status: 200 }));
    connection.abort();
    expect(await stateOf(connection.close())).toMatchObject({ kind: "failed" });
  });

  test("is called by await using", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const disposed = connection[Symbol.asyncDispose]();
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    await disposed;
    expect(connection.closeReason?.kind).toBe("closed");
  });
});

describe("L13 in time: close(), on the client,", () => {
  test("ends at once while idle", async () => {
    const { peer, sender, connection } = await dial();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
    expect(sender.isClosed).toBe(true);
  });

  test("finishes the request in flight and rejects the queue with NOT_SENT", async () => {
    const { peer, sender, connection } = await dial();
    const first = sender.sendRequest(GET);
    const second = sender.sendRequest(POST);
    await peer.readHead();
    const closed = connection.close();
    await expect(second).rejects.toMatchObject({
      code: "NOT_SENT",
      sent: "nothing",
      retrySafe: true,
    });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
    await peer.send(`${answer("200 OK", "Content-Length: 2")}ok`);
    expect(await (await first).body.text()).toBe("ok");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("aborts past its deadline: the request in flight rejects, and close resolves", async () => {
    const { peer, sender, connection, clock } = await dial();
    const first = sender.sendRequest(GET);
    await peer.readHead();
    const closed = connection.close({ timeoutMs: 10 });
    clock.advance(10);
    expect(await closed).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
    expect(await rejection(first)).toBe("CLOSE_TIMEOUT");
    await peer.failed();
  });
});

const PROPOSAL = { Host: "a.test", Connection: "Upgrade", Upgrade: "chat" };
const PROPOSING = head("GET /", "Connection: Upgrade", "Upgrade: chat");
const ACCEPTED = answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat");

describe("close() during a proposal", () => {
  test("on the server: it may still switch, and keeps its Connection field; then close resolves", async () => {
    const gate = new Deferred<void>();
    const { peer, connection } = await serve(async (request) => {
      await gate.promise;
      await request.switchTo("chat");
    });
    await peer.send(PROPOSING);
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readHead()).toBe(ACCEPTED);
    expect(await closed).toEqual({ kind: "switched", protocol: "chat" });
    await turns();
    expect(peer.ended).toBe(false);
  });

  test("on the server: refused, it ends", async () => {
    const gate = new Deferred<void>();
    const { peer, connection } = await serve(() => gate.promise.then(() => ({ status: 403 })));
    await peer.send(PROPOSING);
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s);
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("on the client: it may still switch, after which its deadline and signal do nothing", async () => {
    const { peer, sender, connection, clock } = await dial({ claimMs: 0 });
    const pending = sender.sendRequest({ ...GET, headers: PROPOSAL });
    await peer.readHead();
    const stop = new AbortController();
    const closed = connection.close({ timeoutMs: 10, signal: stop.signal });
    await peer.send(`${ACCEPTED}early`);
    expect((await pending).status).toBe(101);
    expect(await closed).toMatchObject({ kind: "switched" });
    clock.advance(10);
    stop.abort();
    const { io, readBuf } = connection.intoParts();
    expect(Buffer.from(readBuf).toString()).toBe("early");
    await io.write([Buffer.from("alive")]);
    expect(await peer.read(5)).toBe("alive");
    connection.abort();
    expect(await stateOf(connection.close({ timeoutMs: 1 }))).toMatchObject({ kind: "switched" });
    await io.write([Buffer.from("still")]);
    expect(await peer.read(5)).toBe("still");
  });

  test("on the client: refused, it ends after the refusal's body", async () => {
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest({ ...GET, headers: PROPOSAL });
    await peer.readHead();
    const closed = connection.close();
    await peer.send(`${answer("403 Forbidden", "Content-Length: 2")}no`);
    expect(await (await pending).body.text()).toBe("no");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });
});

describe("close() during a body", () => {
  test("lets a response stream to its end, then ends", async () => {
    const gate = new Deferred<void>();
    async function* body() {
      yield "a";
      await gate.promise;
      yield "b";
    }
    const { peer, connection } = await serve(() => ({ status: 200, body: body() }));
    await peer.send(head("GET /") + head("GET /2"));
    await peer.readUntil("1\r\na\r\n");
    void connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toBe("1\r\nb\r\n0\r\n\r\n");
  });

  test("lets an upload and its response end, on the client", async () => {
    const gate = new Deferred<void>();
    async function* body() {
      yield "a";
      await gate.promise;
    }
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest({ ...POST, body: body() });
    await peer.readUntil("1\r\na\r\n");
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readUntil("0\r\n\r\n")).toBe("0\r\n\r\n");
    await peer.send(answer("204 No Content"));
    expect((await pending).status).toBe(204);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("past the deadline the body fails, and the peer sees a failure", async () => {
    const { peer, sender, connection, clock } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    const text = (await pending).body.text();
    const closed = connection.close({ timeoutMs: 10 });
    await turns();
    clock.advance(10);
    expect(await rejection(text)).toBe("CLOSE_TIMEOUT");
    expect(await closed).toMatchObject({ kind: "failed" });
    await peer.failed();
  });
});

afterEach(destroyPairs);

test("close() with an aborted signal aborts", async () => {
  const { connection, sender } = await dial();
  const pending = sender.sendRequest(GET);
  await turns();
  const reason = await connection.close({ signal: AbortSignal.abort("enough") });
  expect(reason).toMatchObject({ error: { code: "ABORTED", cause: "enough" } });
  expect(await rejection(pending)).toBe("ABORTED");
});

// Node cannot reset a socket that is shutting down: it reports EINVAL and does not close it.
test("abort() right after close() closes the socket", async () => {
  const [near, far] = await tcpPair();
  far.resume().on("error", () => {});
  const { connection } = await handshake(near, { clock: new ManualClock() });
  let isClosed = false;
  near.once("close", () => {
    isClosed = true;
  });
  void connection.close();
  connection.abort();
  await connection.closed;
  await turns(50);
  expect(isClosed).toBe(true);
});

const served = async (role: Role) => {
  const gate = new Deferred<void>();
  if (role === "server") {
    const { peer, connection } = await serve(() => gate.promise.then(() => ({ status: 200 })));
    await peer.send(head("GET /"));
    await turns();
    return { peer, connection };
  }
  const { peer, connection, sender } = await dial();
  sender.sendRequest(POST).catch(() => {});
  await peer.readHead();
  return { peer, connection };
};

test.each(ROLES)(
  "L13: close() on our %s, called twice: one promise, and its signal aborts",
  async (role) => {
    const { peer, connection } = await served(role);
    const stop = new AbortController();
    const first = connection.close({ timeoutMs: 5_000 });
    expect(connection.close({ signal: stop.signal })).toBe(first);
    stop.abort("now");
    expect(await first).toMatchObject({ kind: "failed", error: { code: "ABORTED", cause: "now" } });
    expect(connection.closeReason).toBe(await first);
    await peer.failed();
    const again = await connection.close({ signal: AbortSignal.abort("late") });
    expect(again).toBe(connection.closeReason);
  },
);
