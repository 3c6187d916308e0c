import { type ByteStream, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { type Proxied, proxied } from "../../src/proxying/proxied.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const OK = `${answer("200 OK", "Content-Length: 2")}ok`;

/** One exchange. The upstream's connection is idle then. */
async function exchange(
  { client, upstream }: Proxied,
  origin?: ScriptedPeer,
): Promise<ScriptedPeer> {
  await client.send(head("GET /"));
  const peer = origin ?? (await upstream());
  await peer.readHead();
  await peer.send(OK);
  expect(await client.readUntil("ok")).toBe(OK);
  await turns();
  return peer;
}

describe("an idle connection to an upstream", () => {
  test("takes the next request, of any client", async () => {
    const all = await proxied();
    const origin = await exchange(all);
    await exchange(all, origin);
    const other = await all.another();
    await other.send(head("GET /other"));
    expect(await origin.readHead()).toBe(head("GET /other"));
    expect(all.dialed).toHaveLength(1);
  });

  test("takes none while its response is incomplete", async () => {
    const { client, upstream, another, dialed } = await proxied();
    await client.send(head("GET /1"));
    const first = await upstream();
    await first.readHead();
    await first.send(`${answer("200 OK", "Content-Length: 4")}ha`);
    await client.readUntil("ha");
    const other = await another();
    await other.send(head("GET /2"));
    const second = await upstream();
    expect(await second.readHead()).toBe(head("GET /2"));
    await first.send("lf");
    await client.readUntil("lf");
    await turns();
    await client.send(head("GET /3"));
    expect(await first.readHead()).toBe(head("GET /3"));
    expect(dialed).toHaveLength(2);
  });

  test("takes no request for another upstream", async () => {
    const all = await proxied({ origin: ({ headers }) => headers.get("x-to") ?? "a" });
    await exchange(all);
    await all.client.send(head("GET /b", "X-To: b"));
    expect(await (await all.upstream()).readHead()).toContain("GET /b");
    expect(all.dialed).toEqual(["a", "b"]);
  });

  test.each([
    ["bytes that nothing asked for", (origin: ScriptedPeer) => origin.send(OK)],
    ["its end", (origin: ScriptedPeer) => origin.end()],
    ["a reset", (origin: ScriptedPeer) => origin.reset()],
  ])("is ended by %s, and the next request has its own response", async (_, disturb) => {
    const all = await proxied();
    const origin = await exchange(all);
    await disturb(origin);
    await turns();
    const next = await exchange(all);
    expect(next).not.toBe(origin);
    expect(all.failures).toEqual([]);
  });

  test("is ended by what comes after its response, in one piece with it", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("GET /1"));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${OK}${answer("200 Poison", "Content-Length: 0")}`);
    expect(await client.readUntil("ok")).toBe(OK);
    await client.send(head("GET /2"));
    const next = await upstream();
    expect(await next.readHead()).toBe(head("GET /2"));
    await next.send(OK);
    expect(await client.readUntil("ok")).toBe(OK);
    expect(client.unread).toBe("");
  });

  test("is none after a response that closes, or that came before the end of the request", async () => {
    const all = await proxied();
    await all.client.send(head("GET /"));
    const closing = await all.upstream();
    await closing.readHead();
    await closing.send(answer("204 No Content", "Connection: close"));
    await all.client.readHead();
    const { client } = all;
    await client.send(`${head("POST /", "Content-Length: 4")}ha`);
    const early = await all.upstream();
    await early.readUntil("ha");
    await early.send(answer("413 Content Too Large", "Content-Length: 0"));
    await client.readHead();
    const other = await all.another();
    await other.send(head("GET /"));
    await (await all.upstream()).readHead();
    expect(all.dialed).toHaveLength(3);
  });

  test("is none after a body that the client did not take", async () => {
    const all = await proxied();
    await all.client.send(head("GET /"));
    const origin = await all.upstream();
    await origin.readHead();
    await origin.send(`${answer("200 OK", "Content-Length: 4")}ha`);
    await all.client.readUntil("ha");
    all.client.reset();
    await origin.failed();
    const other = await all.another();
    await other.send(head("GET /"));
    await (await all.upstream()).readHead();
    expect(all.dialed).toHaveLength(2);
  });

  test("closes after idleMs, 4 seconds by default", async () => {
    const all = await proxied();
    const origin = await exchange(all);
    all.clock.advance(3_999);
    await turns();
    expect(origin.ended).toBe(false);
    all.clock.advance(1);
    expect(await origin.readToEnd()).toBe("");
    await exchange(all);
    expect(all.dialed).toHaveLength(2);
  });

  test("closes if there are more than maxIdle, the oldest first", async () => {
    const all = await proxied({ maxIdle: 1, origin: ({ target }) => target });
    const order: string[] = [];
    for (const target of ["/1", "/2"]) {
      await all.client.send(head(`GET ${target}`));
      const origin = await all.upstream();
      await origin.readHead();
      await origin.send(OK);
      await all.client.readUntil("ok");
      await turns();
      if (target === "/1") void origin.readToEnd().then(() => order.push("closed"));
    }
    await all.client.send(head("GET /2"));
    await turns();
    expect([all.dialed, order]).toEqual([["/1", "/2"], ["closed"]]);
  });

  test("closes at once with maxIdle 0, and with close()", async () => {
    const none = await proxied({ maxIdle: 0 });
    expect(await (await exchange(none)).readToEnd()).toBe("");
    const all = await proxied();
    const origin = await exchange(all);
    await Promise.all([all.proxy.close(), origin.end()]);
    expect(await origin.readToEnd()).toBe("");
    const later = await exchange(all);
    expect(await later.readToEnd()).toBe("");
  });
});

/** An io that fails, once it is told to, before it is asked to write again. */
function brittle(): { io: ByteStream; peer: ScriptedPeer; fail(): void } {
  const [near, far] = memoryPair();
  let fail!: () => void;
  const broken = new Promise<never>((_, reject) => {
    fail = () => reject(new Error("gone"));
  });
  const io: ByteStream = {
    read: () => Promise.race([near.read(), broken]),
    write: (chunks) => near.write(chunks),
    closeWrite: () => near.closeWrite(),
    abort: (reason) => near.abort(reason),
  };
  return { io, peer: new ScriptedPeer(far), fail };
}

describe("a request that a reused connection did not take is sent again", () => {
  test.each([
    ["GET", true],
    ["PUT", true],
    ["POST", false],
    ["PATCH", false],
  ])("if it may be repeated: %s is %s", async (method, isRepeated) => {
    const first = brittle();
    const [near, far] = memoryPair();
    const ios = [first.io, near];
    const second = new ScriptedPeer(far);
    const all = await proxied({
      dial: () => ios.shift()!,
      forwarded: "forwarded",
      clientOf: ({ target }) => {
        // An idle connection has been taken for this request, and it is not written yet.
        if (target === "/again") first.fail();
        return { proto: "http" };
      },
    });
    await exchange(all, first.peer);
    await all.client.send(head(`${method} /again`, "Content-Length: 0"));
    if (isRepeated) {
      expect(await second.readHead()).toContain(`${method} /again `);
      await second.send(OK);
    }
    const status = isRepeated ? "200 OK" : "502 Bad Gateway";
    expect(await all.client.readHead()).toContain(`HTTP/1.1 ${status}\r\n`);
    expect([first.peer.unread, ios.length]).toEqual(["", isRepeated ? 0 : 1]);
  });

  test("but not once the upstream may have seen it", async () => {
    const all = await proxied();
    const origin = await exchange(all);
    await all.client.send(head("GET /"));
    await origin.readHead();
    origin.reset();
    expect(await all.client.readHead()).toContain("502 Bad Gateway");
    expect(all.dialed).toHaveLength(1);
  });

  test("and a new connection that fails is not tried again", async () => {
    const all = await proxied({ dial: () => Promise.reject(new Error("down")) });
    await all.client.send(head("GET /"));
    expect(await all.client.readHead()).toContain("502 Bad Gateway");
    expect(all.failures).toEqual(["TRANSPORT_FAILED"]);
  });
});
