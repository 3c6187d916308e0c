import { once } from "node:events";
import net from "node:net";
import { ManualClock } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import {
  closeAfterEach,
  dial,
  ECHO,
  echo,
  heldBack,
  hello,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";

closeAfterEach();

describe("close()", () => {
  test("closes idle connections at once, and lets an exchange finish", async () => {
    const { service, begun, release } = heldBack();
    const server = await serveHere((request) =>
      request.target === "/late" ? service(request) : hello(),
    );
    const [idle, busy] = [await dial(server), await dial(server)];
    await idle.send(head("GET /"));
    await idle.readUntil("hello");
    await busy.send(head("GET /late"));
    await begun;
    const closed = server.close({ timeoutMs: 0 });
    await idle.readToEnd();
    await idle.end();
    expect(net.connect(portOf(server), "127.0.0.1").on("error", () => {})).toBeDefined();
    release();
    expect(await busy.readUntil("late")).toContain("\r\nConnection: close\r\n");
    await busy.end();
    await closed;
    expect(server.connections).toBe(0);
  });

  test("waits for switched connections, whose sockets it counts", async () => {
    const server = await serveHere(echo);
    const client = await dial(server);
    await client.send(ECHO);
    await client.readHead();
    let isClosed = false;
    const closed = server.close({ timeoutMs: 0 }).then(() => {
      isClosed = true;
    });
    await client.send("still");
    expect(await client.read(5)).toBe("still");
    expect([isClosed, server.connections]).toEqual([false, 1]);
    await client.end();
    await closed;
    expect(server.connections).toBe(0);
  });

  test("L13: aborts switched connections at once if asked to, also after an earlier call that waits", async () => {
    const server = await serveHere(echo);
    const client = await dial(server);
    await client.send(ECHO);
    await client.readHead();
    const waiting = server.close();
    const aborted = server.close({ upgraded: "abort" });
    await client.failed();
    await Promise.all([waiting, aborted]);
  });

  test('upgraded: "abort" lets an exchange finish, even if it then switches', async () => {
    const { service, begun, release } = heldBack();
    const server = await serveHere(async (request) => {
      await service(request);
      const { io } = await request.switchTo("echo");
      io.write("switched");
    });
    const client = await dial(server);
    await client.send(ECHO);
    await begun;
    const closed = server.close({ upgraded: "abort" });
    release();
    expect(await client.readToLast()).toMatch(/^HTTP\/1\.1 101 /);
    await closed;
  });

  test("aborts everything when the time is over", async () => {
    const clock = new ManualClock();
    const { service, begun } = heldBack();
    const server = await serveHere(
      (request) => (request.target === "/late" ? service(request) : echo(request)),
      { clock },
    );
    const [switched, busy] = [await dial(server), await dial(server)];
    await switched.send(ECHO);
    await switched.readHead();
    await busy.send(head("GET /late"));
    await begun;
    const closed = server.close({ timeoutMs: 5_000 });
    clock.advance(4_999);
    expect(server.connections).toBe(2);
    clock.advance(1);
    await Promise.all([switched.failed(), busy.failed(), closed]);
    expect(clock.pending).toBe(0);
  });

  test("waits closeMs by default", async () => {
    const clock = new ManualClock();
    const server = await serveHere(echo, { clock, closeMs: 70 });
    const client = await dial(server);
    await client.send(ECHO);
    await client.readHead();
    const closed = server.close();
    clock.advance(70);
    await client.failed();
    await closed;
  });

  test("is what the signal does, and `await using`", async () => {
    const aborter = new AbortController();
    const bySignal = await serveHere(hello, { signal: aborter.signal });
    const client = await dial(bySignal);
    aborter.abort();
    await client.readToEnd();
    await client.end();
    await bySignal.closed;
    {
      await using server = await serveHere(hello);
      expect(server.connections).toBe(0);
    }
  });

  test("closes a connection that is accepted only now", async () => {
    const server = await serveHere(hello);
    const socket = net.connect(portOf(server), "127.0.0.1");
    closeLater(() => socket.destroy());
    await once(socket, "connect");
    await server.close({ timeoutMs: 100 });
  });
});
