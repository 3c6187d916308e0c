import { LocalProtocolError } from "@upgrade/core";
import { type ByteStream, Deferred, memoryPair } from "@upgrade/core/io";
import { type ServerRequest, type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
import { turns, watchQuiet } from "../../src/turns.ts";

const ok = (body: string) => `${answer("200 OK", `Content-Length: ${body.length}`)}${body}`;
const echo: Service<ByteStream> = ({ target }) => ({ status: 200, body: target });
const echoLater: Service<ByteStream> = async ({ target }) => ({ status: 200, body: target });
const SIXTEEN = Array.from({ length: 16 }, (_, i) => `/${i}`);

describe("the service", () => {
  test("is called for one request at a time, the next after the last byte of a response is sent", async () => {
    const log: string[] = [];
    const gates = [new Deferred<void>(), new Deferred<void>()];
    async function* body(n: number) {
      yield "a";
      await gates[n]!.promise;
      log.push(`end ${n}`);
    }
    const { peer } = await serve(({ target }) => {
      log.push(`call ${target}`);
      return { status: 200, body: body(Number(target.slice(1))) };
    });
    await peer.send(head("GET /0") + head("GET /1"));
    await peer.readUntil("1\r\na\r\n");
    await turns();
    expect(log).toEqual(["call /0"]);
    gates[0]!.resolve();
    await peer.readUntil("1\r\na\r\n");
    gates[1]!.resolve();
    await peer.readUntil("0\r\n\r\n");
    expect(log).toEqual(["call /0", "end 0", "call /1", "end 1"]);
  });

  test.each([
    ["at once", echo],
    ["with a promise", echoLater],
  ])("sixteen pipelined requests, answered %s, in order and in one write", async (_, service) => {
    const { peer, connection } = await serve(service);
    await peer.send(SIXTEEN.map((target) => head(`GET ${target}`)).join(""));
    await peer.readUntil("/15");
    await turns();
    expect(peer.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual([
      SIXTEEN.map(ok).join(""),
    ]);
    expect(connection.stats.requests).toBe(16);
  });

  test("head and body are sent in one write, even if the service is slow", async () => {
    const gate = new Deferred<void>();
    const { peer } = await serve(async () => {
      await gate.promise;
      return { status: 200, body: new Uint8Array([0xff, 0x00]) };
    });
    await peer.send(head("GET /"));
    await turns();
    gate.resolve();
    await peer.readUntil("\xff\x00");
    expect(peer.chunks).toHaveLength(1);
  });

  const failures: [string, Service<ByteStream>, string][] = [
    [
      "throws",
      () => {
        throw new Error("boom");
      },
      "boom",
    ],
    ["rejects", () => Promise.reject(new Error("boom")), "boom"],
    ["throws undefined", () => Promise.reject(undefined), "undefined"],
    ["returns nothing, and has not switched", () => {}, "NO_RESPONSE"],
    ["returns null", () => null as never, "NO_RESPONSE"],
    ["returns a string", () => "hello" as never, "INVALID_STATUS"],
    ["returns an invalid status", () => ({ status: 99 }), "INVALID_STATUS"],
    ["returns an interim status", () => ({ status: 103 }), "INVALID_STATUS"],
    ["returns a bad header", () => ({ status: 200, headers: { "a b": "c" } }), "INVALID_HEADER"],
    ["returns an invalid body", () => ({ status: 200, body: 7 as never }), "INVALID_BODY"],
    ["returns a body to 204", () => ({ status: 204, body: "x" }), "BODY_NOT_ALLOWED"],
    [
      "accepts what was not proposed",
      () => ({ status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } }),
      "NO_PROPOSAL",
    ],
    [
      "returns invalid trailers",
      () => ({ status: 200, body: "x", trailers: { "Content-Length": "1" } }),
      "INVALID_TRAILER",
    ],
  ];
  test.each(failures)(
    "that %s is a 500 with an empty body, and the connection persists",
    async (_, service, code) => {
      const { peer, reports } = await serve((request) =>
        request.target === "/good" ? { status: 200, body: "good" } : service(request),
      );
      await peer.send(head("GET /bad") + head("GET /good"));
      expect(await peer.readHead()).toBe(answer("500 Internal Server Error", "Content-Length: 0"));
      expect(await peer.readUntil("good")).toBe(ok("good"));
      expect(reports).toEqual([`service: ${code}`]);
    },
  );

  test("that throws after its head makes the failure visible: a reset, never an end", async () => {
    const { peer, reports, connection } = await serve((request) => {
      const iterate = async function* () {
        yield "some";
        await turns();
        throw new Error(`no more of ${request.target}`);
      };
      return { status: 200, body: iterate() };
    });
    await peer.send(head("GET /"));
    await peer.readUntil("4\r\nsome\r\n");
    await peer.failed();
    expect([peer.ended, peer.unread]).toEqual([false, ""]);
    expect(reports[0]).toBe("response: BODY_FAILED");
    expect(connection.closeReason).toMatchObject({ error: { code: "BODY_FAILED" } });
  });

  test("a response after a failure is reported to onError, and its body is released", async () => {
    const gate = new Deferred<void>();
    let canceled: unknown;
    const { peer, reports, connection } = await serve(async () => {
      await gate.promise;
      return {
        status: 200,
        body: new ReadableStream<Uint8Array>({
          cancel: () => {
            canceled = true;
          },
        }),
      };
    });
    await peer.send(head("GET /"));
    await turns();
    peer.reset();
    await connection.closed;
    gate.resolve();
    await turns();
    expect(reports).toEqual(["connection: TRANSPORT_FAILED", "service: NOT_SENT"]);
    expect(canceled).toBe(true);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("reporter");
      },
    ],
    ["rejects", () => Promise.reject(new Error("reporter"))],
  ])("L9: an onError that %s is harmless", async (_, onError) => {
    const quiet = watchQuiet();
    const { peer } = await serve(
      () => {
        throw new Error("boom");
      },
      { onError },
    );
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await quiet.settled()).toEqual([]);
    quiet.stop();
  });

  test("onError gets the peer's protocol errors, with the request they belong to", async () => {
    const reports: [unknown, string, string | undefined][] = [];
    const { peer } = await serve(({ body }) => body.bytes().then(() => ({ status: 200 })), {
      onError: (error, { phase, request }) =>
        reports.push([(error as { code: unknown }).code, phase, request?.target]),
    });
    await peer.send(`${head("POST /up", "Transfer-Encoding: chunked")}zz\r\n`);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 400 /);
    expect(reports).toEqual([
      ["MALFORMED_CHUNK", "body", "/up"],
      ["MALFORMED_CHUNK", "service", "/up"],
    ]);
  });

  test("maxRequests: the last response has close, and later requests are not served", async () => {
    const { peer, connection } = await serve(echo, { maxRequests: 2 });
    await peer.send(head("GET /a") + head("GET /b") + head("GET /c"));
    expect(await peer.readUntil("/a")).toBe(ok("/a"));
    expect(await peer.readToEnd()).toBe(
      `${answer("200 OK", "Content-Length: 2", "Connection: close")}/b`,
    );
    expect(connection.stats.requests).toBe(2);
    await peer.end();
    expect(await connection.closed).toMatchObject({ because: "maxRequests" });
  });

  test("request.connection is the connection, stats count both ways", async () => {
    let seen: ServerRequest<ByteStream>["connection"] | undefined;
    const { peer, connection } = await serve((request) => {
      seen = request.connection;
      return { status: 200 };
    });
    await peer.send(head("GET /"));
    const response = await peer.readHead();
    expect(seen).toBe(connection);
    expect(connection.stats).toEqual({
      bytesRead: head("GET /").length,
      bytesWritten: response.length,
      requests: 1,
    });
    expect(connection.state).toEqual({ client: "idle", server: "idle" });
  });
});

describe("L11: a bad request", () => {
  test("after valid ones is refused after their responses", async () => {
    const { peer } = await serve(echoLater);
    await peer.send(`${head("GET /1") + head("GET /2")}GET / HTTP/1.1\r\n\r\n`);
    expect(await peer.readToEnd()).toBe(
      ok("/1") + ok("/2") + answer("400 Bad Request", "Content-Length: 0", "Connection: close"),
    );
  });

  const bad: [number, string][] = [
    [400, head("GET /", "Content-Length: 5", "Transfer-Encoding: chunked")],
    [413, head("POST /", "Content-Length: 11")],
    [414, head(`GET /${"x".repeat(8_192)}`)],
    [417, head("POST /", "Content-Length: 5", "Expect: a-pony")],
    [431, head("GET /", `X: ${"x".repeat(16_384)}`)],
    [501, head("POST /", "Transfer-Encoding: gzip, chunked")],
    [505, "GET / HTTP/2.0\r\nHost: a.test\r\n\r\n"],
  ];
  test.each(bad)("gets %i and the end, and never reaches the service", async (status, bytes) => {
    let calls = 0;
    const { peer, connection } = await serve(
      () => {
        calls++;
        return { status: 200 };
      },
      { maxBodyBytes: 10 },
    );
    await peer.send(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    expect(await peer.readToEnd()).toMatch(
      new RegExp(
        `^HTTP/1\\.1 ${status} [^\\r]+\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n$`,
      ),
    );
    expect(calls).toBe(0);
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "failed", error: { status } });
  });
});

describe("sendInterim", () => {
  const interims = async (
    act: (request: ServerRequest<ByteStream>) => unknown,
    bytes = head("GET /"),
  ) => {
    let found: unknown;
    const { peer } = await serve((request) => {
      try {
        found = act(request);
      } catch (error) {
        found = (error as LocalProtocolError).code;
      }
      return { status: 204 };
    });
    await peer.send(bytes);
    await turns();
    return [found, peer.unread];
  };
  const done = answer("204 No Content");

  test("writes an interim response before the final one", async () => {
    const [found, bytes] = await interims(
      (request) => request.sendInterim(103, { Link: "</a.css>" }) && request.sendInterim(102),
    );
    expect(found).toBe(true);
    expect(bytes).toBe(
      answer("103 Early Hints", "Link: </a.css>") + answer("102 Processing") + done,
    );
  });

  test.each([101, 99, 200, 103.5, Number.NaN, "103" as unknown as number])(
    "throws for %o, and nothing is written",
    async (status) => {
      expect(await interims((request) => request.sendInterim(status))).toEqual([
        "INVALID_STATUS",
        done,
      ]);
    },
  );

  test("is false for a 100 that the client does not wait for or that was already sent", async () => {
    expect(await interims((request) => request.sendInterim(100))).toEqual([false, done]);
    const posted = `${head("POST /", "Content-Length: 1")}x`;
    expect(await interims((request) => request.sendInterim(100), posted)).toEqual([false, done]);
    const expecting = head("POST /", "Content-Length: 1", "Expect: 100-continue");
    const [first, bytes] = await interims((request) => request.sendInterim(100), expecting);
    expect([first, bytes]).toEqual([true, answer("100 Continue") + done]);
    const [second] = await interims((r) => r.sendInterim(100) && r.sendInterim(100), expecting);
    expect(second).toBe(false);
  });

  test("drops Connection and the fields it names, since an interim response ends nothing", async () => {
    const headers = {
      "Link": "</a>",
      "connection": "close, X-Hop",
      "X-Hop": "1",
      "Keep-Alive": "5",
    };
    const [found, bytes] = await interims((request) => request.sendInterim(103, headers));
    expect([found, bytes]).toEqual([true, answer("103 Early Hints", "Link: </a>") + done]);
  });

  test("is false for an HTTP/1.0 client, which gets nothing, but checks its arguments", async () => {
    const old = "GET / HTTP/1.0\r\n\r\n";
    expect(await interims((request) => request.sendInterim(103), old)).toEqual([
      false,
      answer("204 No Content", "Connection: close"),
    ]);
    expect(await interims((request) => request.sendInterim(100), old)).toEqual([
      false,
      answer("204 No Content", "Connection: close"),
    ]);
    for (const status of [101, 200, 100.5, NaN, "103"] as number[]) {
      const [found] = await interims((request) => request.sendInterim(status), old);
      expect(found).toBe("INVALID_STATUS");
    }
    const [found] = await interims((request) => request.sendInterim(103, { A: "b\r\nC: d" }), old);
    expect(found).toBe("INVALID_HEADER");
  });

  test("throws after the final head", async () => {
    const late = new Deferred<unknown>();
    const { peer } = await serve((request) => {
      setImmediate(() => {
        late.resolve(standing(Promise.resolve().then(() => request.sendInterim(103))));
      });
      return { status: 200 };
    });
    await peer.send(head("GET /"));
    expect(await late.promise).toBe("WRONG_MOMENT");
  });

  test("L10: an invalid header is refused, and nothing is written", async () => {
    expect(
      await interims((request) => request.sendInterim(103, { "X": "a\r\nInjected: b" })),
    ).toEqual(["INVALID_HEADER", done]);
  });
});

test("L14: a 426 that names Upgrade gets the connection option that goes with it", async () => {
  const { peer } = await serve(() => ({ status: 426, headers: { Upgrade: "chat" } }));
  await peer.send(head("GET /"));
  expect(await peer.readHead()).toBe(
    answer("426 Upgrade Required", "Upgrade: chat", "Content-Length: 0", "Connection: Upgrade"),
  );
  await peer.send(head("GET /", "Connection: close"));
  expect(await peer.readHead()).toContain("\r\nConnection: Upgrade\r\nConnection: close\r\n");
});

describe("L14: the headers we add are", () => {
  const sent = async (service: Service<ByteStream>, request = head("GET /"), options = {}) => {
    const { peer } = await serve(service, options);
    await peer.send(request);
    return (await peer.readHead()).split("\r\n").slice(1, -2);
  };

  test("only framing, if the connection persists", async () => {
    expect(await sent(() => ({ status: 200, body: "x" }))).toEqual(["Content-Length: 1"]);
    expect(await sent(() => ({ status: 200, body: ["x"] }))).toEqual([
      "Transfer-Encoding: chunked",
    ]);
    expect(await sent(() => ({ status: 200 }))).toEqual(["Content-Length: 0"]);
    expect(await sent(() => ({ status: 204 }))).toEqual([]);
    expect(await sent(() => ({ status: 304 }))).toEqual([]);
  });

  test("no framing if the caller wrote it", async () => {
    const headers = [
      ["A", "1"],
      ["content-LENGTH", "1"],
      ["B", "2"],
    ] as const;
    expect(await sent(() => ({ status: 200, headers, body: "x" }))).toEqual([
      "A: 1",
      "content-LENGTH: 1",
      "B: 2",
    ]);
  });

  test("Date, unless it is given or disabled", async () => {
    const on = { date: true };
    const [, date] = await sent(() => ({ status: 200 }), head("GET /"), on);
    expect(date).toMatch(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    const headers = { date: "yesterday" };
    expect(await sent(() => ({ status: 204, headers }), head("GET /"), on)).toEqual([
      "date: yesterday",
    ]);
    expect(await sent(() => ({ status: 204 }), head("GET /"), { date: false })).toEqual([]);
  });

  test("Connection: close on its own line, with the caller's lines verbatim", async () => {
    const headers = [
      ["connection", "X-Hop"],
      ["X-Hop", "1"],
    ] as const;
    expect(
      await sent(() => ({ status: 204, headers }), head("GET /", "Connection: close")),
    ).toEqual(["connection: X-Hop", "X-Hop: 1", "Connection: close"]);
    const closing = { Connection: "CLOSE" };
    expect(await sent(() => ({ status: 204, headers: closing }))).toEqual(["Connection: CLOSE"]);
  });
});

test("L9: a handshake on an invalid io rejects with the reason, and touches nothing", async () => {
  const { io, options } = { io: memoryPair()[0], options: { maxHeaders: -1 } };
  expect(await rejection(serveOn({} as never, echo))).toBe("INVALID_IO");
  expect(await rejection(serveOn(io, echo, options))).toBe("INVALID_OPTION");
  await expect(serveOn(null as never, echo)).rejects.toBeInstanceOf(LocalProtocolError);
});
