import { describe, expect, test } from "vitest";
import { dial, received, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const CHUNKED = "Transfer-Encoding: chunked";

/** A response to `GET /`, whose body is incomplete unless `bytes` end it. */
async function response(bytes: string, options = {}, request: Parameters<typeof sent>[0] = GET) {
  const client = await dial(options);
  const promise = sent(request);
  await client.peer.readHead();
  await client.peer.send(bytes);
  return { ...client, response: await promise };

  function sent(init: Parameters<typeof client.sender.sendRequest>[0]) {
    return client.sender.sendRequest(init);
  }
}

describe("a received body", () => {
  test("has the declared length, as bytes, text, JSON, stream and iteration", async () => {
    const json = '{"a":"\xc3\xa4"}';
    const bytes = answer("200 OK", `Content-Length: ${json.length}`) + json;
    const { response: first } = await response(bytes);
    expect(first.body.length).toBe(json.length);
    expect(latin1(await first.body.bytes())).toBe(json);
    expect(await (await response(bytes)).response.body.text()).toBe('{"a":"\u00e4"}');
    expect(await (await response(bytes)).response.body.json()).toEqual({ a: "\u00e4" });
    const stream = (await response(bytes)).response.body.stream() as ReadableStream<Uint8Array>;
    let streamed = "";
    for await (const chunk of stream) streamed += latin1(chunk);
    expect(streamed).toBe(json);
  });

  test("that is chunked has trailers, and no length", async () => {
    const { response: got } = await response(
      `${answer("200 OK", CHUNKED)}2;ext=1\r\nok\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n`,
    );
    expect(got.body.length).toBeUndefined();
    expect(await got.body.text()).toBe("ok");
    expect([...(await got.trailers)]).toEqual([
      ["X-Sum", "1"],
      ["x-sum", "2"],
    ]);
  });

  test("of a request has trailers, too", async () => {
    const { found, peer } = await received(
      `${head("POST /", CHUNKED)}2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n`,
      async ({ body, trailers }) => [await body.text(), [...(await trailers)]],
    );
    await peer.readHead();
    expect(found.value).toEqual(["ok", [["X-Sum", "1"]]]);
  });

  test("that is close-delimited ends with an end of file, and fails with a reset", async () => {
    const good = await response(`${answer("200 OK")}all`);
    await good.peer.end();
    expect(await good.response.body.text()).toBe("all");
    const bad = await response(`${answer("200 OK")}some`);
    const text = bad.response.body.text();
    await turns();
    bad.peer.reset();
    expect(await rejection(text)).toBe("TRANSPORT_FAILED");
  });

  test("that is truncated fails after the bytes received", async () => {
    for (const cut of [
      `${answer("200 OK", "Content-Length: 9")}four`,
      `${answer("200 OK", CHUNKED)}9\r\nfour`,
      `${answer("200 OK", CHUNKED)}4\r\nfour\r\n`,
      `${answer("200 OK", CHUNKED)}4\r\nfour\r\n0\r\n`,
    ]) {
      const { peer, response: got } = await response(cut);
      await peer.end();
      let text = "";
      const reading = (async () => {
        for await (const chunk of got.body) text += latin1(chunk);
      })();
      expect(await rejection(reading)).toBe("INCOMPLETE_MESSAGE");
      expect(text).toBe("four");
      expect(await rejection(got.trailers)).toBe("INCOMPLETE_MESSAGE");
    }
  });

  const bodiless: [string, string, { method: string }?][] = [
    ["to HEAD", answer("200 OK", "Content-Length: 5"), { method: "HEAD" }],
    ["in 204", answer("204 No Content")],
    ["in 304", answer("304 Not Modified", "Content-Length: 5")],
    ["of no length", answer("200 OK", "Content-Length: 0")],
  ];
  test.each(bodiless)("is empty %s, and the connection persists", async (_, bytes, init = GET) => {
    const { response: got, sender } = await response(bytes, {}, { ...GET, ...init });
    expect([got.body.length, await got.body.text(), sender.isReady]).toEqual([0, "", true]);
    expect([...(await got.trailers)]).toEqual([]);
  });

  test("has one reader: another gets BODY_USED", async () => {
    const { response: got } = await response(`${answer("200 OK", "Content-Length: 2")}ok`);
    const [first, second] = [got.body.text(), got.body.bytes()];
    expect([await first, await rejection(second)]).toEqual(["ok", "BODY_USED"]);
    expect(await rejection(got.body[Symbol.asyncIterator]().next())).toBe("BODY_USED");
    expect(await rejection((got.body.stream() as ReadableStream).getReader().read())).toBe(
      "BODY_USED",
    );
    expect(got.body.used).toBe(true);
  });

  test("accepts maxBytes, 1 MiB by default, and is then abandoned", async () => {
    const one = 1_048_576;
    const fits = await response(answer("200 OK", `Content-Length: ${one}`));
    void fits.peer.send("x".repeat(one));
    expect((await fits.response.body.bytes()).length).toBe(one);
    const over = await response(answer("200 OK", `Content-Length: ${one + 1}`));
    void over.peer.send("x".repeat(one + 1));
    expect(await rejection(over.response.body.bytes())).toBe("BODY_TOO_LARGE");
    const small = await response(`${answer("200 OK", "Content-Length: 3")}abc`);
    expect(await rejection(small.response.body.text({ maxBytes: 2 }))).toBe("BODY_TOO_LARGE");
    const exact = await response(`${answer("200 OK", "Content-Length: 3")}abc`);
    expect(await exact.response.body.text({ maxBytes: 3 })).toBe("abc");
  });
});

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

describe("L12: maxBodyBytes", () => {
  test("answers 413 from Content-Length before the service is called", async () => {
    const options = { maxBodyBytes: 4 };
    const fits = await received(
      `${head("POST /", "Content-Length: 4")}four`,
      ({ body }) => body.text(),
      options,
    );
    expect(await fits.peer.readHead()).toBe(answer("204 No Content"));
    expect(fits.found.value).toBe("four");
    const over = await received(`${head("POST /", "Content-Length: 5")}`, async () => {}, options);
    expect(await over.peer.readToEnd()).toMatch(/^HTTP\/1\.1 413 /);
    expect("value" in over.found).toBe(false);
  });

  test("answers 413 at the byte where a chunked body exceeds it", async () => {
    const { peer, found, connection } = await received(
      `${head("POST /", CHUNKED)}4\r\nfour\r\n`,
      ({ body }) => body.text(),
      { maxBodyBytes: 4 },
    );
    await turns();
    expect(connection.closeReason).toBeUndefined();
    await peer.send("1\r\n!");
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 413 /);
    expect(found.value).toBe("BODY_TOO_LARGE");
  });

  test("applies to the client, too", async () => {
    const options = { maxBodyBytes: 4 };
    await expect(response(answer("200 OK", "Content-Length: 5"), options)).rejects.toMatchObject({
      code: "BODY_TOO_LARGE",
    });
    const { response: got } = await response(`${answer("200 OK", CHUNKED)}5\r\nhello\r\n`, options);
    expect(await rejection(got.body.text())).toBe("BODY_TOO_LARGE");
  });
});

describe("a framing error in a request's body", () => {
  const broken = `${head("POST /", CHUNKED)}2\r\nok\r\n`;

  test("before the response: the iterator throws, the signal aborts, 400 is written at once", async () => {
    let signal: AbortSignal | undefined;
    const { peer, found } = await received(broken, async (request) => {
      signal = request.signal;
      return request.body.bytes();
    });
    await turns();
    await peer.send("zz\r\n");
    expect(await peer.readToEnd()).toBe(
      answer("400 Bad Request", "Content-Length: 0", "Connection: close"),
    );
    expect(found.value).toBe("MALFORMED_CHUNK");
    expect(signal?.reason).toMatchObject({ code: "MALFORMED_CHUNK" });
  });

  test("after the response head: the connection aborts", async () => {
    const { peer, connection } = await serve(({ body }) => ({ status: 200, body }));
    await peer.send(broken);
    await peer.readUntil("2\r\nok\r\n");
    await peer.send("zz\r\n");
    await peer.failed();
    expect([peer.ended, peer.unread]).toEqual([false, ""]);
    expect(connection.closeReason).toMatchObject({ error: { code: "MALFORMED_CHUNK" } });
  });

  test("in a response: the reader gets the error with its offset, and the peer sees a failure", async () => {
    const good = `${answer("200 OK", CHUNKED)}2\r\nok\r\n`;
    const { peer, response: got, sender } = await response(good);
    const text = got.body.text();
    await peer.send("zz\r\n");
    await expect(text).rejects.toMatchObject({
      code: "MALFORMED_CHUNK",
      phase: "body",
      offset: good.length,
    });
    await peer.failed();
    expect(sender.isClosed).toBe(true);
  });
});

describe("back-pressure", () => {
  test("of an unread body, at most readAheadBytes plus one chunk are read", async () => {
    const {
      peer,
      connection,
      response: got,
    } = await response(answer("200 OK", "Content-Length: 100000"), { readAheadBytes: 5_000 });
    const before = connection.stats.bytesRead;
    for (let i = 0; i < 100; i++) void peer.send("x".repeat(1_000));
    await turns(20);
    expect(connection.stats.bytesRead - before).toBe(5_000);
    expect((await got.body.bytes()).length).toBe(100_000);
  });

  test("a waiting reader gets each chunk as it arrives, uncopied", async () => {
    const { peer, response: got } = await response(answer("200 OK", "Content-Length: 4"));
    const iterator = got.body[Symbol.asyncIterator]();
    const first = iterator.next();
    expect(await standing(first)).toBe("pending");
    await peer.send("ab");
    expect(latin1((await first).value!)).toBe("ab");
    await peer.send("cd");
    expect(latin1((await iterator.next()).value!)).toBe("cd");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});
