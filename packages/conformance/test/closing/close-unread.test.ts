import { connect } from "@upgrade/client";
import { memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { type Dialed, dial } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

/** Responses whose body has begun, and does not end by itself. */
const UNREAD: Record<string, string> = {
  "a length": `${answer("407 Proxy Authentication Required", "Content-Length: 4000")}nope`,
  "chunks": `${answer("200 OK", "Transfer-Encoding: chunked")}4\r\nnope\r\n`,
  "the end of the connection": `${answer("502 Bad Gateway")}nope`,
  "more than is read ahead": `${answer("200 OK", "Content-Length: 90000")}${"x".repeat(80_000)}`,
};

async function answered(response: string): Promise<Dialed> {
  const client = await dial();
  const sent = client.sender.sendRequest(GET);
  await client.peer.readHead();
  await client.peer.send(response);
  await sent;
  await turns();
  return client;
}

describe("close() does not wait for an unread response body framed by", () => {
  test.each(Object.entries(UNREAD))("%s", async (_, response) => {
    const { connection, peer, clock } = await answered(response);
    const closed = connection.close();
    await peer.readToEnd();
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
    expect([clock.now(), clock.pending]).toEqual([0, 0]);
  });

  test.each(Object.entries(UNREAD))(
    "%s, even if the server does not end its side",
    async (_, response) => {
      const { connection, peer, clock } = await answered(response);
      const closed = connection.close();
      await peer.readToEnd();
      clock.advance(2_000);
      expect(await closed).toMatchObject({ kind: "closed" });
    },
  );
});

test("close() after a refused CONNECT closes a TCP socket at once", async () => {
  const [near, far] = await tcpPair();
  far.once("data", () => far.write(UNREAD["a length"]!));
  far.on("end", () => far.end());
  const result = await connect(near, "a.test:443");
  if (result.switched) throw new Error("switched");
  expect(await result.connection.close()).toMatchObject({ kind: "closed" });
  expect(near.destroyed).toBe(true);
});

test("a body being read is finished first", async () => {
  const client = await dial();
  const sent = client.sender.sendRequest(GET);
  await client.peer.readHead();
  await client.peer.send(`${answer("200 OK", "Content-Length: 8")}four`);
  const text = (await sent).body.text();
  const closed = client.connection.close();
  await turns();
  expect(client.peer.ended).toBe(false);
  await client.peer.send("more");
  await client.peer.end();
  expect([await text, (await closed).kind]).toEqual(["fourmore", "closed"]);
});

test("a response that arrives after close() may be read until the deadline, which is not a failure", async () => {
  const { connection, sender, peer, clock } = await dial();
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  const closed = connection.close({ timeoutMs: 1_000 });
  await peer.send(UNREAD["a length"]!);
  const { body } = await sent;
  await turns();
  clock.advance(999);
  await turns();
  expect(peer.ended).toBe(false);
  clock.advance(1);
  await peer.readToEnd();
  await peer.end();
  expect(await closed).toMatchObject({ kind: "closed" });
  // The bytes already received can still be read, and are not taken for the whole body.
  expect(await rejection(body.text())).toBe("ABORTED");
});

test("a body that is read too slowly is truncated at the deadline, which is a failure", async () => {
  const { connection, sender, peer, clock } = await dial();
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(UNREAD["a length"]!);
  const text = (await sent).body.text();
  const closed = connection.close({ timeoutMs: 1_000 });
  clock.advance(1_000);
  expect(await rejection(text)).toBe("CLOSE_TIMEOUT");
  expect(await closed).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
});

test("an upload continues until it is sent, and the response body is not awaited", async () => {
  const { connection, sender, peer } = await dial();
  let open!: () => void;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const sent = sender.sendRequest({
    ...POST,
    headers: { "Host": "a.test", "Content-Length": 8 },
    body: (async function* () {
      yield "four";
      await gate;
      yield "more";
    })(),
  });
  await peer.readUntil("four");
  await peer.send(UNREAD.chunks!);
  await sent;
  const closed = connection.close();
  await turns();
  expect(peer.ended).toBe(false);
  open();
  expect(await peer.readToEnd()).toBe("more");
  await peer.end();
  expect(await closed).toMatchObject({ kind: "closed" });
});

test("L1: if the io is awaited, the rest of the body is read before the io is returned", async () => {
  const { connection, sender, peer } = await dial();
  const parts = connection.withoutShutdown();
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(`${answer("200 OK", "Content-Length: 8")}four`);
  await sent;
  void connection.close();
  await peer.send("morenot HTTP's");
  const { readBuf } = await parts;
  expect(Buffer.from(readBuf).toString()).toBe("not HTTP's");
});

test("a server's close() does not wait for a request body that its service does not read", async () => {
  const [near, far] = memoryPair();
  const peer = new ScriptedPeer(far);
  const { connection } = await serveOn(near, async (request) => {
    void request.connection.close();
    return { status: 200, body: "done" };
  });
  await peer.send(`${head("POST /", "Content-Length: 4000")}four`);
  expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 200 .*Connection: close.*done$/s);
  await peer.end();
  expect(await connection.closed).toMatchObject({ kind: "closed" });
});
