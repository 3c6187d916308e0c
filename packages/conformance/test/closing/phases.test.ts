import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, memoryPair, type TraceEvent, type TraceListener } from "@upgrade/core/io";
import { type ServerRequest, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";

async function both(trace: TraceListener, upgrades = false) {
  const [near, far] = memoryPair();
  const server = await serveOn(
    far,
    async (request) => {
      if (!upgrades) return { status: 204 };
      await request.switchTo("echo");
      return undefined;
    },
    { trace: () => trace },
  );
  const client = await connectTo(near, { trace: () => trace });
  return { client, server };
}

describe("the phase of a connection, and its transitions", () => {
  test("a clean end: both linger until the other side has ended", async () => {
    const moves: string[] = [];
    const { client, server } = await both(movesInto(moves));
    await client.sender.sendRequest(GET);
    expect([client.connection.phase, server.connection.phase]).toEqual(["http", "http"]);
    await client.connection.close();
    await server.connection.closed;
    expect([client.connection.phase, server.connection.phase]).toEqual(["down", "down"]);
    const way = ["http ended finishing", "finishing unwanted lingering", "lingering failed down"];
    expect(moves.sort()).toEqual([...way, ...way].sort());
  });

  test("a switch: the io is kept open until its parts are taken", async () => {
    const moves: string[] = [];
    const { client } = await both(movesInto(moves), true);
    const headers = { Host: "a", Connection: "Upgrade", Upgrade: "echo" };
    const parts = client.connection.withoutShutdown();
    await client.sender.sendRequest({ ...GET, headers });
    await parts;
    expect(client.connection.phase).toBe("released");
    const way = [
      "http switched switching",
      "switching quiet kept-open",
      "kept-open taken released",
    ];
    expect(moves.sort()).toEqual([...way, ...way].sort());
  });

  test("a trace that throws fails its connection", async () => {
    const closed = await closedWith(() => {
      throw new Error("mine");
    });
    expect(closed).toMatchObject({
      kind: "failed",
      error: { code: "CALLBACK_FAILED", cause: { message: "mine" } },
    });
  });

  test("a trace that rejects after the end changes nothing, and does not end the process", async () => {
    const closed = await closedWith((event) =>
      event.type === "closed" ? Promise.reject(new Error("mine")) : undefined,
    );
    expect(closed).toMatchObject({ kind: "switched" });
  });
});

function movesInto(moves: string[]): TraceListener {
  return (event) => {
    if (event.type === "moved") moves.push(`${event.from} ${event.cause} ${event.to}`);
  };
}

async function closedWith(trace: (event: TraceEvent) => unknown) {
  const [near, far] = memoryPair();
  const service = (request: ServerRequest<ByteStream>) => request.switchTo("x").then(() => {});
  const { connection } = await serveOn(far, service, { trace: () => trace as TraceListener });
  await near.write([
    Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
  ]);
  return connection.closed;
}
