import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, memoryPair } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { latin1 } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, PROPOSAL, REQUEST } from "../../src/switching.ts";

const HELLO_101 = { status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } };

/** Our client and a scripted server. */
async function client() {
  const [io, far] = memoryPair();
  return { peer: new ScriptedPeer(far), ...(await connectTo(io)) };
}

/** Our server and a scripted client. */
async function server(service: Service<ByteStream>, options: ServerOptions<ByteStream> = {}) {
  const [io, far] = memoryPair();
  return { io, peer: new ScriptedPeer(far), ...(await serve(io, service, options)) };
}

const unasked = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
const GET = { method: "GET", target: "/", headers: [["Host", "a.test"]] as [string, string][] };

describe("L4 no switch without consent: what our client does not accept", () => {
  test.each([
    ["a 101 without a proposal", GET, unasked, "UNEXPECTED_SWITCH"],
    ["a 101 in HTTP/1.0", PROPOSAL.upgrade, unasked.replace("1.1", "1.0"), "BAD_SWITCH"],
    [
      "a protocol that was not proposed",
      PROPOSAL.upgrade,
      unasked.replace("chat", "other"),
      "BAD_SWITCH",
    ],
    [
      "one protocol more than was proposed",
      PROPOSAL.upgrade,
      unasked.replace("chat", "chat, x"),
      "BAD_SWITCH",
    ],
    [
      "a 101 that names no protocol",
      PROPOSAL.upgrade,
      unasked.replace("Upgrade: chat\r\n", ""),
      "BAD_SWITCH",
    ],
    [
      "a 101 without its connection option",
      PROPOSAL.upgrade,
      unasked.replace("Connection: Upgrade", "X: y"),
      "BAD_SWITCH",
    ],
    [
      "a 101 that is framed twice",
      PROPOSAL.upgrade,
      unasked.replace(
        "Connection",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\nConnection",
      ),
      "AMBIGUOUS_FRAMING",
    ],
    ["a 101 to CONNECT", PROPOSAL.connect, unasked, "UNEXPECTED_SWITCH"],
  ] as const)("%s", async (_, request, answer, code) => {
    const { peer, sender, connection } = await client();
    const parts = connection.withoutShutdown();
    const sent = sender.sendRequest(request as never);
    await peer.readHead();
    await peer.send(answer);
    await expect(sent).rejects.toMatchObject({ name: "RemoteProtocolError", code });
    await expect(parts).rejects.toMatchObject({ code });
    await peer.failed();
    expect(sender.isClosed).toBe(true);
  });

  test.each(["Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"])(
    "a 101 with %s, as servers send it, is still a switch",
    async (field) => {
      const { peer, sender, connection } = await client();
      const sent = sender.sendRequest(PROPOSAL.upgrade);
      await peer.readHead();
      await peer.send(`${unasked.replace("Connection", `${field}\r\nConnection`)}early`);
      expect((await sent).status).toBe(101);
      const { readBuf, switched } = await connection.withoutShutdown();
      expect([latin1(readBuf), switched?.protocol]).toEqual(["early", "chat"]);
    },
  );

  test("names are compared case-insensitively", async () => {
    const { peer, sender, connection } = await client();
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    await peer.readHead();
    await peer.send(unasked.replace("chat", "CHAT").replace(": Upgrade", ": upgrade"));
    await sent;
    expect((await connection.withoutShutdown()).switched?.protocol).toBe("CHAT");
  });

  test.each([200, 201, 204, 299])("any 2xx to CONNECT is a tunnel: %i", async (status) => {
    const { peer, sender, connection } = await client();
    const sent = sender.sendRequest(PROPOSAL.connect);
    await peer.readHead();
    await peer.send(
      `HTTP/1.0 ${status} x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nearly`,
    );
    expect((await sent).status).toBe(status);
    const { readBuf, switched } = await connection.withoutShutdown();
    expect(latin1(readBuf)).toBe("early");
    expect(switched).toMatchObject({ kind: "connect", protocol: "a.test:80" });
  });

  test.each([
    [PROPOSAL.upgrade, 200],
    [PROPOSAL.upgrade, 426],
    [PROPOSAL.connect, 302],
    [PROPOSAL.connect, 407],
  ] as const)("any other final status is not a switch: %o %i", async (request, status) => {
    const { peer, sender, connection } = await client();
    const sent = sender.sendRequest(request);
    const poll = connection.pollWithoutShutdown();
    await peer.readHead();
    await peer.send(
      `HTTP/1.1 ${status} x\r\nUpgrade: chat\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno`,
    );
    expect(await poll).toEqual({ kind: "refused", status });
    expect(await (await sent).body.text()).toBe("no");
    await sender.ready();
  });
});

describe("L4 no switch without consent: what our server treats as a proposal", () => {
  const proposals: [string, string, boolean][] = [
    ["a name and the connection option", REQUEST.upgrade, true],
    [
      "in any case",
      REQUEST.upgrade.replace("Upgrade: chat", "Upgrade: CHAT").replace(": Upgrade", ": UPGRADE"),
      true,
    ],
    ["one of several", REQUEST.upgrade.replace("Upgrade: chat", "Upgrade: other/1, chat"), true],
    [
      "the option among others",
      REQUEST.upgrade.replace(": Upgrade", ": keep-alive, Upgrade"),
      true,
    ],
    [
      "without its connection option",
      REQUEST.upgrade.replace("Connection: Upgrade\r\n", ""),
      false,
    ],
    ["with another option", REQUEST.upgrade.replace(": Upgrade", ": keep-alive"), false],
    ["in HTTP/1.0", REQUEST.upgrade.replace("1.1", "1.0"), false],
    ["with an invalid name", REQUEST.upgrade.replace("Upgrade: chat", "Upgrade: chat;q=1"), false],
    ["of nothing", REQUEST.upgrade.replace("Upgrade: chat\r\n", ""), false],
  ];

  test.each(proposals)("%s", async (_, request, proposes) => {
    const failures: unknown[] = [];
    const { peer } = await server(
      async (request) => {
        expect(request.proposal?.offers("chat") ?? false).toBe(proposes);
        if (!proposes) await request.switchTo("chat").catch((error) => failures.push(error.code));
        return HELLO_101;
      },
      { onError: (error) => void failures.push((error as { code: string }).code) },
    );
    await peer.send(request);
    const status = proposes ? "101" : "500";
    expect(await peer.readHead()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(failures).toEqual(proposes ? [] : ["NO_PROPOSAL", expect.any(String)]);
  });

  test.each([
    ["another protocol", { ...HELLO_101, headers: { ...HELLO_101.headers, Upgrade: "other" } }],
    ["no protocol", { ...HELLO_101, headers: { Connection: "Upgrade" } }],
    ["no option", { ...HELLO_101, headers: { Upgrade: "chat" } }],
    ["a length", { ...HELLO_101, headers: { ...HELLO_101.headers, "Content-Length": "0" } }],
    ["a body", { ...HELLO_101, body: "no" }],
  ])("a 101 with %s is not written: the client reads a 500", async (_, response) => {
    const { peer, connection } = await server(() => response);
    await peer.send(REQUEST.upgrade);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("switchTo a protocol that was not proposed: the service may still answer", async () => {
    const { peer } = await server(async (request) => {
      const refused = await request.switchTo("other").catch((error) => error.code);
      return { status: 200, body: refused };
    });
    await peer.send(REQUEST.upgrade);
    expect(await peer.readUntil("NOT_OFFERED")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("a 204 to CONNECT is a tunnel", async () => {
    const { peer, connection } = await server(() => ({ status: 204, tunnel: true }));
    await peer.send(`${REQUEST.connect}early`);
    expect(await peer.readHead()).not.toMatch(/Content-Length|Transfer-Encoding/);
    const { readBuf, switched } = await connection.withoutShutdown();
    expect([latin1(readBuf), switched?.kind]).toEqual(["early", "connect"]);
  });

  test("a 2xx to an HTTP/1.0 CONNECT is a tunnel, too", async () => {
    const { peer, connection } = await server(() => ({ status: 200, tunnel: true }));
    await peer.send("CONNECT a.test:80 HTTP/1.0\r\n\r\n");
    await peer.readHead();
    expect((await connection.withoutShutdown()).switched?.protocol).toBe("a.test:80");
  });

  test.each<[string, object]>([
    ["a 200 with a body", { status: 200, body: "hello" }],
    ["a 200 without one", { status: 200 }],
    ["a 202 with its length", { status: 202, headers: { "Content-Length": "0" } }],
    ["a 204", { status: 204 }],
    ["a 299 with trailers", { status: 299, body: ["x"], trailers: { X: "1" } }],
    ["a tunnel option that is merely truthy", { status: 200, tunnel: "true" }],
    ["first bytes", { status: 200, firstBytes: "first" }],
  ])("a service that does not handle CONNECT opens no tunnel: %s is a 501", async (_, response) => {
    const reports: unknown[] = [];
    const { peer, connection } = await server(() => response as { status: number }, {
      date: false,
      onError: (error, { phase }) => reports.push(phase, (error as { code: string }).code),
    });
    await peer.send(`${REQUEST.connect}SSH-2.0-early`);
    expect(await peer.readToEnd()).toBe(
      "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    await peer.end();
    expect(reports).toEqual(["service", "UNINTENDED_TUNNEL"]);
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a proxy that returns the 200 it got for a relayed CONNECT opens no tunnel either", async () => {
    const upstream = await client();
    const { peer } = await server((request) => upstream.sender.sendRequest(request));
    await peer.send(REQUEST.connect);
    expect(await upstream.peer.readHead()).toBe(REQUEST.connect);
    await upstream.peer.send(ANSWER.connect);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 501 /);
  });

  test("a stream returned to CONNECT by mistake is released", async () => {
    let isCanceled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel() {
        isCanceled = true;
      },
    });
    const { peer } = await server(() => ({ status: 200, body }));
    await peer.send(REQUEST.connect);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 501 /);
    expect(isCanceled).toBe(true);
  });

  test("tunnel: true is ignored on any other response", async () => {
    const { peer } = await server(({ target }) => ({ status: 200, body: target, tunnel: true }));
    await peer.send("GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect(await peer.readUntil("/a")).toMatch(/^HTTP\/1\.1 200 /);
    const refusing = await server(() => ({ status: 403, tunnel: true }));
    await refusing.peer.send(REQUEST.connect);
    expect(await refusing.peer.readHead()).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("h2c, refused, keeps its connection, as curl --http2 expects", async () => {
    const { peer } = await server(({ target }) => ({ status: 200, body: target }));
    const settings = "HTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    await peer.send(
      REQUEST.upgrade
        .replace("chat\r\n", `h2c\r\n${settings}`)
        .replace(": Upgrade", ": Upgrade, HTTP2-Settings"),
    );
    expect(await peer.readUntil("/chat")).not.toMatch(/close/i);
    await peer.send("GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect(await peer.readUntil("/next")).toMatch(/^HTTP\/1\.1 200/);
  });

  test("h2c beside another protocol does not", async () => {
    const { peer } = await server(() => ({ status: 200 }));
    await peer.send(REQUEST.upgrade.replace("Upgrade: chat", "Upgrade: h2c, chat"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 [\s\S]*Connection: close/i);
    expect(await peer.readToEnd()).toBe("");
  });
});
