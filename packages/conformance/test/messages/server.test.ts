import { type ByteStream, Deferred } from "@upgrade/core/io";
import type { ServerRequest, Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

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
    const unhandled = watchUnhandled();
    const { peer } = await serve(
      () => {
        throw new Error("boom");
      },
      { onError },
    );
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
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

describe("to an HTTP/1.0 client", () => {
  const received = async (service: Service<ByteStream>, ...fields: string[]) => {
    const { peer } = await serve(service);
    await peer.send(["GET / HTTP/1.0", ...fields, "", ""].join("\r\n"));
    await turns();
    return [peer.unread, peer.ended];
  };

  test("the connection ends after the response", async () => {
    expect(await received(() => ({ status: 200, body: "x" }))).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: close")}x`,
      true,
    ]);
  });

  test("it is kept alive if requested and the length is known", async () => {
    expect(await received(() => ({ status: 200, body: "x" }), "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Content-Length: 1", "Connection: keep-alive")}x`,
      false,
    ]);
  });

  test("an unknown length is close-delimited, even if keep-alive was requested", async () => {
    const service = () => ({ status: 200, body: ["a", "b"] });
    expect(await received(service, "Connection: keep-alive")).toEqual([
      `${answer("200 OK", "Connection: close")}ab`,
      true,
    ]);
  });

  test("trailers are not sent", async () => {
    const service = () => ({ status: 200, body: ["a"], trailers: { "X-Sum": "1" } });
    expect(await received(service)).toEqual([`${answer("200 OK", "Connection: close")}a`, true]);
  });

  test("a close-delimited body that throws is a reset, since an end would look like success", async () => {
    async function* body() {
      yield "half";
      await turns();
      throw new Error("boom");
    }
    const { peer } = await serve(() => ({ status: 200, body: body() }));
    await peer.send("GET / HTTP/1.0\r\n\r\n");
    await peer.readUntil("half");
    await peer.failed();
    expect(peer.ended).toBe(false);
  });
});
