import { Duplex, Readable } from "node:stream";
import {
  type ClientRequest,
  ConnectionError,
  connect,
  handshake as connectTo,
  upgrade,
} from "@upgrade/client";
import { type Connection, memoryPair, tunnel } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve as served } from "../../src/ends.ts";
import { GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, PAIRS, tcpPair, webPair } from "../../src/pairs/pairs.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const PAID = { ...POST, target: "/pay", body: "100" };

/** The error of an unsent request on another connection. */
async function foreignError(): Promise<ConnectionError> {
  const [io] = memoryPair();
  const { sender, connection } = await connectTo(io);
  connection.abort();
  const error: unknown = await sender.sendRequest(GET).catch((reason: unknown) => reason);
  if (!(error instanceof ConnectionError)) throw new Error("the request was not rejected");
  expect(error).toMatchObject({ code: "NOT_SENT", sent: "nothing", retrySafe: true });
  return error;
}

const thrower = (error: unknown) => (): never => {
  throw error;
};

const closeError = ({ closeReason }: Connection<unknown>): unknown =>
  closeReason?.kind === "failed" ? closeReason.error : undefined;

/** Ways to pass in another connection's error after a request was sent. */
const WAYS: Record<
  string,
  {
    readonly code: string;
    come(error: Error, connection: Connection<unknown>, io: Duplex): unknown;
  }
> = {
  "as the reason of abort()": {
    code: "ABORTED",
    come: (error, connection) => connection.abort(error),
  },
  "as the reason of the signal of close()": {
    code: "ABORTED",
    come: (error, connection) => connection.close({ signal: AbortSignal.abort(error) }),
  },
  "as the error of a destroyed socket": {
    code: "TRANSPORT_FAILED",
    come: (error, _, io) => io.destroy(error),
  },
};

describe("L16: an error of another connection that arrives", () => {
  test.each(Object.entries(WAYS))("%s is the cause of ours, on a client", async (_, way) => {
    const foreign = await foreignError();
    const facts = { ...foreign };
    const [io] = await tcpPair();
    const { sender, connection } = await connectTo(io);
    const pending = sender.sendRequest(PAID).catch((reason: unknown) => reason);
    await turns();
    void way.come(foreign, connection, io);
    const ours = await pending;
    expect(ours).not.toBe(foreign);
    expect(ours).toMatchObject({ code: way.code, cause: foreign, sent: "all", retrySafe: false });
    expect(ours).toMatchObject({ bytesWritten: connection.stats.bytesWritten });
    expect({ ...foreign }).toEqual(facts);
  });

  test.each(Object.entries(WAYS))("%s is the cause of ours, on a server", async (_, way) => {
    const foreign = await foreignError();
    const facts = { ...foreign };
    const [io, far] = await tcpPair();
    const reports: unknown[] = [];
    const { connection } = await serve(io, () => new Promise<never>(() => {}), {
      onError: (error) => reports.push(error),
    });
    far.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await turns(20);
    void way.come(foreign, connection, io);
    await connection.closed;
    const ours = closeError(connection);
    expect(ours).not.toBe(foreign);
    expect(ours).toMatchObject({ code: way.code, cause: foreign, bytesRead: 32 });
    expect(reports).toEqual([ours]);
    expect({ ...foreign }).toEqual(facts);
  });

  test("as the reason of a request's signal is the cause of CANCELED", async () => {
    const foreign = await foreignError();
    const [io] = memoryPair();
    const { sender } = await connectTo(io);
    const controller = new AbortController();
    const pending = sender.sendRequest(PAID, { signal: controller.signal });
    await turns();
    controller.abort(foreign);
    await expect(pending).rejects.toMatchObject({ code: "CANCELED", cause: foreign, sent: "all" });
  });

  test("as the reason of upgrade()'s signal is the cause of CANCELED", async () => {
    const foreign = await foreignError();
    const [io] = memoryPair();
    const controller = new AbortController();
    const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
    const pending = upgrade(io, request, { signal: controller.signal });
    await turns();
    controller.abort(foreign);
    await expect(pending).rejects.toMatchObject({ code: "CANCELED", cause: foreign, sent: "all" });
  });

  test.each(["read", "write"] as const)("from the %s() of a ByteStream", async (method) => {
    const foreign = await foreignError();
    const [near] = memoryPair();
    const io = {
      read: () => near.read(),
      write: async () => {},
      closeWrite: async () => {},
      abort: (reason: unknown) => near.abort(reason),
      [method]: () => turns(1).then(() => Promise.reject(foreign)),
    };
    const { sender, connection } = await connectTo(io);
    const ours = await sender.sendRequest(PAID).catch((reason: unknown) => reason);
    expect(ours).not.toBe(foreign);
    expect(ours).toMatchObject({ code: "TRANSPORT_FAILED", cause: foreign, sent: "all" });
    expect(closeError(connection)).toBe(ours);
  });

  test("from the `gone` of a ByteStream", async () => {
    const foreign = await foreignError();
    const [near] = memoryPair();
    let fail!: (reason: unknown) => void;
    const io = {
      read: () => near.read(),
      write: async () => {},
      closeWrite: async () => {},
      abort: (reason: unknown) => near.abort(reason),
      gone: new Promise((resolve) => {
        fail = resolve;
      }),
    };
    const { sender } = await connectTo(io);
    const pending = sender.sendRequest(PAID);
    await turns();
    fail(foreign);
    await expect(pending).rejects.toMatchObject({ code: "TRANSPORT_FAILED", sent: "all" });
  });

  test("from a body being sent is the cause of BODY_FAILED", async () => {
    const foreign = await foreignError();
    const [io] = memoryPair();
    const { sender } = await connectTo(io);
    const body = (async function* () {
      yield "1";
      await turns();
      throw foreign;
    })();
    const pending = sender.sendRequest({ ...PAID, body });
    await expect(pending).rejects.toMatchObject({
      code: "BODY_FAILED",
      cause: foreign,
      sent: "part",
    });
  });

  test.each<[string, string, (error: unknown) => object]>([
    ["headers", "INVALID_HEADERS", (error) => ({ headers: { [Symbol.iterator]: thrower(error) } })],
    [
      "known trailers",
      "INVALID_HEADERS",
      (error) => ({ trailers: { [Symbol.iterator]: thrower(error) } }),
    ],
    [
      "a getter",
      "INVALID_OPTION",
      (error) => Object.defineProperty({ ...GET }, "target", { get: thrower(error) }),
    ],
  ])("from %s of a request is the cause of a refusal", async (_, code, make) => {
    const foreign = await foreignError();
    const facts = { ...foreign };
    for (const send of [
      async (request: object) => (await dial()).sender.sendRequest(request as ClientRequest),
      (request: object) => upgrade(memoryPair()[0], request as ClientRequest),
    ]) {
      const parts = make(foreign);
      const ours: unknown = await send("method" in parts ? parts : { ...PAID, ...parts }).catch(
        (reason: unknown) => reason,
      );
      expect(ours).toMatchObject({ code, cause: foreign, sent: "nothing", retrySafe: false });
    }
    expect({ ...foreign }).toEqual(facts);
  });

  test("from headers of connect() is the cause of a refusal", async () => {
    const foreign = await foreignError();
    const headers = { [Symbol.iterator]: thrower(foreign) } as never;
    const pending = connect(memoryPair()[0], "a.test:80", { headers });
    await expect(pending).rejects.toMatchObject({ code: "INVALID_HEADERS", cause: foreign });
  });

  test("from an earlier refusal of this request is the cause of the next one", async () => {
    const { sender } = await dial();
    const refusal: unknown = await sender.sendRequest({ ...GET, target: "" }).catch((e) => e);
    const again = Object.defineProperty({ ...GET }, "target", { get: thrower(refusal) });
    await expect(sender.sendRequest(again)).rejects.toMatchObject({ cause: refusal });
  });

  test.each(["late trailers", "a getter"])("from %s of a response", async (kind) => {
    const foreign = await foreignError();
    const facts = { ...foreign };
    const broken = { [Symbol.iterator]: thrower(foreign) } as never;
    const body = new Readable({ read() {} });
    const late = { status: 200, body: "x", trailers: () => broken };
    const unreadable = Object.defineProperty({ status: 200, body }, "trailers", {
      get: thrower(foreign),
    });
    const { peer, reports } = await served(() => (kind === "a getter" ? unreadable : late));
    await peer.send(head("GET /"));
    await turns();
    if (kind === "a getter") {
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 502 /);
      expect(body.destroyed).toBe(true);
    } else {
      expect(reports).toEqual(["response: INVALID_HEADERS"]);
      body.destroy();
    }
    expect({ ...foreign }).toEqual(facts);
  });

  test("through a tunnel is the cause of its end", async () => {
    const foreign = await foreignError();
    const nothing = { readBuf: new Uint8Array(0), readEnded: false };
    const ends = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const [a, b] = [ends(), ends()];
    const done = tunnel({ io: a, ...nothing }, { io: b, ...nothing });
    b.destroy(foreign);
    const end = await done;
    expect(end).toMatchObject({
      endedBy: "b",
      error: { code: "TRANSPORT_FAILED", cause: foreign },
    });
  });
});

// In one process, the error that aborts one end is also the error of the other end's stream.
describe("L16: two ends in one process do not share an error,", () => {
  const joined = PAIRS.filter(({ name }) => !/TCP|TLS/.test(name));

  test.each(joined)("over a $name: a POST that was handled is not retry-safe", async ({ make }) => {
    const foreign = await foreignError();
    const [near, far] = await make();
    let served = 0;
    const server = await serve(far, async (request) => {
      await request.body.text();
      served++;
      request.connection.abort(foreign);
      return { status: 200 };
    });
    const { sender, connection } = await connectTo(near);
    const ours = await sender.sendRequest(PAID).catch((reason: unknown) => reason);
    expect(served).toBe(1);
    expect(ours).toMatchObject({ code: "TRANSPORT_FAILED", sent: "all", retrySafe: false });
    expect(ours).toMatchObject({ bytesRead: 0, bytesWritten: connection.stats.bytesWritten });
    expect(ours).not.toBe(closeError(server.connection));
    expect(foreign).toMatchObject({ code: "NOT_SENT", sent: "nothing" });
  });

  test("over a WHATWG pair: a body that throws at the server is not the client's fault", async () => {
    const [near, far] = webPair();
    const body = async function* () {
      yield "x";
      await turns();
      throw new Error("disk");
    };
    await serve(far, () => ({ status: 200, body: body() }));
    const { sender, connection } = await connectTo(near);
    const response = await sender.sendRequest(GET);
    const ours = await response.body.text().catch((reason: unknown) => reason);
    expect(ours).toBeInstanceOf(ConnectionError);
    expect(ours).toMatchObject({
      code: "TRANSPORT_FAILED",
      bytesRead: connection.stats.bytesRead,
      cause: { code: "BODY_FAILED" },
    });
  });
});
