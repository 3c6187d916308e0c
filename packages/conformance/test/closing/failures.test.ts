import { once } from "node:events";
import { handshake as connectTo } from "@upgrade/client";
import { afterEach, describe, expect, test } from "vitest";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { collect, serveTcp } from "../../src/pairs/serve-tcp.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

describe("L18: a failure looks like one:", () => {
  const failing: [string, (fail: (error: Error) => void, c: { abort(): void }) => void][] = [
    ["a body that throws", (fail) => fail(new Error("boom"))],
    ["an abort", (_, connection) => connection.abort()],
  ];

  test.each(failing)("%s in a close-delimited body is a reset", async (_, act) => {
    let fail!: (error: Error) => void;
    async function* body() {
      yield "some of it";
      await new Promise((_resolve, reject) => {
        fail = reject;
      });
    }
    const { far, connection } = await serveTcp(() => ({ status: 200, body: body() }));
    far.write("GET / HTTP/1.0\r\n\r\n");
    const [chunk] = (await once(far, "data")) as [Buffer];
    const seen = collect(far);
    act(fail, connection);
    expect(String(chunk)).toBe(`${answer("200 OK", "Connection: close")}some of it`);
    expect((await seen).how).toBe("ECONNRESET");
  });

  test("a deadline in the middle of a message is a reset", async () => {
    const { far, clock } = await serveTcp(({ body }) => ({ status: 200, body }));
    far.write(`${head("POST /", "Transfer-Encoding: chunked")}1\r\nx\r\n`);
    await once(far, "data");
    const seen = collect(far);
    await turns();
    clock.advance(30_000);
    expect((await seen).how).toBe("ECONNRESET");
  });

  test("a canceled request is a reset", async () => {
    const [near, far] = await tcpPair();
    const { sender } = await connectTo(near);
    const stop = new AbortController();
    const pending = sender.sendRequest(GET, { signal: stop.signal });
    await once(far, "data");
    const seen = collect(far);
    stop.abort();
    expect((await seen).how).toBe("ECONNRESET");
    expect(await rejection(pending)).toBe("CANCELED");
  });

  test("an upload that throws is a reset", async () => {
    const [near, far] = await tcpPair();
    const { sender } = await connectTo(near);
    let fail!: (error: Error) => void;
    async function* body() {
      yield "x";
      await new Promise((_resolve, reject) => {
        fail = reject;
      });
    }
    const pending = sender.sendRequest({ ...POST, body: body() });
    pending.catch(() => {});
    await once(far, "data");
    const seen = collect(far);
    fail(new Error("boom"));
    expect((await seen).how).toBe("ECONNRESET");
    expect(await rejection(pending)).toBe("BODY_FAILED");
  });

  test("an orderly end is not a reset", async () => {
    const { far, connection } = await serveTcp(() => ({ status: 200, body: ["all"] }));
    far.write("GET / HTTP/1.0\r\n\r\n");
    expect(await collect(far)).toEqual({
      seen: `${answer("200 OK", "Connection: close")}all`,
      how: "end",
    });
    far.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });
});
