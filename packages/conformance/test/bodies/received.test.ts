import { describe, expect, test } from "vitest";
import { received, response, serve } from "../../src/ends.ts";
import { answer, GET, head, latin1 } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const CHUNKED = "Transfer-Encoding: chunked";

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
