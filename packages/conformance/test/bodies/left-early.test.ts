import { type ByteStream, Deferred } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, received, response, serve } from "../../src/ends.ts";
import { answer, GET, head, latin1, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const NOTHING = new Uint8Array(0);

describe("a body", () => {
  test("that was drained unread is empty afterwards", async () => {
    const seen = new Deferred<ServerRequest<ByteStream>>();
    const { peer } = await serve((request) => {
      seen.resolve(request);
      return { status: 200 };
    });
    await peer.send(`${head("POST /", "Content-Length: 10")}12345`);
    await peer.readHead();
    const request = await seen.promise;
    const late = request.body.bytes();
    await peer.send("67890");
    expect(await late).toEqual(NOTHING);
  });

  test("canceled twice is drained once, and both calls settle", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 6")}123`);
    const { body } = await pending;
    const both = Promise.all([body.cancel(), body.cancel()]);
    await peer.send("456");
    expect(await both).toEqual(["drained", "drained"]);
  });

  test("left early by a second reader still belongs to the first", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 3")}123`);
    const { body } = await pending;
    const first = body[Symbol.asyncIterator]();
    await body[Symbol.asyncIterator]().return!();
    expect(latin1((await first.next()).value!)).toBe("123");
  });

  test("queued beyond the limit is read further once enough of it was consumed", async () => {
    const { peer, sender } = await dial({ readAheadBytes: 5 });
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(answer("200 OK", "Transfer-Encoding: chunked"));
    await peer.send("2\r\nab\r\n6\r\ncdefgh\r\n1\r\ni\r\n0\r\n\r\n");
    const { body } = await pending;
    await turns();
    expect(await body.text()).toBe("abcdefghi");
  });

  test("whose producer fails when it is stopped reports nothing", async () => {
    const unhandled = watchUnhandled();
    const { peer, sender } = await dial();
    const maker = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => Promise.reject(new Error("it will not stop")),
      }),
    };
    const pending = sender.sendRequest({ ...POST, body: maker });
    await peer.readHead();
    peer.reset();
    expect(await rejection(pending)).toBe("TRANSPORT_FAILED");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

const CHUNKED = "Transfer-Encoding: chunked";

describe("leaving a body early", () => {
  test("by cancel() drains the rest, and the connection persists", async () => {
    const {
      peer,
      sender,
      response: got,
    } = await response(`${answer("200 OK", "Content-Length: 8")}1234`);
    let seen = "";
    const reading = (async () => {
      for await (const chunk of got.body) {
        seen = latin1(chunk);
        break;
      }
    })();
    await turns();
    await peer.send("5678");
    await reading;
    expect([seen, sender.isReady, await got.body.cancel()]).toEqual(["1234", true, "drained"]);
  });

  test("drains exactly maxDrainBytes; beyond that the connection ends", async () => {
    for (const [length, how] of [
      [10, "drained"],
      [11, "closed"],
    ] as const) {
      const {
        peer,
        sender,
        response: got,
      } = await response(answer("200 OK", `Content-Length: ${length}`), { maxDrainBytes: 10 });
      const canceled = got.body.cancel();
      await peer.send("x".repeat(length));
      expect(await canceled).toBe(how);
      expect(sender.isClosed).toBe(how === "closed");
    }
  });

  test("by cancel() leaves it empty for later readers", async () => {
    const { peer, response: got } = await response(`${answer("200 OK", CHUNKED)}2\r\nok\r\n`);
    const canceled = got.body.cancel();
    await peer.send("0\r\n\r\n");
    expect(await canceled).toBe("drained");
    expect(await rejection(got.body.text())).toBe("BODY_USED");
  });

  test("by canceling its stream cancels the body", async () => {
    const { peer, sender, response: got } = await response(answer("200 OK", "Content-Length: 2"));
    const canceled = (got.body.stream() as ReadableStream).cancel();
    await peer.send("ok");
    await canceled;
    expect(sender.isReady).toBe(true);
  });

  test("on the server drains it, or the response has close and nothing more is read", async () => {
    const long = await received(
      head("POST /", "Content-Length: 1000"),
      ({ body }) => body.cancel(),
      { maxDrainBytes: 10, readAheadBytes: 10 },
    );
    for (let i = 0; i < 10; i++) void long.peer.send("x".repeat(20));
    expect(await long.peer.readToEnd()).toBe(answer("204 No Content", "Connection: close"));
    expect(long.found.value).toBe("closed");
    const short = await received(`${head("POST /", "Content-Length: 3")}abc`, ({ body }) =>
      body.cancel(),
    );
    expect(await short.peer.readHead()).toBe(answer("204 No Content"));
    expect(short.found.value).toBe("drained");
  });

  test("too late to drain it does not read forever", async () => {
    const { peer, connection } = await received(
      head("POST /", "Content-Length: 1000000"),
      async ({ body }) => {
        await body.cancel();
        return new Promise(() => {});
      },
      { maxDrainBytes: 10 },
    );
    for (let i = 0; i < 100; i++) void peer.send("x".repeat(1_000)).catch(() => {});
    await turns(50);
    expect(connection.stats.bytesRead).toBeLessThan(10_000);
  });
});

describe("an unread request body", () => {
  test("is drained after the response, and the next request is served", async () => {
    const { peer } = await serve(() => ({ status: 204 }));
    const post = head("POST /", "Content-Length: 3");
    await peer.send(`${post}abc${head("GET /")}`);
    expect(await peer.readHead()).toBe(answer("204 No Content"));
    expect(await peer.readHead()).toBe(answer("204 No Content"));
  });

  test("longer than maxDrainBytes adds close to the response", async () => {
    const { peer } = await serve(() => ({ status: 204 }), { maxDrainBytes: 10 });
    await peer.send(head("POST /", "Content-Length: 11"));
    expect(await peer.readToEnd()).toBe(answer("204 No Content", "Connection: close"));
  });

  test("that is chunked and endless is abandoned at maxDrainBytes", async () => {
    const { peer, connection } = await serve(() => ({ status: 204 }), { maxDrainBytes: 10 });
    await peer.send(`${head("POST /", CHUNKED)}5\r\nhello\r\n`);
    expect(await peer.readHead()).toBe(answer("204 No Content"));
    await peer.send("5\r\nhello\r\n");
    await turns();
    expect(peer.ended).toBe(false);
    await peer.send("1\r\n!\r\n");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });
});

describe("L12 bounded: an unread body", () => {
  const unread = async (sent: number) => {
    const { peer, connection } = await serve(() => new Promise<never>(() => {}), {
      readAheadBytes: 100,
    });
    await peer.send(head("POST /", "Content-Length: 1000"));
    for (let i = 0; i < sent; i++) {
      void peer.send("0123456789").catch(() => {});
      await turns();
    }
    return connection.stats.bytesRead - head("POST /", "Content-Length: 1000").length;
  };

  test("is held up to readAheadBytes, and nothing more is read", async () => {
    expect(await unread(9)).toBe(90);
    expect(await unread(10)).toBe(100);
    expect(await unread(30)).toBe(100);
  });
});

describe("L12 bounded: an answered, unread body", () => {
  const answered = async (length: number) => {
    const { peer } = await serve(({ target }) => ({ status: 200, body: target }), {
      maxDrainBytes: 100,
    });
    await peer.send(head("POST /1", "Transfer-Encoding: chunked"));
    expect(await peer.readUntil("\r\n\r\n/1")).toMatch(/^HTTP\/1\.1 200 /);
    await peer.send(
      `${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\n\r\n${head("GET /2")}`,
    );
    await turns();
    return peer;
  };

  test("is drained for exactly maxDrainBytes, and the next request is answered", async () => {
    expect((await answered(100)).unread).toMatch(/^HTTP\/1\.1 200 .*\/2$/s);
  });

  test("one byte longer ends the connection", async () => {
    expect(await (await answered(101)).readToEnd()).toBe("");
  });
});

test("a body that has fully arrived is drained in the call that cancels it", async () => {
  const { peer, sender } = await dial({ readAheadBytes: 4 });
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(`${answer("200 OK", CHUNKED)}4\r\nfour\r\n4\r\nmore\r\n0\r\n\r\n`);
  const { body } = await sent;
  await turns();
  expect(sender.isReady).toBe(false);
  const canceled = body.cancel();
  expect(sender.isReady).toBe(true);
  expect(await canceled).toBe("drained");
});
