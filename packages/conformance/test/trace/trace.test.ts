// What the option `trace` tells of exchanges, and of connections that fail.

import { handshake as connectTo } from "@upgrade/client";
import type { ByteStream } from "@upgrade/core/io";
import { ManualClock, memoryPair, type Trace, type TraceEvent } from "@upgrade/core/io";
import { type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { served, story, type Told } from "../../src/traces.ts";

async function exchange(service: Service<ByteStream>, request: object = {}) {
  const { near, client, server } = await served(service);
  const { sender, connection } = await connectTo(near, { trace: client.trace });
  const response = await sender.sendRequest({ ...GET, ...request });
  await response.body.bytes();
  await connection.close();
  return { client: client.events, server: server.events };
}

const exchanged: readonly Told[] = [
  ["request", 1, "POST", "/"],
  ["end-of-message", 1, "request", 5],
  ["response", 1, 200],
  ["end-of-message", 1, "response", 3],
  ["closed", "closed"],
];

describe("the trace of an exchange", () => {
  test("has both heads, and both ends with the lengths of the bodies", async () => {
    const { client, server } = await exchange(
      async ({ body }) => ({ status: 200, body: (await body.text()).slice(2) }),
      { method: "POST", body: "hello" },
    );
    expect(story(client)).toEqual(exchanged);
    expect(story(server).slice(0, 4)).toEqual(exchanged.slice(0, 4));
  });

  test("counts a body of bytes, and knows the version of an old request", async () => {
    const { client, server } = await exchange(() => ({ status: 200, body: Buffer.alloc(70_000) }), {
      version: "1.0",
    });
    for (const events of [client, server]) {
      expect(events[0]).toMatchObject({ type: "request", version: "1.0" });
      expect(story(events)).toContainEqual(["end-of-message", 1, "response", 70_000]);
    }
  });

  test("counts a chunked body without its coding", async () => {
    const pieces = async function* () {
      yield "he";
      yield "llo";
    };
    const { client, server } = await exchange(() => ({ status: 200, body: pieces() }), {
      method: "POST",
      body: pieces(),
    });
    const ends = (events: TraceEvent[]) =>
      story(events).filter(([type]) => type === "end-of-message");
    expect(ends(client)).toEqual([
      ["end-of-message", 1, "request", 5],
      ["end-of-message", 1, "response", 5],
    ]);
    expect(ends(server)).toContainEqual(["end-of-message", 1, "response", 5]);
  });

  test("shows each head as it crossed: the same lines at both ends, those we added too", async () => {
    const { client, server } = await exchange(
      () => ({
        status: 404,
        reason: "Not Here",
        headers: [
          ["x-Ray", "1"],
          ["X-Ray", "2"],
        ],
        body: "no",
      }),
      {
        headers: [
          ["HOST", "a.test"],
          ["aCCept", "*/*"],
        ],
      },
    );
    for (const type of ["request", "response"]) {
      const [sent, received] = [client, server].map((events) => {
        const event = events.find((one) => one.type === type) as {
          headers: { toFlat(): string[] };
        };
        const { at: _, states: __, headers, ...start } = event as never as Record<string, unknown>;
        return { ...start, lines: (headers as { toFlat(): string[] }).toFlat() };
      });
      expect(sent).toEqual(received);
    }
    const response = client.find(({ type }) => type === "response") as {
      headers: { toFlat(): string[] };
    };
    expect(response).toMatchObject({ status: 404, reason: "Not Here", version: "1.1" });
    const names = response.headers.toFlat().filter((_, at) => at % 2 === 0);
    expect(names).toEqual(["x-Ray", "X-Ray", "Content-Length", "Date"]);
  });

  test("has interim responses, the states after each event, and the time by the clock", async () => {
    const clock = new ManualClock();
    clock.advance(41);
    const { near, client, server } = await served(
      async (request) => {
        request.sendInterim(103, { Link: "</a>" });
        clock.advance(1);
        return { status: 204 };
      },
      { clock },
    );
    const { sender } = await connectTo(near, { trace: client.trace });
    await sender.sendRequest(GET);
    const heads = server.events.map(({ type, at, states }) => [
      type,
      at,
      states.client,
      states.server,
    ]);
    expect(heads.slice(0, 3)).toEqual([
      ["request", 41, "send-body", "send-response"],
      ["interim-response", 41, "send-body", "send-response"],
      ["end-of-message", 42, "done", "send-response"],
    ]);
    expect(heads).toContainEqual(["response", 42, "done", "done"]);
    expect(story(client.events)).toContainEqual(["interim-response", 1, 103]);
  });

  test("is closed once, even if its parts are taken after its end", async () => {
    const { near, client } = await served(() => ({ status: 204 }));
    const { sender, connection } = await connectTo(near, { trace: client.trace });
    const parts = connection.withoutShutdown();
    await sender.sendRequest({ ...GET, headers: { Host: "a", Connection: "close" } });
    await parts;
    expect(story(client.events).slice(-2)).toEqual([
      ["closed", "not-persistent"],
      ["taken", "withoutShutdown", 0],
    ]);
    expect(client.events.filter(({ type }) => type === "closed")).toHaveLength(1);
  });

  test("numbers pipelined exchanges", async () => {
    const { near, client, server } = await served(({ target }) => ({ status: 200, body: target }));
    const { sender } = await connectTo(near, { trace: client.trace, pipeline: 3 });
    const targets = ["/1", "/2", "/3"];
    await Promise.all(
      targets.map(async (target) => {
        const response = await sender.sendRequest({ ...GET, target });
        await response.body.text();
      }),
    );
    for (const { events } of [client, server]) {
      const seen = story(events);
      expect(seen.filter(([type]) => type === "request").map(([, n]) => n)).toEqual([1, 2, 3]);
      expect(seen.filter(([type]) => type === "response").map(([, n]) => n)).toEqual([1, 2, 3]);
      expect(
        seen.filter(([type, , of]) => type === "end-of-message" && of === "response"),
      ).toHaveLength(3);
    }
  });

  test("is the same however the request is split", async () => {
    const text = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    const stories = new Set<string>();
    for (let at = 0; at < text.length; at++) {
      const { near, server, connection } = await served(async ({ body }) => {
        await body.bytes();
        return { status: 200 };
      });
      for (const piece of [text.slice(0, at), text.slice(at)])
        await near.write([Buffer.from(piece)]);
      await near.closeWrite();
      await connection.closed;
      stories.add(JSON.stringify(story(server.events)));
    }
    expect([...stories]).toEqual([
      JSON.stringify([
        ["request", 1, "POST", "/a"],
        ["end-of-message", 1, "request", 2],
        ["response", 1, 200],
        ["end-of-message", 1, "response", 0],
        ["closed", "not-persistent"],
      ]),
    ]);
  });
});

describe("the trace of a connection that fails", () => {
  test("has our error response, and the reason", async () => {
    const { near, server, connection } = await served(() => ({ status: 200 }));
    await near.write([Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]);
    await near.closeWrite();
    const reason = await connection.closed;
    expect(story(server.events)).toEqual([
      ["response", 1, 400],
      ["end-of-message", 1, "response", 0],
      ["closed", "failed"],
    ]);
    expect(server.events.at(-1)).toMatchObject({ reason });
  });

  test("names the deadline that passed", async () => {
    const clock = new ManualClock();
    const { near, server, connection } = await served(() => ({ status: 200 }), { clock });
    await near.write([Buffer.from("GET /")]);
    await settled();
    clock.advance(60_000);
    await settled();
    clock.advance(60_000);
    await near.abort(undefined);
    await connection.closed;
    expect(story(server.events).slice(0, 2)).toEqual([
      ["deadline", "head"],
      ["response", 1, 408],
    ]);
  });
});

async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
}

describe("the option trace", () => {
  test("is called for each connection, with its role and its io", async () => {
    const connections: unknown[] = [];
    const trace: Trace = (connection) => {
      connections.push(connection);
      return undefined;
    };
    const [near, far] = memoryPair();
    await serveOn(far, () => ({ status: 200 }), { trace });
    const { sender } = await connectTo(near, { trace });
    expect((await sender.sendRequest(GET)).status).toBe(200);
    expect(connections).toEqual([
      { role: "server", io: far },
      { role: "client", io: near },
    ]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
      { cause: { message: "mine" } },
    ],
    ["returns a promise", async () => () => {}, {}],
    ["returns an object", () => ({}), {}],
  ])("that %s rejects the handshake and leaves the io untouched", async (_, trace, detail) => {
    const [near, far] = memoryPair();
    const options = { trace: trace as unknown as Trace };
    const failed = { code: "CALLBACK_FAILED", ...detail };
    await expect(serveOn(far, () => ({ status: 200 }), options)).rejects.toMatchObject(failed);
    await expect(connectTo(near, options)).rejects.toMatchObject(failed);
    await near.write([Buffer.from("still here")]);
    expect(Buffer.from((await far.read())!).toString()).toBe("still here");
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
  ])("whose listener %s fails its own connection, at either end", async (_, listener) => {
    for (const broken of ["client", "server"]) {
      const options = { trace: () => listener as () => void };
      const [near, far] = memoryPair();
      const served = await serveOn(
        far,
        () => ({ status: 200 }),
        broken === "server" ? options : {},
      );
      const client = await connectTo(near, broken === "client" ? options : {});
      await client.sender.sendRequest(GET).catch(() => {});
      const { connection } = broken === "client" ? client : served;
      expect(await connection.closed).toMatchObject({
        kind: "failed",
        error: { code: "CALLBACK_FAILED", cause: { message: "mine" } },
      });
    }
  });

  test("must be a function", async () => {
    const trace = "yes" as unknown as Trace;
    const [near, far] = memoryPair();
    await expect(connectTo(near, { trace })).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(serveOn(far, () => undefined, { trace })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});
