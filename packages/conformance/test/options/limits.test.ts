import type { ClientOptions, ClientResponse } from "@upgrade/client";
import { type LimitName, resolveLimits } from "@upgrade/core";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

/** The result of one message: the code of its refusal, and the status of its response. */
type Verdict = "passed" | string;

const CHUNKED = "Transfer-Encoding: chunked";

const reading: Service<ByteStream> = async (request) => {
  for await (const _ of request.body);
  return { status: 200 };
};

async function requested(bytes: string, options: ServerOptions<ByteStream>): Promise<Verdict> {
  const { peer, reports } = await serve(reading, options);
  await peer.send(bytes);
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(await peer.readHead())!;
  return status === "200" && reports.length === 0 ? "passed" : `${reports[0]} ${status}`;
}

async function responded(bytes: string, options: ClientOptions): Promise<Verdict> {
  const { peer, sender } = await dial(options);
  const read = sender.sendRequest(GET).then((response) => response.body.bytes());
  read.catch(() => {});
  await peer.readHead();
  await peer.send(bytes);
  const verdict = await rejection(read);
  return verdict === "resolved" ? "passed" : verdict;
}

/** A message with `n` of what is limited, and the refusal of one with too many. */
interface Case {
  readonly limit: LimitName;
  readonly at: number;
  readonly request?: (n: number) => string;
  readonly response?: (n: number) => string;
  readonly code: string;
  readonly status?: number;
  readonly phase?: string;
}

const padded = (text: string, n: number): string =>
  text.replace("*", "a".repeat(n - text.length + 1));
const fields = (n: number): string[] => Array.from({ length: n }, (_, i) => `A${i}: b`);
const trailed = (first: string, n: number): string => `${first}0\r\n${padded("A: *\r\n\r\n", n)}`;
const manyTrailers = (first: string, n: number): string =>
  `${first}0\r\n${fields(n).join("\r\n")}\r\n\r\n`;
const extended = (first: string, n: number): string =>
  `${first}3;${"a".repeat(n - 1)}\r\nabc\r\n0\r\n\r\n`;
const chunks = (first: string, n: number): string => `${first}${"1\r\nx\r\n".repeat(n)}0\r\n\r\n`;

const asking = head("POST /", CHUNKED);
const answering = answer("200 OK", CHUNKED);
const EMPTY = answer("200 OK", "Content-Length: 0");

const CASES: readonly Case[] = [
  {
    limit: "maxHeadBytes",
    at: 90,
    code: "HEAD_TOO_LARGE",
    status: 431,
    phase: "head",
    request: (n) => padded(head("GET /", "A: *"), n),
    response: (n) => padded(answer("200 OK", "Content-Length: 0", "A: *"), n),
  },
  {
    limit: "maxTargetBytes",
    at: 20,
    code: "TARGET_TOO_LONG",
    status: 414,
    phase: "head",
    request: (n) => head(`GET /${"a".repeat(n - 1)}`),
  },
  {
    limit: "maxHeaders",
    at: 7,
    code: "TOO_MANY_HEADERS",
    status: 431,
    phase: "head",
    request: (n) => head("GET /", ...fields(n - 1)),
    response: (n) => answer("200 OK", "Content-Length: 0", ...fields(n - 1)),
  },
  {
    limit: "maxTrailerBytes",
    at: 50,
    code: "TRAILERS_TOO_LARGE",
    status: 431,
    phase: "body",
    request: (n) => trailed(asking, n),
    response: (n) => trailed(answering, n),
  },
  {
    limit: "maxTrailers",
    at: 3,
    code: "TOO_MANY_TRAILERS",
    status: 431,
    phase: "body",
    request: (n) => manyTrailers(asking, n),
    response: (n) => manyTrailers(answering, n),
  },
  {
    limit: "maxChunkExtensionBytes",
    at: 40,
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    phase: "body",
    request: (n) => extended(asking, n),
    response: (n) => extended(answering, n),
  },
  {
    limit: "maxBodyBytes",
    at: 30,
    code: "BODY_TOO_LARGE",
    status: 413,
    phase: "body",
    request: (n) => chunks(asking, n),
    response: (n) => chunks(answering, n),
  },
  {
    limit: "maxInterimResponses",
    at: 4,
    code: "TOO_MANY_INTERIM_RESPONSES",
    response: (n) => answer("103 Early Hints").repeat(n) + EMPTY,
  },
];

describe("L12 bounded: exactly the limit passes, and one more is refused", () => {
  const requests = CASES.filter(({ request }) => request !== undefined);
  test.each(requests)("$limit of a request: $code, $status", async (row) => {
    const { limit, at, request, code, status, phase } = row;
    expect(await requested(request!(at), { [limit]: at })).toBe("passed");
    expect(await requested(request!(at + 1), { [limit]: at })).toBe(`${phase}: ${code} ${status}`);
  });

  const responses = CASES.filter(({ response }) => response !== undefined);
  test.each(responses)("$limit of a response: $code", async ({ limit, at, response, code }) => {
    expect(await responded(response!(at), { [limit]: at })).toBe("passed");
    expect(await responded(response!(at + 1), { [limit]: at })).toBe(code);
  });

  test("maxDrainBytes of a request body: the connection persists, or ends", async () => {
    const drained = async (n: number): Promise<boolean> => {
      const { peer } = await serve(() => ({ status: 200 }), { maxDrainBytes: 10 });
      await peer.send(chunks(asking, n));
      await peer.readHead();
      await turns();
      await peer.send(head("GET /")).catch(() => {});
      await turns();
      return peer.unread !== "";
    };
    expect(await drained(10)).toBe(true);
    expect(await drained(11)).toBe(false);
  });

  test("maxDrainBytes of a response body: the connection persists, or ends", async () => {
    const drained = async (n: number): Promise<string> => {
      const { peer, sender } = await dial({ maxDrainBytes: 10 });
      const canceled = sender.sendRequest(GET).then((response) => response.body.cancel());
      await peer.readHead();
      await peer.send(answering);
      await turns();
      await peer.send(chunks("", n)).catch(() => {});
      return canceled;
    };
    expect(await drained(10)).toBe("drained");
    expect(await drained(11)).toBe("closed");
  });

  test("lingerBytes after the last response: discarded, or aborted", async () => {
    const lingered = async (n: number): Promise<boolean> => {
      const { peer } = await serve(() => ({ status: 200 }), { lingerBytes: 10 });
      await peer.send(head("GET /", "Connection: close"));
      await peer.readToEnd();
      await peer.send("x".repeat(n)).catch(() => {});
      await turns();
      return peer.failure === undefined && (await rejection(peer.send("x"))) === "resolved";
    };
    expect(await lingered(10)).toBe(true);
    expect(await lingered(11)).toBe(false);
  });

  test("readAheadBytes while a service runs", async () => {
    const { peer, connection } = await serve(() => new Promise<never>(() => {}), {
      readAheadBytes: 10,
    });
    await peer.send(head("GET /"));
    await turns();
    const before = connection.stats.bytesRead;
    for (let i = 0; i < 20; i++) void peer.send("x");
    await turns(20);
    expect(connection.stats.bytesRead - before).toBe(10);
  });

  test("maxQueuedRequests after the one in flight: QUEUE_FULL, nothing sent", async () => {
    const { sender } = await dial({ maxQueuedRequests: 2 });
    const codes: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      sender.sendRequest(GET).catch(({ code, sent }) => codes.push(code, sent));
    }
    await turns();
    expect(codes).toEqual(["QUEUE_FULL", "nothing"]);
  });

  test("maxRequests of a server: the last response has close", async () => {
    const { peer } = await serve(() => ({ status: 200 }), { maxRequests: 2 });
    await peer.send(head("GET /").repeat(3));
    expect(await peer.readToEnd()).toBe(
      EMPTY + answer("200 OK", "Content-Length: 0", "Connection: close"),
    );
  });

  test("maxRequests of a client: the last request has close, and no other is sent", async () => {
    const { peer, sender } = await dial({ maxRequests: 2 });
    const first = sender.sendRequest(GET);
    const others = [sender.sendRequest(GET), sender.sendRequest(GET)];
    expect(await peer.readHead()).not.toContain("Connection: close");
    await peer.send(EMPTY);
    expect((await first).status).toBe(200);
    expect(await peer.readHead()).toContain("Connection: close");
    await peer.send(EMPTY);
    expect((await others[0]!).status).toBe(200);
    expect(await rejection(others[1]!)).toBe("NOT_SENT");
    expect(peer.unread).toBe("");
  });

  test("pipeline: at most that many requests are in flight", async () => {
    const { peer, sender } = await dial({ pipeline: 2 });
    const answers: Promise<ClientResponse>[] = [];
    for (let i = 0; i < 3; i++) answers.push(sender.sendRequest(GET));
    await peer.readHead();
    await peer.readHead();
    await turns();
    expect(peer.unread).toBe("");
    await peer.send(EMPTY);
    expect(await peer.readHead()).toMatch(/^GET /);
    await peer.send(EMPTY + EMPTY);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("writeHighWaterBytes of a streamed response to a peer that reads nothing", async () => {
    const [near, far] = memoryPair(1);
    let made = 0;
    function* body() {
      for (let i = 0; i < 10_000; i++) {
        made++;
        yield "x";
      }
    }
    const service = () => ({ status: 200, headers: { Connection: "close" }, body: body() });
    await serveOn(near, service, { clock: new ManualClock(), writeHighWaterBytes: 300 });
    await far.write([Buffer.from(head("GET /").replace("1.1", "1.0"))]);
    await turns();
    const before = made;
    await turns(20);
    expect(made).toBe(before);
    expect(made).toBeLessThanOrEqual(300);
    far.abort(new Error("over"));
  });
});

describe("a limit of 0 does not stop progress", () => {
  test("writeHighWaterBytes: a streamed body is sent piece by piece", async () => {
    const { peer } = await serve(() => ({ status: 200, body: ["a", "b", "c"] }), {
      writeHighWaterBytes: 0,
    });
    for (let i = 0; i < 2; i++) {
      await peer.send(head("GET /"));
      await peer.readHead();
      expect(await peer.readUntil("0\r\n\r\n")).toBe("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    }
  });

  test("readAheadBytes: a body is read on demand", async () => {
    const { peer } = await serve(
      async (request) => ({ status: 200, body: await request.body.text() }),
      { readAheadBytes: 0 },
    );
    for (const body of ["abc", "de"]) {
      await peer.send(head("POST /", `Content-Length: ${body.length}`) + body);
      await peer.readHead();
      expect(await peer.read(body.length)).toBe(body);
    }
  });

  test("maxQueuedRequests: one request is in flight, and none waits", async () => {
    const { peer, sender } = await dial({ maxQueuedRequests: 0 });
    const first = sender.sendRequest(GET);
    expect(await rejection(sender.sendRequest(GET))).toBe("QUEUE_FULL");
    await peer.send(EMPTY);
    expect((await first).status).toBe(200);
  });
});

test("each size limit has its own test, here or elsewhere", () => {
  const sizes = Object.keys(resolveLimits()).filter((name) => !name.endsWith("Ms"));
  const elsewhere = [
    "maxDrainBytes",
    "lingerBytes",
    "readAheadBytes",
    "writeHighWaterBytes",
    "maxQueuedRequests",
    "maxRequests",
    "pipeline",
    "minBodyBytesPerSecond",
    "minStreamBytesPerSecond",
  ];
  expect([...CASES.map(({ limit }) => limit), ...elsewhere].sort()).toEqual(sizes.sort());
});
