import { SwitchRefused } from "@upgrade/client";
import { type ByteStream, Deferred, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns } from "../../src/turns.ts";

// Edge cases that hyper handles differently, or not at all, with our results.

const OFFER = ["Connection: Upgrade", "Upgrade: x"] as const;
const ACCEPTED = answer("101 Switching Protocols", ...OFFER);
const PROPOSED = { ...GET, headers: { Host: "a.test", Connection: "Upgrade", Upgrade: "x" } };
const CONNECT = { method: "CONNECT", target: "a.test:443", headers: { Host: "a.test:443" } };

describe("a client's switch", () => {
  test("X26: waits until the last byte of the request is sent", async () => {
    const { peer, sender, connection } = await dial();
    const gate = new Deferred<void>();
    async function* body() {
      yield "first";
      await gate.promise;
      yield "last";
    }
    const response = sender.sendRequest({ ...PROPOSED, method: "POST", body: body() });
    const parts = connection.withoutShutdown();
    await peer.readUntil("first\r\n");
    await peer.send(`${ACCEPTED}early`);
    expect((await response).status).toBe(101);
    expect(await stateOf(parts)).toBe("pending");
    gate.resolve();
    expect(Buffer.from((await parts).readBuf).toString()).toBe("early");
    expect(await peer.readUntil("0\r\n\r\n")).toBe("4\r\nlast\r\n0\r\n\r\n");
  });

  test("X25: two waiters get the same promise", async () => {
    const { peer, sender, connection } = await dial();
    void sender.sendRequest(CONNECT);
    const waits = [connection.withoutShutdown(), connection.withoutShutdown()] as const;
    expect(waits[0]).toBe(waits[1]);
    await peer.readHead();
    await peer.send(answer("200 OK"));
    expect((await waits[0]).switched?.kind).toBe("connect");
  });
});

describe("a server's switch", () => {
  test("X1: a refusal is reported at once, and the io never changes hands", async () => {
    const { peer, connection } = await serve(() => ({ status: 403 }));
    const parts = connection.withoutShutdown();
    await peer.send(`${head("GET /", ...OFFER)}early`);
    const refused = await parts.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SwitchRefused);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("X2: the rest of the request body is not part of the new protocol", async () => {
    const { peer, connection } = await serve(() => ({ status: 101, headers: OFFER_PAIRS }));
    const parts = connection.withoutShutdown();
    await peer.send(`${head("POST /", "Content-Length: 10", ...OFFER)}abc`);
    await turns();
    expect(peer.unread).toBe("");
    await peer.send("defghijnew");
    expect(Buffer.from((await parts).readBuf).toString()).toBe("new");
    expect(await peer.readHead()).toBe(ACCEPTED);
  });

  test("X3: the io is not released before its head is accepted, however slowly", async () => {
    const [near, far] = memoryPair();
    const gate = new Deferred<void>();
    const slow: ByteStream = {
      ...bareStream(near),
      write: (chunks) => gate.promise.then(() => near.write(chunks)),
    };
    const accepts = () => ({ status: 101, headers: OFFER_PAIRS });
    const { connection } = await serveOn(slow, accepts, { date: false });
    const peer = new ScriptedPeer(far);
    const parts = connection.withoutShutdown();
    await peer.send(head("GET /", ...OFFER));
    expect(await stateOf(parts)).toBe("pending");
    gate.resolve();
    expect((await parts).io).toBe(slow);
    expect(await peer.readHead()).toBe(ACCEPTED);
  });

  test("X4: a 101 keeps its connection option while the server is closing", async () => {
    const gate = new Deferred<void>();
    const { peer, connection } = await serve(async (request) => {
      await gate.promise;
      await request.switchTo("x");
    });
    await peer.send(head("GET /", ...OFFER));
    await turns();
    void connection.close();
    gate.resolve();
    expect(await peer.readHead()).toBe(ACCEPTED);
  });

  test.each([
    ["X9: a 101 without a proposal", head("GET /"), {}, "service: NO_PROPOSAL"],
    [
      "X19: a 101 with a length",
      head("GET /", ...OFFER),
      { "Content-Length": "5" },
      "service: INVALID_FRAMING",
    ],
  ])("%s is the service's fault: a 500, and no switch", async (_, bytes, extra, report) => {
    const headers = { Connection: "Upgrade", Upgrade: "x", ...extra };
    const { peer, reports } = await serve(() => ({ status: 101, headers }));
    await peer.send(bytes);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual([report]);
  });

  test("X13: a client that waits for a 100 gets it before the 101", async () => {
    const { peer } = await serve(async (request) => void (await request.switchTo("x")));
    await peer.send(head("POST /", "Content-Length: 2", "Expect: 100-continue", ...OFFER));
    expect(await peer.readHead()).toBe(answer("100 Continue"));
    await peer.send("ab");
    expect(await peer.readHead()).toBe(ACCEPTED);
  });

  test("X30: a client that has ended its side still gets its 101", async () => {
    const { peer, connection } = await serve(async (request) => {
      await turns();
      return { status: 101, headers: request.proposal && OFFER_PAIRS };
    });
    const parts = connection.withoutShutdown();
    await peer.send(head("GET /", ...OFFER));
    await peer.end();
    expect((await parts).switched?.protocol).toBe("x");
    expect(await peer.readHead()).toBe(ACCEPTED);
  });

  test("X31, X33: can be awaited in the service, and what follows is not HTTP", async () => {
    const taken = new Deferred<string>();
    const { peer } = await serve(async (request) => {
      const { readBuf } = await request.switchTo("x");
      taken.resolve(Buffer.from(readBuf).toString());
    });
    await peer.send(head("GET /", ...OFFER) + head("GET /next"));
    expect(await taken.promise).toBe(head("GET /next"));
  });

  test("X32: unclaimed is aborted, which is reported", async () => {
    const accepts = () => ({ status: 101, headers: OFFER_PAIRS });
    const { peer, clock, reports } = await serve(accepts, { claimMs: 5 });
    await peer.send(head("GET /", ...OFFER));
    await peer.readHead();
    await turns();
    clock.advance(5);
    await peer.failed();
    expect(reports).toEqual(["connection: SWITCH_UNCLAIMED"]);
  });
});

const OFFER_PAIRS = { Connection: "Upgrade", Upgrade: "x" };
