import { memoryPair } from "@upgrade/core/io";
import { type FetchHandler, fetchService, handshake } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { type Served, serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const GET = head("GET /");

/** What a handler's answer is on the wire. */
async function wire(handler: FetchHandler, request = GET) {
  const served = await serve(fetchService(handler));
  await served.peer.send(request);
  const answered = await served.peer.readHead();
  await turns();
  return { ...served, answered };
}

const respond = (...init: ConstructorParameters<typeof Response>) =>
  wire(() => new Response(...init));

describe("the head:", () => {
  test.each([
    [
      "a text, whose type fetch names",
      new Response("hi"),
      "200 OK",
      ["content-type: text/plain;charset=UTF-8", "Transfer-Encoding: chunked"],
    ],
    ["no body", new Response(), "200 OK", ["Content-Length: 0"]],
    ["an empty text", new Response(""), "200 OK", ["Transfer-Encoding: chunked"]],
    ["a phrase of its own", new Response(null, { statusText: "Fine" }), "200 Fine", []],
    [
      "a length of its own",
      new Response("hi", { headers: { "Content-Length": "2" } }),
      "200 OK",
      ["content-length: 2"],
    ],
    [
      "chunks of its own",
      new Response("hi", { headers: { "Transfer-Encoding": "chunked" } }),
      "200 OK",
      ["Transfer-Encoding: chunked"],
    ],
    ["JSON", Response.json({ a: 1 }), "200 OK", ["content-type: application/json"]],
    [
      "a redirect",
      Response.redirect("http://b.test/", 303),
      "303 See Other",
      ["location: http://b.test/"],
    ],
    ["204", new Response(null, { status: 204 }), "204 No Content", []],
    [
      "204 with a length",
      new Response(null, { status: 204, headers: { "Content-Length": "0" } }),
      "204 No Content",
      [],
    ],
    ["205", new Response(null, { status: 205 }), "205 Reset Content", ["Content-Length: 0"]],
    [
      "205 with a length",
      new Response(null, { status: 205, headers: { "Content-Length": "3" } }),
      "205 Reset Content",
      ["Content-Length: 0"],
    ],
    [
      "304",
      new Response(null, { status: 304, headers: { ETag: '"x"' } }),
      "304 Not Modified",
      ['etag: "x"'],
    ],
    [
      "426 with its protocol",
      new Response(null, { status: 426, headers: { Upgrade: "lines/1" } }),
      "426 Upgrade Required",
      ["upgrade: lines/1", "Connection: Upgrade", "Content-Length: 0"],
    ],
    [
      "426 without, which means WebSocket",
      new Response(null, { status: 426 }),
      "426 Upgrade Required",
      ["Upgrade: websocket", "Connection: Upgrade", "Content-Length: 0"],
    ],
    ["599", new Response(null, { status: 599 }), "599 ", ["Content-Length: 0"]],
  ] as const)("%s", async (_, response, status, lines) => {
    const { answered, reports } = await wire(() => response.clone());
    expect(reports).toEqual([]);
    expect(answered.startsWith(`HTTP/1.1 ${status}`)).toBe(true);
    const sent = answered.split("\r\n").slice(1, -2);
    expect(sent).toEqual(expect.arrayContaining([...lines]));
    const framing = sent.filter((line) => /^(?:content-length|transfer-encoding):/i.test(line));
    expect(framing.length).toBe(/ (?:204|304) /.test(answered) ? 0 : 1);
  });

  test("each cookie has its line, with its commas", async () => {
    const headers = new Headers([
      ["Set-Cookie", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
      ["X-A", "1"],
      ["Set-Cookie", "b=2"],
      ["X-A", "2"],
    ]);
    const { answered } = await respond(null, { headers });
    expect(answered.split("\r\n").slice(1, 4).sort()).toEqual([
      "set-cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "set-cookie: b=2",
      "x-a: 1, 2",
    ]);
  });

  test("a value is sent octet by octet", async () => {
    const { answered } = await respond(null, { headers: { "X-Latin": "caf\xe9" } });
    expect(answered).toContain("x-latin: caf\xe9\r\n");
  });
});

/** A stream that never ends by itself, and how it was left. */
function endless() {
  const state = { canceled: false, pulls: 0 };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        state.pulls++;
        await turns(1);
        controller.enqueue(new Uint8Array(50));
      },
      cancel() {
        state.canceled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

describe("a body", () => {
  test("is sent as it is made", async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(given) {
        controller = given;
      },
    });
    const { peer, answered } = await respond(body);
    expect(answered).toContain("Transfer-Encoding: chunked");
    controller.enqueue(Buffer.from("one"));
    await peer.readUntil("one\r\n");
    controller.enqueue(Buffer.from("two"));
    await peer.readUntil("two\r\n");
    controller.close();
    await peer.readUntil("0\r\n\r\n");
  });

  test("of HTTP/1.0 ends with its connection", async () => {
    const { peer, answered } = await wire(() => new Response("hi"), "GET / HTTP/1.0\r\n\r\n");
    expect(answered).not.toMatch(/transfer-encoding|content-length/i);
    expect(await peer.readToEnd()).toBe("hi");
  });

  test("is pulled no further than the client reads", async () => {
    const { body, state } = endless();
    const big = body.pipeThrough(
      new TransformStream({ transform: (_, to) => to.enqueue(new Uint8Array(65_536)) }),
    );
    const [near, far] = memoryPair();
    await handshake(
      near,
      fetchService(() => new Response(big)),
    );
    await far.write([Buffer.from(GET)]);
    await turns(50);
    const before = state.pulls;
    await turns(50);
    expect(state.pulls).toBe(before);
    far.abort("enough");
    await turns();
    expect(state.canceled).toBe(true);
  });

  test("that fails makes the failure visible: the connection aborts", async () => {
    let fail!: () => void;
    const body = new ReadableStream({
      start(controller) {
        fail = () => controller.error(new Error("the disk failed"));
      },
    });
    const { peer, reports } = await respond(body);
    fail();
    await peer.failed();
    expect(reports).toEqual(["response: BODY_FAILED"]);
  });
});

interface Unsent {
  readonly request?: string;
  readonly headers?: Record<string, string>;
  readonly after?: (served: Served) => unknown;
}

/** Why a body is not sent to its end. */
const UNSENT: Record<string, Unsent> = {
  "to HEAD": { request: head("HEAD /") },
  "to a client that resets": { after: ({ peer }) => peer.reset() },
  "to an aborted connection": { after: ({ connection }) => connection.abort() },
  "over its length": { headers: { "Content-Length": "60" } },
  "with a header that may not be sent": { headers: { "X-A": "a\x01b" } },
  "with a length that is none": { headers: { "Content-Length": "many" } },
};

test.each(Object.entries(UNSENT))(
  "a body %s is canceled",
  async (_, { request, after, ...init }) => {
    const unhandled = watchUnhandled();
    const { body, state } = endless();
    const served = await serve(fetchService(() => new Response(body, init)));
    await served.peer.send(request ?? GET);
    await turns();
    await after?.(served);
    await turns(10);
    expect(state.canceled).toBe(true);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  },
);

test("a response that comes after the client has gone is canceled", async () => {
  const { body, state } = endless();
  let answer!: (response: Response) => void;
  const service = fetchService(
    () =>
      new Promise<Response>((resolve) => {
        answer = resolve;
      }),
  );
  const { peer, reports } = await serve(service);
  await peer.send(GET);
  await turns();
  peer.reset();
  await turns();
  answer(new Response(body));
  await turns();
  expect(state.canceled).toBe(true);
  expect(reports.at(-1)).toBe("service: NOT_SENT");
});

describe("no response is a 500, and onError gets the reason:", () => {
  const stream = endless();
  const used = async () => {
    const response = new Response("x");
    await response.text();
    return response;
  };
  const locked = () => {
    const response = new Response("x");
    response.body!.getReader();
    return response;
  };
  test.each([
    ["a handler that throws", () => Promise.reject(new Error("broken")), "broken"],
    [
      "a handler that throws at once",
      () => {
        throw new Error("broken");
      },
      "broken",
    ],
    ["undefined", () => undefined, "NO_RESPONSE"],
    ["a promise of null", async () => null, "NO_RESPONSE"],
    ["text", () => "hello", "NO_RESPONSE"],
    ["a Request", () => new Request("http://a.test"), "NO_RESPONSE"],
    ["headers", () => new Headers({ a: "b" }), "NO_RESPONSE"],
    ["a response of ours", () => ({ status: 200, headers: { a: "b" }, body: "x" }), "NO_RESPONSE"],
    ["ours, with pairs", () => ({ status: 200, headers: [["a", "b"]], body: "x" }), "NO_RESPONSE"],
    ["a network error", () => Response.error(), "INVALID_STATUS"],
    [
      "101, as on workerd",
      () => ({ status: 101, headers: new Headers(), body: null }),
      "INVALID_STATUS",
    ],
    ["a body that was read", used, "BODY_USED"],
    ["a body with another reader", locked, "INVALID_BODY"],
    ["a stream", () => stream.body, "NO_RESPONSE"],
  ])("%s", async (_, handler, code) => {
    const { answered, reports, peer } = await wire(handler as never);
    expect(answered).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual([`service: ${code}`]);
    await peer.send(GET);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
  });

  test("the stream was canceled", () => {
    expect(stream.state.canceled).toBe(true);
  });
});

test("a promise of another library is awaited", async () => {
  // biome-ignore lint/suspicious/noThenProperty: a custom promise
  const later = { then: (resolve: (value: Response) => void) => resolve(new Response("later")) };
  const { peer } = await wire(() => later as never);
  await peer.readUntil("later");
});

describe("what is no handler, and no option, is INVALID_OPTION when the service is made:", () => {
  const make = (handler: unknown, options?: unknown) => () =>
    fetchService(handler as FetchHandler, options as never);
  const handler = () => new Response();
  test.each([
    [undefined, /handler is undefined, not a function$/],
    [null, /handler is null, not a function$/],
    [{ fetch: handler }, /handler is an object, not a function: pass its fetch/],
  ])("handler %s", (given, message) => {
    expect(make(given)).toThrow(message);
  });
  test.each([
    [{ schema: "http" }, /schema: did you mean scheme\?$/],
    [{ scheme: "ftp" }, /scheme is a string, not "http" or "https"$/],
    [{ scheme: "https:" }, /scheme is a string/],
    [{ origin: "example.com" }, /origin is a string, not scheme, host and port alone/],
    [{ origin: "https://example.com/" }, /origin is a string/],
    [{ origin: "https://user@example.com" }, /origin is a string/],
    [{ origin: "https://example.com:99999" }, /origin is a string/],
    [{ origin: 5 }, /origin is 5/],
    [{ origin: "https://example.com", scheme: "https" }, /omit the option scheme$/],
    [null, /options are null/],
  ])("options %j", (options, message) => {
    expect(make(handler, options)).toThrow(message);
  });
});
