// What a tool sees that watches the whole process through node:diagnostics_channel.

import diagnostics from "node:diagnostics_channel";
import { handshake as connectTo, type TracedExchange, upgrade } from "@upgrade/client";
import { Deferred, memoryPair, type TraceEvent } from "@upgrade/core/io";
import { type Service, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";

interface Published {
  readonly connection: { readonly role: string; readonly io: unknown };
  readonly event: TraceEvent;
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

function subscribedToEvents(): Published[] {
  const published: Published[] = [];
  const note = (message: unknown): void => void published.push(message as Published);
  diagnostics.subscribe("upgrade:trace", note);
  undo.push(() => diagnostics.unsubscribe("upgrade:trace", note));
  return published;
}

type Stage = "start" | "end" | "asyncStart" | "asyncEnd" | "error";

function subscribedToExchanges(role: string) {
  const stages: Stage[] = [];
  const exchanges = new Set<TracedExchange>();
  const note = (stage: Stage) => (message: unknown) => {
    const exchange = message as TracedExchange;
    if (exchange.role !== role) return;
    stages.push(stage);
    exchanges.add(exchange);
  };
  const subscribers = {
    start: note("start"),
    end: note("end"),
    asyncStart: note("asyncStart"),
    asyncEnd: note("asyncEnd"),
    error: note("error"),
  };
  const channel = diagnostics.tracingChannel("upgrade:exchange");
  channel.subscribe(subscribers);
  undo.push(() => channel.unsubscribe(subscribers));
  return { stages, exchanges };
}

async function get(service: Service<unknown>) {
  const [near, far] = memoryPair();
  await serveOn(far, service);
  const { sender, connection } = await connectTo(near);
  const response = await sender.sendRequest(GET);
  await response.body.text();
  await connection.close();
  return { near, far };
}

describe("the channel upgrade:trace", () => {
  test("has every event of every connection, without an option", async () => {
    const published = subscribedToEvents();
    const { near, far } = await get(() => ({ status: 200, body: "hi" }));
    for (const [role, io] of [
      ["client", near],
      ["server", far],
    ]) {
      const types = published
        .filter(({ connection }) => connection.role === role && connection.io === io)
        .map(({ event }) => event.type);
      expect(types).toEqual(
        expect.arrayContaining(["request", "response", "end-of-message", "moved", "closed"]),
      );
    }
  });

  test("has them beside the option trace, which gets them, too", async () => {
    const published = subscribedToEvents();
    const events: TraceEvent[] = [];
    const [near, far] = memoryPair();
    await serveOn(far, () => ({ status: 204 }));
    const { sender, connection } = await connectTo(near, {
      trace: () => (event) => events.push(event),
    });
    await sender.sendRequest(GET);
    await connection.close();
    expect(events.length).toBeGreaterThan(5);
    expect(
      published.filter(({ connection: { io } }) => io === near).map(({ event }) => event),
    ).toEqual(events);
  });

  test("has nothing of a connection that began before there was a subscriber", async () => {
    const [near, far] = memoryPair();
    await serveOn(far, () => ({ status: 204 }));
    const { sender } = await connectTo(near);
    const published = subscribedToEvents();
    await sender.sendRequest(GET);
    expect(published).toEqual([]);
  });
});

describe.each(["client", "server"])("the tracing channel upgrade:exchange, for a %s", (role) => {
  test("publishes one object for each exchange, from its request to the end of its response", async () => {
    const { stages, exchanges } = subscribedToExchanges(role);
    await get(() => ({ status: 200, body: "hi" }));
    expect(stages).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect([...exchanges]).toMatchObject([
      { role, request: { method: "GET", target: "/" }, response: { status: 200 } },
    ]);
  });

  test("ends a switch when HTTP ends, with the protocol", async () => {
    const { stages, exchanges } = subscribedToExchanges(role);
    const [near, far] = memoryPair();
    const { connection } = await serveOn(far, async (request) => {
      await request.switchTo("echo");
    });
    await upgrade(near, { target: "/", headers: { Host: "a" }, protocol: "echo" });
    await connection.closed;
    expect(stages).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect([...exchanges]).toMatchObject([{ protocol: "echo", response: { status: 101 } }]);
  });

  test("has nothing of an answer to a request that could not be read", async () => {
    const { stages } = subscribedToExchanges(role);
    const [near, far] = memoryPair();
    const { connection } = await serveOn(far, () => ({ status: 200 }));
    await near.write([Buffer.from("GET / HTTP/1.1\r\n\r\n")]);
    await near.closeWrite();
    await connection.closed;
    expect(Buffer.from((await near.read())!).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(stages).toEqual([]);
  });

  test("has the error of a connection that fails before the response", async () => {
    const { stages, exchanges } = subscribedToExchanges(role);
    const [near, far] = memoryPair();
    const called = new Deferred<void>();
    const { connection } = await serveOn(far, () => {
      called.resolve();
      return new Promise<never>(() => {});
    });
    const client = await connectTo(near);
    const response = client.sender.sendRequest(GET);
    response.catch(() => {});
    await called.promise;
    if (role === "client") client.connection.abort(new Error("enough"));
    else connection.abort(new Error("enough"));
    await Promise.all([client.connection.closed, connection.closed]);
    expect(stages).toEqual(["start", "end", "error", "asyncEnd"]);
    const [exchange] = [...exchanges];
    expect(exchange).toMatchObject({ error: { name: "ConnectionError" } });
    expect(exchange!.response).toBeUndefined();
  });
});
