// What the option `trace` tells of switches, refusals and tunnels.

import { connect, upgrade } from "@upgrade/client";
import { type ByteStream, memoryPair, tunnel } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { served, story } from "../../src/traces.ts";

describe("the trace of a switch", () => {
  const accepting: Service<ByteStream> = async (request) => {
    const parts = await request.switchTo("echo", { firstBytes: "welcome" });
    await parts.io.closeWrite();
  };

  test("ends with the parts: who took them, and how many early bytes they hold", async () => {
    const { near, client, server, connection } = await served(accepting);
    const result = await upgrade(
      near,
      { target: "/", headers: { Host: "a" }, protocol: "echo" },
      { trace: client.trace },
    );
    await connection.closed;
    if (!result.switched) throw new Error("refused");
    expect(story(client.events)).toEqual([
      ["request", 1, "GET", "/"],
      ["end-of-message", 1, "request", 0],
      ["response", 1, 101],
      ["switched", 1, "upgrade", "echo"],
      ["closed", "switched"],
      ["taken", "intoParts", result.readBuf.length],
    ]);
    expect(story(server.events)).toEqual([
      ["request", 1, "GET", "/"],
      ["end-of-message", 1, "request", 0],
      ["response", 1, 101],
      ["switched", 1, "upgrade", "echo"],
      ["closed", "switched"],
      ["taken", "switchTo", 0],
    ]);
  });

  test("says that it was refused, and goes on", async () => {
    const { near, client, server } = await served(() => ({ status: 403, body: "no" }), {
      keepAliveAfterRefusal: true,
    });
    const result = await upgrade(
      near,
      { target: "/", headers: { Host: "a" }, protocol: "echo" },
      { trace: client.trace },
    );
    if (result.switched) throw new Error("switched");
    await result.response.body.text();
    await (await result.sender.sendRequest(GET)).body.text();
    for (const { events } of [client, server]) {
      expect(story(events)).toContainEqual(["refused", 1, 403]);
      expect(story(events)).toContainEqual(["request", 2, "GET", "/"]);
    }
  });

  test("goes on to the end of a tunnel over the parts, whichever side they are", async () => {
    const [inner, outer] = memoryPair();
    const { near, client, server } = await served(async (request) => {
      await tunnel(request.switchTo(), outer);
    });
    const result = await connect(near, "b.test:1", { trace: client.trace });
    if (!result.switched) throw new Error("refused");
    const [app, side] = memoryPair();
    const over = tunnel(side, result.parts);
    await app.write([Buffer.from("12345")]);
    await app.closeWrite();
    await read(inner);
    await inner.write([Buffer.from("abc")]);
    await inner.closeWrite();
    await read(app);
    await over;
    expect(story(client.events).at(-1)).toEqual(["tunnel-ended", 5, 3, "other"]);
    expect(story(server.events).at(-1)).toEqual(["tunnel-ended", 3, 5, "this"]);
    expect(story(server.events)).toContainEqual(["switched", 1, "connect", "b.test:1"]);
  });

  test("says that a signal ended a tunnel", async () => {
    const stop = new AbortController();
    const { near, server } = await served(async (request) => {
      await tunnel(request.switchTo(), memoryPair()[0], { signal: stop.signal });
    });
    await connect(near, "b.test:1");
    stop.abort();
    const end = server.events.find(({ type }) => type === "tunnel-ended");
    expect(end).toMatchObject({ endedBy: "signal", error: { code: "ABORTED" } });
  });

  test("has the error of a tunnel that failed", async () => {
    const { near, server } = await served(async (request) => {
      await tunnel(request.switchTo(), Promise.reject(new Error("no route")));
    });
    await connect(near, "b.test:1").catch(() => {});
    const end = server.events.find(({ type }) => type === "tunnel-ended");
    expect(end).toMatchObject({ endedBy: "other", error: { cause: { message: "no route" } } });
  });
});

async function read(io: ByteStream): Promise<void> {
  while ((await io.read()) !== null);
}
