import { type ByteStream, memoryPair } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, latin1, POST } from "../../src/messages.ts";
import { destroyPairs, PAIRS } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const HELLO_101 = { status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } };

/** Our server and a scripted client. */
async function server(service: Service<ByteStream>, options: ServerOptions<ByteStream> = {}) {
  const [io, far] = memoryPair();
  return { io, peer: new ScriptedPeer(far), ...(await serveOn(io, service, options)) };
}

describe("L6 order", () => {
  test.each(PAIRS)("a 101 waits for an earlier slow response, over $name", async ({ make }) => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    let answer!: () => void;
    const slow = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { connection } = await serveOn(io, async (request) => {
      if (request.proposal !== undefined) return HELLO_101;
      await slow;
      return { status: 200, body: "slow" };
    });
    const parts = connection.withoutShutdown();
    await peer.send(`GET / HTTP/1.1\r\nHost: a.test\r\n\r\n${REQUEST.upgrade}early`);
    await turns();
    expect(peer.unread).toBe("");
    answer();
    expect(await peer.readUntil("slow")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(latin1((await parts).readBuf)).toBe("early");
  });

  test("a 101 has only Connection: Upgrade while the server closes", async () => {
    let go!: () => void;
    const { peer, connection } = await server(async () => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      return HELLO_101;
    });
    await peer.send(REQUEST.upgrade);
    await turns();
    const parts = connection.withoutShutdown();
    const closing = connection.close();
    go();
    const head = await peer.readHead();
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.match(/^connection:.*$/gim)).toEqual(["Connection: Upgrade"]);
    expect((await parts).switched?.protocol).toBe("chat");
    expect(await closing).toEqual({ kind: "switched", protocol: "chat" });
  });
});

describe("L8: a request that waits for a proposal", () => {
  const waiting = async (kind: "upgrade" | "connect") => {
    const client = await dial({ pipeline: 9 });
    let touched = false;
    async function* body() {
      touched = true;
      yield "x";
    }
    const first = client.sender.sendRequest(PROPOSAL[kind]);
    const second = client.sender.sendRequest({ ...POST, target: "/later", body: body() });
    await client.peer.readHead();
    await turns();
    expect(client.peer.unread).toBe("");
    return { ...client, first, second, touched: () => touched };
  };

  test.each(KINDS)("to %s is written after its refusal", async (kind) => {
    const { peer, first, second } = await waiting(kind);
    await peer.send(`${answer("403 No", "Content-Length: 4")}two`);
    const { body } = await first;
    await turns();
    expect(peer.unread).toBe("");
    await peer.send("4");
    expect(await body.text()).toBe("two4");
    expect(await peer.readHead()).toMatch(/^POST \/later /);
    await peer.send(answer("204 No Content"));
    expect((await second).status).toBe(204);
  });

  test.each(KINDS)("to %s is not sent if it switches, and its body is untouched", async (kind) => {
    const { peer, first, second, sender, touched } = await waiting(kind);
    await peer.send(ANSWER[kind]);
    await first;
    await expect(second).rejects.toMatchObject({
      code: "NOT_SENT",
      sent: "nothing",
      retrySafe: true,
    });
    expect(await rejection(sender.sendRequest(GET))).toBe("NOT_SENT");
    expect(await rejection(sender.ready())).toBe("NOT_SENT");
    expect([touched(), peer.unread]).toEqual([false, ""]);
  });
});

const SWITCH = { Connection: "Upgrade", Upgrade: "chat" };
const CHAT = head("GET /chat", "Connection: Upgrade", "Upgrade: chat");
const ACCEPTED = answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat");

test.each([
  ["text", "first"],
  ["bytes", Buffer.from("first")],
])(
  "L6 order: a response of %s and a 101, given in one turn, are sent in the order of their requests",
  async (_, body) => {
    const { peer } = await serve((request) =>
      request.proposal === undefined ? { status: 200, body } : { status: 101, headers: SWITCH },
    );
    await peer.send(head("GET /") + CHAT);
    expect(await peer.readUntil("Upgrade: chat\r\n\r\n")).toBe(
      `${answer("200 OK", "Content-Length: 5")}first${ACCEPTED}`,
    );
  },
);

test("L6 order: the first bytes of the new protocol follow the 101", async () => {
  const { peer } = await serve(async (request) => {
    await request.switchTo("chat", { firstBytes: Buffer.from("hello") });
  });
  await peer.send(CHAT);
  expect(await peer.readUntil("hello")).toBe(`${ACCEPTED}hello`);
});
