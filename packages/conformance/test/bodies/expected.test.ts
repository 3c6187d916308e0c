import { type ByteStream, Deferred } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, received, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

describe("Expect: 100-continue, sent", () => {
  const headers = { Host: "a.test", Expect: "100-continue" };

  test.each([
    ["100-continue"],
    ["100-Continue, 100-continue"],
    [",100-continue,"],
    ["", "100-continue"],
  ])("the body waits for the expected 100: %j %j", async (...values) => {
    const { peer, sender } = await dial();
    const list = values.map((value) => ["Expect", value] as const);
    const lines = list.map(([name, value]) => `\r\n${name}: ${value}`).join("");
    const pending = sender.sendRequest({
      ...POST,
      headers: [["Host", "a.test"], ...list],
      body: "now",
    });
    expect(await peer.readHead()).toBe(
      head("POST /").replace("\r\n\r\n", `${lines}\r\nContent-Length: 3\r\n\r\n`),
    );
    await turns();
    expect(peer.unread).toBe("");
    await peer.send(answer("100 Continue"));
    expect(await peer.read(3)).toBe("now");
    await peer.send(answer("204 No Content"));
    expect((await pending).status).toBe(204);
  });

  test("an empty list does not hold the body back", async () => {
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...POST, headers: { Host: "a.test", Expect: "," }, body: "now" });
    expect(await peer.readUntil("now")).toContain("Expect: ,\r\n");
  });

  test.each(["200 OK", "417 Expectation Failed"])(
    "a final %s while waiting: the body is neither sent nor touched, and the connection is not reused",
    async (status) => {
      const { peer, sender, clock, connection } = await dial();
      let touched = false;
      let canceled = false;
      const body = new ReadableStream<Uint8Array>(
        {
          pull: () => {
            touched = true;
          },
          cancel: () => {
            canceled = true;
          },
        },
        { highWaterMark: 0 },
      );
      const pending = sender.sendRequest({ ...POST, headers, body });
      await peer.readHead();
      await peer.send(`${answer(status, "Content-Length: 2")}no`);
      expect(await (await pending).body.text()).toBe("no");
      clock.advance(1_000);
      expect(await peer.readToEnd()).toBe("");
      expect([touched, canceled, sender.isClosed]).toEqual([false, true, true]);
      await peer.end();
      expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
    },
  );

  test("a 101 while the body is withheld is a protocol error", async () => {
    const { peer, sender } = await dial();
    const proposing = { ...headers, Connection: "Upgrade", Upgrade: "chat" };
    const pending = sender.sendRequest({ ...POST, headers: proposing, body: "now" });
    await peer.readHead();
    await peer.send(answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat"));
    expect(await rejection(pending)).toBe("UNEXPECTED_SWITCH");
    await peer.failed();
  });

  test("is sent only with a body", async () => {
    const { sender } = await dial();
    expect(await rejection(sender.sendRequest({ ...GET, headers }))).toBe("INVALID_HEADER");
  });

  test("a second 100 changes nothing", async () => {
    const { peer, sender } = await dial();
    const gate = new Deferred<number>();
    const pending = sender.sendRequest(
      { ...POST, headers, body: "now" },
      { onInterim: ({ status }) => gate.resolve(status) },
    );
    await peer.readHead();
    await peer.send(answer("100 Continue").repeat(2));
    expect([await gate.promise, await peer.read(3)]).toEqual([100, "now"]);
    await peer.send(answer("204 No Content"));
    await pending;
    expect(sender.isReady).toBe(true);
  });
});

describe("Expect: 100-continue, received", () => {
  const expecting = head("POST /", "Content-Length: 3", "Expect: 100-continue");

  test("reading the body sends a 100, once", async () => {
    const { peer, found } = await received(expecting, ({ body }) => body.text());
    expect(await peer.readHead()).toBe(answer("100 Continue"));
    await peer.send("a");
    await turns();
    await peer.send("bc");
    expect(await peer.readHead()).toBe(answer("204 No Content"));
    expect(found.value).toBe("abc");
  });

  test("reading the body in any way sends it", async () => {
    const ways: ((request: ServerRequest<ByteStream>) => Promise<unknown>)[] = [
      ({ body }) => body.bytes(),
      ({ body }) => body[Symbol.asyncIterator]().next(),
      ({ body }) => (body.stream() as ReadableStream).getReader().read(),
    ];
    for (const read of ways) {
      const { peer } = await received(expecting, read);
      expect(await peer.readHead()).toBe(answer("100 Continue"));
    }
  });

  test("a response without reading sends no 100, drains nothing and closes", async () => {
    for (const status of [204, 417]) {
      const { peer } = await serve(async () => ({ status }));
      await peer.send(expecting);
      const got = await peer.readToEnd();
      expect(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(got).toContain("\r\nConnection: close\r\n");
    }
  });

  test("L13: a body read after the final head gets no 100, and is not awaited forever", async () => {
    const { peer, connection, clock } = await serve(({ body }) => ({ status: 200, body }));
    await peer.send(expecting);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n/);
    await turns();
    clock.advance(30_000);
    expect(await connection.closed).toMatchObject({ error: { code: "BODY_TIMEOUT" } });
    await peer.failed();
  });

  test("a client that sends its body without the 100 has it read after the final head", async () => {
    const { peer } = await serve(({ body }) => ({ status: 200, body }));
    await peer.send(expecting);
    await peer.readHead();
    await peer.send("abc");
    expect(await peer.readToEnd()).toBe("abc");
  });

  test("a body that has begun to arrive gets no 100, and the connection persists", async () => {
    for (const service of [
      ({ body }: ServerRequest<ByteStream>) => body.text().then(() => ({ status: 204 })),
      async () => ({ status: 204 }),
      () => ({ status: 204 }),
    ]) {
      const { peer } = await serve(service);
      await peer.send(`${expecting}abc`);
      expect(await peer.readHead()).toBe(answer("204 No Content"));
      await peer.send(`${expecting}abc`);
      expect(await peer.readHead()).toBe(answer("204 No Content"));
    }
  });

  test("an HTTP/1.0 client's is ignored", async () => {
    const old = "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    const { peer, found } = await received(old, ({ body }) => body.text());
    await turns();
    expect(peer.unread).toBe("");
    await peer.send("abc");
    expect(await peer.readToEnd()).toBe(answer("204 No Content", "Connection: close"));
    expect(found.value).toBe("abc");
  });

  test("one without a body gets none", async () => {
    const { peer } = await received(head("GET /", "Expect: 100-continue"), ({ body }) =>
      body.text(),
    );
    expect(await peer.readHead()).toBe(answer("204 No Content"));
  });
});
