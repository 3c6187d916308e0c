import {
  type ByteStream,
  type Connection,
  Deferred,
  memoryPair,
  type Parts,
} from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { standing } from "../../src/promises.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST, ROLES, type Role } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

// Mirrors closing.test.ts: what it tests on our server is tested here on our client, and vice versa.

type Ended = Connection<ByteStream>;
const ENDS = [
  ["run", (c: Ended) => c.run()],
  ["pollWithoutShutdown", (c: Ended) => c.pollWithoutShutdown()],
  ["withoutShutdown", (c: Ended) => c.withoutShutdown()],
] as const;

describe.each(ENDS)("L8: %s, on the client, resolves on a clean end:", (how, wait) => {
  const isOpenAfterwards = how !== "run";

  /** HTTP has ended; the io is shut down, or left to the caller that waited for it. */
  async function ends(
    client: Awaited<ReturnType<typeof dial>>,
    over: Promise<unknown>,
    kind: string,
  ) {
    const { peer, connection } = client;
    if (!isOpenAfterwards) {
      expect(await peer.readToEnd()).toBe("");
      await peer.end();
    }
    const result = await over;
    expect(connection.closeReason?.kind).toBe(kind);
    await turns();
    expect(peer.ended).toBe(!isOpenAfterwards);
    if (how === "withoutShutdown") expect((result as Parts<ByteStream>).switched).toBe(undefined);
    if (how === "pollWithoutShutdown") expect(result).toMatchObject({ kind: "ended" });
  }

  test("an exchange that ended persistence", async () => {
    const client = await dial();
    const over = wait(client.connection);
    const sent = client.sender.sendRequest(GET);
    await client.peer.readHead();
    await client.peer.send(answer("204 No Content", "Connection: close"));
    await sent;
    await ends(client, over, "not-persistent");
  });

  test("close(), while idle", async () => {
    const client = await dial();
    const over = wait(client.connection);
    const closed = client.connection.close();
    await ends(client, over, "closed");
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("the idle deadline", async () => {
    const client = await dial({ idleMs: 100 });
    const over = wait(client.connection);
    client.clock.advance(100);
    await ends(client, over, "idle");
  });
});

/** Ways for a client to fail after a request; each returns the code of the error. */
const FAILURES: Record<string, (client: Awaited<ReturnType<typeof dial>>) => Promise<string>> = {
  "a reset": async ({ peer }) => {
    peer.reset();
    return "TRANSPORT_FAILED";
  },
  "an end of file inside a head": async ({ peer }) => {
    await peer.send("HTTP/1.1 2");
    await peer.end();
    return "INCOMPLETE_MESSAGE";
  },
  "an end of file inside a body": async ({ peer }) => {
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    await peer.end();
    return "INCOMPLETE_MESSAGE";
  },
  "a protocol error": async ({ peer }) => {
    await peer.send("nonsense\r\n\r\n");
    return "MALFORMED_START_LINE";
  },
  "abort": async ({ connection }) => {
    connection.abort("enough");
    return "ABORTED";
  },
  "a deadline inside an exchange": async ({ peer, clock, sender }) => {
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    await turns();
    expect(sender.isReady).toBe(false);
    clock.advance(30_000);
    return "BODY_TIMEOUT";
  },
};

describe.each(ENDS)(
  "L8: %s, on the client, rejects with the same error as closeReason, on",
  (_, wait) => {
    test.each(Object.keys(FAILURES))("%s", async (how) => {
      const client = await dial();
      const over = wait(client.connection).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      client.sender.sendRequest(GET).then(
        ({ body }) => body.bytes().catch(() => {}),
        () => {},
      );
      await client.peer.readHead();
      const code = await FAILURES[how]!(client);
      const error = await over;
      expect(error).toMatchObject({ code });
      expect((client.connection.closeReason as { error: unknown }).error).toBe(error);
      expect(await client.connection.closed).toBe(client.connection.closeReason);
    });
  },
);

describe.each(ROLES)("a proposal on our %s", (role) => {
  /** An open proposal, and what accepts or refuses it. */
  async function proposed(kind: "upgrade" | "connect") {
    if (role === "client") {
      const { peer, connection, sender } = await dial();
      const response = sender.sendRequest(PROPOSAL[kind]);
      response.catch(() => {});
      await peer.readHead();
      const accept = () => void peer.send(ANSWER[kind]);
      const refuse = () => void peer.send(`${answer("403 No", "Content-Length: 9")}four`);
      const finish = () => void peer.send("-more");
      return { peer, connection, accept, refuse, finish, response };
    }
    const verdict = new Deferred<boolean>();
    const rest = new Deferred<void>();
    async function* body() {
      yield "four";
      await rest.promise;
      yield "-more";
    }
    const { peer, connection } = await serve(
      async () => {
        const isAccepted = await verdict.promise;
        if (!isAccepted) return { status: 403, headers: { "Content-Length": "9" }, body: body() };
        const headers = { Connection: "Upgrade", Upgrade: "chat" };
        return kind === "upgrade" ? { status: 101, headers } : { status: 200, tunnel: true };
      },
      { keepAliveAfterRefusal: true },
    );
    await peer.send(REQUEST[kind]);
    await turns();
    const accept = () => verdict.resolve(true);
    return { peer, connection, accept, refuse: () => verdict.resolve(false), finish: rest.resolve };
  }

  test.each(KINDS)("L8: run() resolves at the switch, %s, and shuts nothing down", async (kind) => {
    const { peer, connection, accept } = await proposed(kind);
    const running = connection.run();
    const closed = connection.closed;
    expect(await standing(running)).toBe("pending");
    accept();
    await running;
    expect(await closed).toMatchObject({ kind: "switched" });
    await connection.run();
    await turns();
    expect([peer.ended, peer.failure]).toEqual([false, undefined]);
    expect(connection.intoParts().switched).toMatchObject({ kind });
  });

  test("L7: pollWithoutShutdown reports a refusal before its body, and may be called again", async () => {
    const { peer, connection, refuse, finish } = await proposed("upgrade");
    const end = connection.pollWithoutShutdown();
    refuse();
    expect(await end).toEqual({ kind: "refused", status: 403 });
    const again = connection.pollWithoutShutdown();
    expect(await standing(again)).toBe("pending");
    finish();
    await turns();
    await peer.end();
    expect(await again).toMatchObject({ kind: "ended", reason: { kind: "peer-ended" } });
  });

  test("L7: withoutShutdown, refused, leaves the connection to close as usual", async () => {
    const { peer, connection, refuse, finish } = await proposed("connect");
    const parts = connection.withoutShutdown();
    refuse();
    await expect(parts).rejects.toMatchObject({ name: "SwitchRefused", status: 403 });
    finish();
    if (role === "client") void connection.close();
    expect(await peer.readToEnd()).toMatch(role === "client" ? /^$/ : /four-more$/);
    await peer.end();
    expect(await connection.closed).toMatchObject({
      kind: role === "client" ? "closed" : "not-persistent",
    });
  });
});

test("L7: a refusal that closes ends the client's connection by itself when its body is canceled", async () => {
  const { peer, sender, connection } = await dial();
  const parts = connection.withoutShutdown();
  const sent = sender.sendRequest(PROPOSAL.upgrade);
  await peer.readHead();
  await peer.send(`${answer("403 No", "Content-Length: 9", "Connection: close")}four`);
  await expect(parts).rejects.toMatchObject({ name: "SwitchRefused" });
  const canceled = (await sent).body.cancel();
  await peer.send("-more");
  expect(await canceled).toBe("drained");
  expect(await peer.readToEnd()).toBe("");
  await peer.end();
  expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
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

test("a memory pair never delivers synchronously", async () => {
  const [io, far] = memoryPair();
  const order: string[] = [];
  void io.read().then(() => order.push("read"));
  const wrote = far.write([Buffer.from("x")]).then(() => order.push("written"));
  order.push("called");
  await wrote;
  await turns();
  expect(order[0]).toBe("called");
  expect(order.sort()).toEqual(["called", "read", "written"]);
  const { peer, connection } = await serve(() => ({ status: 200 }));
  const before = connection.stats.requests;
  const sent = peer.send(head("GET /"));
  expect(connection.stats.requests).toBe(before);
  await sent;
  await turns();
  expect(connection.stats.requests).toBe(1);
});
