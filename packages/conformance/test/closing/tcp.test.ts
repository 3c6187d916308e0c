import { once } from "node:events";
import net from "node:net";
import { handshake as connectTo } from "@upgrade/client";
import { ManualClock } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const REPLY = "x".repeat(200_000);

async function serve(service: Service<net.Socket>, options: ServerOptions<net.Socket> = {}) {
  const [far, near] = await tcpPair({ allowHalfOpen: true });
  const clock = new ManualClock();
  const { connection } = await serveOn(near, service, { clock, date: false, ...options });
  return { far, near, connection, clock };
}

/** Everything that arrives, and how it ends. */
async function collect(socket: net.Socket) {
  let seen = "";
  socket.on("data", (chunk) => {
    seen += chunk.toString("latin1");
  });
  const how = await new Promise<string>((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { seen, how };
}

describe("L7: the final response arrives, though the client has sent bytes that are never read:", () => {
  const sending: [string, Service<net.Socket>, string, RegExp, number][] = [
    [
      "a refused Upgrade",
      () => ({ status: 403, body: REPLY }),
      head("GET /", "Connection: Upgrade", "Upgrade: chat"),
      /^HTTP\/1\.1 403 /,
      200_000,
    ],
    [
      "a response that closes",
      () => ({ status: 200, body: REPLY }),
      head("POST /", "Content-Length: 1000000", "Connection: close"),
      /^HTTP\/1\.1 200 /,
      200_000,
    ],
    [
      "a close-delimited body",
      () => ({ status: 200, body: [REPLY] }),
      "POST / HTTP/1.0\r\nContent-Length: 1000000\r\n\r\n",
      /^HTTP\/1\.1 200 /,
      200_000,
    ],
    [
      "a 413",
      () => ({ status: 413, body: REPLY }),
      head("POST /", "Content-Length: 1000000"),
      /^HTTP\/1\.1 413 /,
      200_000,
    ],
    ["a 400", () => ({ status: 200 }), "nonsense\r\n\r\n", /^HTTP\/1\.1 400 /, 0],
    [
      "a 431",
      () => ({ status: 200 }),
      head("GET /", `X: ${"x".repeat(20_000)}`),
      /^HTTP\/1\.1 431 /,
      0,
    ],
  ];

  test.each(sending)("%s", async (_, service, request, start, length) => {
    const { far, connection } = await serve(service);
    const over = connection.run();
    over.catch(() => {});
    far.write(request);
    // Still unread at the time of the response: closing now would make the kernel send a reset.
    far.write("y".repeat(200_000));
    await turns();
    const { seen, how } = await collect(far);
    expect(how).toBe("end");
    expect(seen).toMatch(start);
    expect(seen.length - seen.indexOf("\r\n\r\n") - 4).toBe(length);
    far.end();
    await connection.closed;
  });

  test("discarded bytes are never parsed", async () => {
    const targets: string[] = [];
    const { far, connection } = await serve(({ target }) => {
      targets.push(target);
      return { status: 200 };
    });
    far.write(head("GET /1", "Connection: close") + head("GET /2") + head("GET /3"));
    const { seen } = await collect(far);
    far.end(head("GET /4"));
    await connection.closed;
    expect(targets).toEqual(["/1"]);
    expect(seen.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  test("L12: exactly lingerBytes are discarded, then the connection is aborted", async () => {
    const { far, connection } = await serve(() => ({ status: 200 }), { lingerBytes: 1_000 });
    far.on("error", () => {});
    far.write(head("POST /", "Content-Length: 1000000"));
    far.resume();
    await once(far, "end");
    far.write("y".repeat(1_000));
    await turns(20);
    let over = false;
    const closed = connection.closed.then(() => {
      over = true;
    });
    await turns();
    expect(over).toBe(false);
    far.write("y");
    await closed;
  });
});

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
    const { far, connection } = await serve(() => ({ status: 200, body: body() }));
    far.write("GET / HTTP/1.0\r\n\r\n");
    const [chunk] = (await once(far, "data")) as [Buffer];
    const seen = collect(far);
    act(fail, connection);
    expect(String(chunk)).toBe(`${answer("200 OK", "Connection: close")}some of it`);
    expect((await seen).how).toBe("ECONNRESET");
  });

  test("a deadline in the middle of a message is a reset", async () => {
    const { far, clock } = await serve(({ body }) => ({ status: 200, body }));
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
    const { far, connection } = await serve(() => ({ status: 200, body: ["all"] }));
    far.write("GET / HTTP/1.0\r\n\r\n");
    expect(await collect(far)).toEqual({
      seen: `${answer("200 OK", "Connection: close")}all`,
      how: "end",
    });
    far.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });
});

describe("the peer is gone, over TCP:", () => {
  test("a reset aborts the signal while the service runs", async () => {
    const gone = await new Promise<unknown>((resolve) => {
      void serve((request) => {
        request.signal.addEventListener("abort", () => resolve(request.signal.reason));
        return new Promise(() => {});
      }).then(async ({ far, near }) => {
        far.write(head("GET /"));
        await once(near, "data");
        far.resetAndDestroy();
      });
    });
    expect(gone).toMatchObject({ code: "TRANSPORT_FAILED", cause: { code: "ECONNRESET" } });
  });

  test.each([true, false])(
    "FIN with the request: the response arrives, with allowHalfOpen %s",
    async (allowHalfOpen) => {
      const [far, near] = await tcpPair({ allowHalfOpen });
      let ended: boolean | undefined;
      await serveOn(near, async (request) => {
        while (!request.peerEnded) await turns(1);
        ended = request.signal.aborted;
        return { status: 200, body: "late" };
      });
      far.end(head("GET /"));
      expect((await collect(far)).seen).toMatch(/late$/);
      expect(ended).toBe(true);
    },
  );

  test("a client reports a refused connection: nothing was sent", async () => {
    const socket = net.connect(await closedPort(), "127.0.0.1");
    const { sender, connection } = await connectTo(socket);
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
      sent: "nothing",
      retrySafe: true,
      cause: { code: "ECONNREFUSED" },
    });
    expect((await connection.closed).kind).toBe("failed");
  });
});
