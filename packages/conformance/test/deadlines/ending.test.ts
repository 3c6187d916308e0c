import { handshake as connectTo } from "@upgrade/client";
import { Deferred, ManualClock, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const OK = () => ({ status: 200 });
const NEVER = (): Promise<never> => new Promise(() => {});

describe("L13 in time: idleMs", () => {
  test("restarts after each exchange, even if the service answers at once", async () => {
    const { peer, clock, connection } = await serve(OK, { headMs: 100, idleMs: 100 });
    for (let i = 0; i < 5; i++) {
      clock.advance(90);
      await peer.send(head("GET /"));
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(connection.closeReason).toBeUndefined();
    clock.advance(100);
    expect(await peer.readToEnd()).toBe("");
  });

  test("is not headMs: after the first request a connection may idle longer", async () => {
    const { peer, clock, connection } = await serve(OK);
    await peer.send(head("GET /"));
    await peer.readHead();
    clock.advance(59_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await peer.readToEnd()).toBe("");
  });

  test("does not run during a service", async () => {
    const gate = new Deferred<void>();
    const { peer, clock } = await serve(() => gate.promise.then(OK));
    await peer.send(head("GET /"));
    await turns();
    clock.advance(1_000_000);
    gate.resolve();
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("a client has none", async () => {
    const { clock, sender } = await dial();
    clock.advance(1_000_000_000);
    expect(sender.isReady).toBe(true);
  });

  test("a client may have one: it closes without a failure", async () => {
    const { clock, connection, peer } = await dial({ idleMs: 100 });
    clock.advance(100);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "idle" });
  });
});

describe("L13 in time: drainMs", () => {
  test("an unread body that does not end in time ends the connection", async () => {
    const { peer, clock, connection } = await serve(async () => ({ status: 200 }));
    await peer.send(`${head("POST /", "Content-Length: 99")}x`);
    expect(await peer.readHead()).not.toMatch(/close/);
    await turns();
    clock.advance(5_000);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("on a client, cancel() then resolves to closed", async () => {
    const { peer, sender, clock } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 99")}x`);
    const canceled = (await pending).body.cancel();
    await turns();
    clock.advance(5_000);
    expect(await canceled).toBe("closed");
    await peer.failed();
  });
});

describe("L13 in time: lingerMs", () => {
  test("a client that never ends its side is given up", async () => {
    const { peer, clock, connection } = await serve(OK);
    const over = connection.run();
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    clock.advance(1_999);
    expect(await stateOf(over)).toBe("pending");
    clock.advance(1);
    await over;
    expect(await rejection(peer.send("more"))).toBe("aborted");
  });
});

describe("L13 in time: lingerMs, on the client,", () => {
  test("does not wait for the rest of an upload that was answered", async () => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    const { sender, connection } = await connectTo(near, { clock });
    const over = connection.run();
    const pending = sender.sendRequest({ ...POST, body: "x".repeat(3_000) });
    await turns();
    await far.write([
      Buffer.from(answer("413 Content Too Large", "Content-Length: 0", "Connection: close")),
    ]);
    expect((await pending).status).toBe(413);
    await turns();
    clock.advance(2_000);
    await over;
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a reset after the response is not a failure", async () => {
    const [near, far] = memoryPair(1_000);
    const { sender, connection } = await connectTo(near, { clock: new ManualClock() });
    const pending = sender.sendRequest({ ...POST, body: "x".repeat(3_000) });
    await turns();
    await far.write([
      Buffer.from(answer("413 Content Too Large", "Content-Length: 0", "Connection: close")),
    ]);
    expect((await pending).status).toBe(413);
    await turns();
    far.abort(new Error("reset"));
    await connection.run();
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent" });
  });
});

describe("L13 in time: uploadGraceMs", () => {
  test("an upload that continues after a complete response is aborted when it expires", async () => {
    const { peer, sender, connection, clock } = await dial();
    async function* endless() {
      yield "x";
      await NEVER();
    }
    const pending = sender.sendRequest({ ...POST, body: endless() });
    await peer.readUntil("1\r\nx\r\n");
    await peer.send(answer("200 OK", "Content-Length: 0"));
    expect(await (await pending).body.text()).toBe("");
    clock.advance(9_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await connection.closed).toMatchObject({ error: { code: "UPLOAD_TIMEOUT" } });
    await peer.failed();
  });
});

describe("L13 in time: maxAgeMs", () => {
  test("an idle connection ends", async () => {
    const { peer, clock, connection } = await serve(OK, { maxAgeMs: 500 });
    clock.advance(500);
    expect(await peer.readToEnd()).toBe("");
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent", because: "maxAgeMs" });
  });

  test("the current exchange is the last, and has close", async () => {
    const gate = new Deferred<void>();
    const { peer, clock } = await serve(() => gate.promise.then(OK), { maxAgeMs: 500 });
    await peer.send(head("GET /"));
    await turns();
    clock.advance(500);
    gate.resolve();
    expect(await peer.readToEnd()).toMatch(/\r\nConnection: close\r\n/);
  });
});
