import http from "node:http";
import { memoryPair } from "@upgrade/core/io";
import { reverseProxy } from "@upgrade/proxy";
import { expect, test } from "vitest";
import { casesOf } from "../../fuzz/comparison.ts";
import { readSeeds, type Seed } from "../../fuzz/corpus.ts";
import { nodeParser } from "../../fuzz/peers.ts";
import { serve } from "../../src/ends.ts";
import { latin1 } from "../../src/messages.ts";
import { duplexPair } from "../../src/pairs/pairs.ts";
import { proxied } from "../../src/proxying/proxied.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const seeds = readSeeds(new URL("../../fixtures/", import.meta.url));
const node = nodeParser();

/** The stories' inputs for this role, and mutations of them. */
function inputs(role: Seed["situation"]["role"], mutations: number): Seed[] {
  const ofRole = seeds.filter(({ situation }) => situation.role === role);
  return [...casesOf(ofRole, mutations, 9_110)];
}

/** What a client's octets become: what the proxy passes on, and what node:http makes of it. */
async function pass(octets: string) {
  const passed: string[] = [];
  const seen: string[] = [];
  const written: string[] = [];
  const faults: string[] = [];
  const origin = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    request.resume().on("error", () => {});
    response.end();
  });
  origin.on("upgrade", (request, socket) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  origin.on("clientError", (error: Error & { code?: string }, socket) => {
    faults.push(error.code ?? error.message);
    socket.destroy();
  });
  const proxy = reverseProxy({
    protocols: ["websocket", "x"],
    dial: () => {
      const [near, far] = duplexPair();
      const at = written.push("") - 1;
      const write = near.write.bind(near) as (...given: unknown[]) => boolean;
      near.write = (chunk: unknown, ...rest: unknown[]) => {
        written[at] += latin1(typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Buffer));
        return write(chunk, ...rest);
      };
      origin.emit("connection", far);
      return near;
    },
    origin: ({ method, target }) => {
      passed.push(`${method} ${target}`);
      return "";
    },
  });
  const { peer } = await serve(proxy);
  await peer.send(octets);
  await turns(8);
  await peer.end();
  await turns(8);
  peer.reset();
  await proxy.close();
  origin.close();
  return { passed, seen, written, faults };
}

test("whatever a client sends, the origin sees the requests that the proxy meant, and no others", async () => {
  let count = 0;
  for (const { text, situation } of inputs("server", 1_500)) {
    const { passed, seen, written, faults } = await pass(text);
    const context = JSON.stringify({ text, passed, seen, written, faults });
    count += seen.length;
    // The proxy asks for one response at a time, so the origin sees them in order; the last may be cut.
    expect(seen.length, context).toBeLessThanOrEqual(passed.length);
    for (const [i, request] of seen.entries()) {
      const [method, target = ""] = passed[i]!.split(" ");
      expect(request.split(" ")[0], context).toBe(method);
      const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
      expect(request.split(" ")[1], context).toContain(path);
    }
    // Cut off is one thing, malformed another.
    expect(
      faults.filter((code) => !/^(?:HPE_INVALID_EOF_STATE|ECONNRESET|reset)$/.test(code)),
      context,
    ).toEqual([]);
    for (const bytes of written) {
      const { refused } = await node.observe(bytes, { ...situation, role: "server" });
      expect(refused, context).toBe("");
      expect(bytes, context).not.toMatch(/content-length:[\s\S]*transfer-encoding:[^\r]*\r\n\r\n/i);
    }
  }
  expect(count).toBeGreaterThan(200);
}, 300_000);

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

test("whatever an upstream sends, the client gets one response to its request", async () => {
  const asks = { method: "GET", offers: [], last: false, withheld: false };
  let answered = 0;
  for (const { text, situation } of inputs("client", 1_500)) {
    const { client, upstream, another } = await proxied();
    await client.send(GET);
    const origin = await upstream();
    await origin.readHead();
    await origin.send(text).catch(() => {});
    await turns(4);
    await origin.end().catch(() => {});
    await turns(4);
    const got = client.unread;
    const context = JSON.stringify({ text, got });
    if (got.startsWith("HTTP/1.1 ")) answered++;
    const read = await node.observe(got, { ...situation, role: "client", asks: [asks] });
    // Extra octets after the one response would be read as another.
    const finals = read.bodies.length;
    const interim = got.match(/^HTTP\/1\.1 1[0-9][0-9] /gm)?.length ?? 0;
    expect(finals - interim, context).toBeLessThanOrEqual(1);
    // No one else gets what is left over.
    const next = await another();
    await next.send(GET);
    await turns(4);
    expect(next.unread, context).toBe("");
    client.reset();
    next.reset();
  }
  expect(answered).toBeGreaterThan(100);
}, 300_000);

test("a request in the body of another is only a body", async () => {
  const [near, far] = memoryPair();
  const origin = new ScriptedPeer(far);
  const proxy = reverseProxy({ dial: () => near });
  const { peer } = await serve(proxy);
  const inner = "GET /admin HTTP/1.1\r\nHost: b.test\r\n\r\n";
  await peer.send(
    `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  );
  const sent = await origin.readUntil(inner);
  const read = await node.observe(sent, { ...seeds[0]!.situation, role: "server" });
  expect(read).toMatchObject({ complete: 1, bodies: [inner], refused: "" });
});
