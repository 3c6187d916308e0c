import { connect, handshake as connectTo, upgrade } from "@upgrade/client";
import { Deferred, memoryPair } from "@upgrade/core/io";
import { type ServerOptions, type ServerResponse, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer } from "../../src/messages.ts";
import { stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST, ROLES } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

const MEGABYTE = "x".repeat(1_048_576);
const GET = { method: "GET", target: "/next", headers: { Host: "a.test" } };

/** Our client and a scripted server that answers with these bytes. */
async function refused(kind: "upgrade" | "connect", answer: string) {
  const [io, far] = memoryPair(4 * 1_048_576);
  const peer = new ScriptedPeer(far);
  const { sender, connection } = await connectTo(io);
  const both = Promise.all([sender.sendRequest(PROPOSAL[kind]), connection.pollWithoutShutdown()]);
  await peer.readHead();
  void peer.send(answer).catch(() => {});
  const [response, end] = await both;
  return { io, peer, sender, connection, response, end };
}

describe("L7 a refusal is a response: Promise.all([sendRequest, pollWithoutShutdown])", () => {
  test("a 403 that keeps the connection, with a megabyte of body", async () => {
    const { peer, sender, connection, response, end } = await refused(
      "upgrade",
      `HTTP/1.1 403 Forbidden\r\nContent-Length: ${MEGABYTE.length}\r\n\r\n${MEGABYTE}`,
    );
    expect(end).toEqual({ kind: "refused", status: 403 });
    expect(response.status).toBe(403);
    expect(await response.body.text()).toBe(MEGABYTE);
    await sender.ready();
    const next = sender.sendRequest(GET);
    expect(await peer.readHead()).toMatch("/next");
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await next).status).toBe(204);
    expect((await connection.close()).kind).toBe("closed");
  });

  test("a 403 that closes", async () => {
    const { peer, connection, response, end } = await refused(
      "upgrade",
      "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
    );
    expect(end).toEqual({ kind: "refused", status: 403 });
    const over = connection.run();
    expect(await response.body.text()).toBe("no");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    await over;
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a 403 without a length", async () => {
    const { peer, response, end } = await refused(
      "upgrade",
      "HTTP/1.1 403 Forbidden\r\n\r\nall of it",
    );
    expect(end).toEqual({ kind: "refused", status: 403 });
    await peer.end();
    expect(await response.body.text()).toBe("all of it");
  });

  test("a 200 that ignores the proposal", async () => {
    const { peer, sender, response, end } = await refused(
      "upgrade",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain",
    );
    expect(end).toEqual({ kind: "refused", status: 200 });
    expect(await response.body.text()).toBe("plain");
    const next = sender.sendRequest(GET);
    expect(await peer.readHead()).toMatch("/next");
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    await next;
  });

  test("103, then 101: the hint is reported, the switch is made", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const interims: number[] = [];
    const both = Promise.all([
      sender.sendRequest(PROPOSAL.upgrade, {
        onInterim: ({ status }) => interims.push(status),
      }),
      connection.pollWithoutShutdown(),
    ]);
    await peer.readHead();
    await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    await turns();
    expect(interims).toEqual([103]);
    await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nearly");
    expect((await both)[1]).toEqual({ kind: "switched", protocol: "chat" });
    expect(interims).toEqual([103]);
    expect(Buffer.from(connection.intoParts().readBuf).toString()).toBe("early");
  });
});

describe("L7 a refusal is a response: for a caller that waits for parts", () => {
  test("a client's withoutShutdown rejects, with the response to read", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const parts = connection.withoutShutdown();
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    await peer.readHead();
    await peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n");
    await expect(parts).rejects.toMatchObject({
      name: "SwitchRefused",
      code: "SWITCH_REFUSED",
      status: 403,
      response: await sent,
    });
    await peer.send("why no");
    expect(await (await sent).body.text()).toBe("why no");
  });

  test("a server's rejects when the refusal is written, and the connection closes", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { connection } = await serveOn(io, () => ({ status: 403, body: "why no" }));
    const parts = connection.withoutShutdown();
    await peer.send(REQUEST.upgrade);
    await expect(parts).rejects.toMatchObject({ name: "SwitchRefused", status: 403 });
    expect(await peer.readToEnd()).toMatch(
      /^HTTP\/1\.1 403 [\s\S]*Connection: close[\s\S]*why no$/,
    );
    await peer.end();
    expect((await connection.closed).kind).toBe("not-persistent");
  });

  test("upgrade() returns the response, and closes when that is read", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const result = upgrade(io, { target: "/", protocol: "chat", headers: { Host: "a.test" } });
    await peer.readHead();
    await peer.send("HTTP/1.1 403 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    const refused = await result;
    if (refused.switched) throw new Error("it switched");
    expect(await refused.response.body.text()).toBe("no");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await refused.connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("connect() returns a 407, and the connection for another attempt", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const result = connect(io, "b.test:443");
    expect(await peer.readHead()).toBe("CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n");
    await peer.send("HTTP/1.1 407 Authenticate\r\nContent-Length: 2\r\n\r\nno");
    const refused = await result;
    if (refused.switched) throw new Error("it switched");
    expect(await refused.response.body.text()).toBe("no");
    const parts = refused.connection.withoutShutdown();
    const again = refused.sender.sendRequest({
      method: "CONNECT",
      target: "b.test:443",
      headers: { Host: "b.test:443", "Proxy-Authorization": "Basic eDp5" },
    });
    expect(await peer.readHead()).toMatch("Basic");
    await peer.send("HTTP/1.1 200 OK\r\n\r\nearly");
    expect((await again).status).toBe(200);
    expect(Buffer.from((await parts).readBuf).toString()).toBe("early");
  });
});

describe("L7 a refusal is a response: what the server does afterwards", () => {
  const serving = async (response: ServerResponse, options: ServerOptions = {}) => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { connection } = await serveOn(io, () => response, options as never);
    return { peer, connection };
  };

  test.each(KINDS)("a refused %s closes", async (kind) => {
    const { peer } = await serving({ status: 403, body: "no" });
    await peer.send(REQUEST[kind]);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 [\s\S]*Connection: close[\s\S]*no$/);
  });

  test.each([
    ["upgrade", true, "204"],
    ["upgrade", ["chat"], "204"],
    ["upgrade", ["other"], ""],
    ["connect", true, ""],
  ] as const)("%s with keepAliveAfterRefusal %j", async (kind, keepAliveAfterRefusal, next) => {
    const { peer } = await serving({ status: 403 }, { keepAliveAfterRefusal });
    await peer.send(REQUEST[kind]);
    expect(await peer.readHead()).toMatch(next === "" ? /close/ : /^((?!close)[\s\S])*$/);
    if (next === "") {
      expect(await peer.readToEnd()).toBe("");
    } else {
      await peer.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect(await peer.readHead()).toMatch("403");
    }
  });

  test("protocol names are compared case-insensitively", async () => {
    const { peer } = await serving({ status: 403 }, { keepAliveAfterRefusal: ["CHAT"] });
    await peer.send(REQUEST.upgrade.replace("Upgrade: chat", "Upgrade: Chat"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 403 ((?!close)[\s\S])*$/);
    await peer.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect(await peer.readHead()).toMatch("403");
  });

  test("bytes after the request may belong to the new protocol: it closes anyway", async () => {
    const { peer } = await serving({ status: 403 }, { keepAliveAfterRefusal: true });
    await peer.send(`${REQUEST.upgrade}GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 ((?!HTTP)[\s\S])*$/);
  });
});

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
    expect(await stateOf(running)).toBe("pending");
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
    expect(await stateOf(again)).toBe("pending");
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
