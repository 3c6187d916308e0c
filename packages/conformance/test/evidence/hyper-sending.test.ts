import {
  type Headers,
  type HeadersInit,
  HttpConnection,
  LocalProtocolError,
  type RequestToSend,
} from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { dial, join, serve } from "../../src/ends.ts";
import { GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";

// hyper's tests of sending messages, with our results. The numbers are those of docs/evidence/hyper.md.

const HOST = ["Host", "a.test"] as const;
const CHUNKED = ["Transfer-Encoding", "chunked"] as const;

/** What our client writes for a request, or the code it refuses with. */
function written(request: Partial<RequestToSend>, body = ""): string {
  const connection = new HttpConnection("client");
  try {
    let wire = connection.send({
      type: "request",
      method: "GET",
      target: "/",
      headers: [HOST],
      ...request,
    });
    if (body !== "") wire = Buffer.concat([wire, connection.send({ type: "data", bytes: body })]);
    return latin1(Buffer.concat([wire, connection.send({ type: "end-of-message" })]));
  } catch (error) {
    if (error instanceof LocalProtocolError) return error.code;
    throw error;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

describe("a request", () => {
  const get = head("GET /");
  const post = (...fields: string[]) => head("POST /", ...fields);
  const chunk = "5\r\nhello\r\n0\r\n\r\n";
  test.each<[string, Partial<RequestToSend>, string, string]>([
    ["1, 3, 24, 40: GET adds nothing", { bodyLength: 0 }, "", get],
    ["2: a query", { target: "/a?b=c" }, "", head("GET /a?b=c")],
    ["2: a fragment", { target: "/a#b" }, "", "INVALID_TARGET"],
    ["148: no path", { target: "" }, "", "INVALID_TARGET"],
    [
      "4: chunked, set by the caller",
      { headers: [HOST, CHUNKED], bodyLength: 5 },
      "hello",
      head("GET /", "Transfer-Encoding: chunked") + chunk,
    ],
    [
      "5: another coding",
      { headers: [HOST, ["Transfer-Encoding", "gzip"]] },
      "",
      "INVALID_FRAMING",
    ],
    ["6: chunked in HTTP/1.0", { version: "1.0", headers: [HOST, CHUNKED] }, "", "INVALID_FRAMING"],
    [
      "15: GET of unknown length",
      { bodyLength: "unknown" },
      "hello",
      head("GET /", "Transfer-Encoding: chunked") + chunk,
    ],
    ["16: in HTTP/1.0", { version: "1.0", bodyLength: "unknown" }, "", "INVALID_FRAMING"],
    [
      "14, 17: a length set by the caller",
      { method: "POST", headers: [HOST, ["Content-Length", 5]], bodyLength: "unknown" },
      "hello",
      `${post("Content-Length: 5")}hello`,
    ],
    [
      "18: POST chunked, set by the caller",
      { method: "POST", headers: [HOST, CHUNKED], bodyLength: 5 },
      "hello",
      post("Transfer-Encoding: chunked") + chunk,
    ],
    [
      "19: POST of unknown length",
      { method: "POST", bodyLength: "unknown" },
      "hello",
      post("Transfer-Encoding: chunked") + chunk,
    ],
    [
      "20: a length of zero",
      { method: "POST", headers: [HOST, ["Content-Length", 0]], bodyLength: 0 },
      "",
      post("Content-Length: 0"),
    ],
    ["33: no Host", { headers: [] }, "", "INVALID_HOST"],
    ["33: no Host in HTTP/1.0", { version: "1.0", headers: [] }, "", "GET / HTTP/1.0\r\n\r\n"],
    ["45, 322: an absolute target", { target: "http://a.test/x" }, "", head("GET http://a.test/x")],
    [
      "31, 323: CONNECT",
      { method: "CONNECT", target: "a.test:443" },
      "",
      head("CONNECT a.test:443"),
    ],
    [
      "32: CONNECT with a URI",
      { method: "CONNECT", target: "http://a.test:443" },
      "",
      "INVALID_TARGET",
    ],
  ])("%s", (_, request, body, wire) => {
    expect(written(request, body)).toBe(wire);
  });

  test.each(["2", "2.0", "0.9", "HTTP/2"])("35, 36, 46: there is no version %s", (version) => {
    expect(written({ version: version as "1.1" })).toBe("INVALID_OPTION");
  });

  test("34, 174, 218, 219, 220, 230, 231: spelling and order are kept, empty values keep their space", () => {
    const headers = [HOST, ["x-Empty", ""], ["X-a", "1"], ["x-A", "2"]] as const;
    expect(written({ headers })).toBe(head("GET /", "x-Empty: ", "X-a: 1", "x-A: 2"));
  });

  test("156, 157, 158, 159: hop-by-hop fields are sent verbatim, with their connection options", () => {
    const headers = [
      HOST,
      ["TE", "trailers"],
      ["Keep-Alive", "timeout=5"],
      ["Connection", "TE, keep-alive, Upgrade"],
      ["Upgrade", "x"],
    ] as const;
    expect(written({ headers })).toBe(
      head("GET /", ...headers.slice(1).map(([name, value]) => `${name}: ${value}`)),
    );
  });

  test.each([["Foo, close"], ["keep-alive", "CLOSE"]])(
    "271: close ends persistence: %s %s",
    (...lines) => {
      const connection = new HttpConnection("client");
      const options = lines.filter((line) => line !== undefined);
      const headers = [HOST, ...options.map((line) => ["Connection", line] as const)];
      connection.send({ type: "request", method: "GET", target: "/", headers });
      expect(connection.persists).toBe(false);
    },
  );

  test("9, 10, 264, 265, 266, 267, 269, 270: trailers are sent verbatim, announced or not", async () => {
    const { peer, sender } = await dial();
    const trailers = [
      ["X-Sum", "1"],
      ["x-sum", "2"],
    ] as const;
    void sender.sendRequest({ ...POST, body: ["hello"], trailers });
    await peer.readHead();
    expect(await peer.readUntil("\r\n\r\n")).toBe(
      "5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n",
    );
  });

  const NEVER = ["Authorization", "Cache-Control", "Content-Encoding", "Content-Length"];
  NEVER.push("Content-Range", "Content-Type", "Host", "Max-Forwards", "Set-Cookie", "Trailer");
  NEVER.push("Transfer-Encoding", "TE");
  test.each(NEVER)("268: %s is not allowed in trailers", async (name) => {
    const { peer, sender } = await dial();
    const sent = sender.sendRequest({ ...POST, body: ["hello"], trailers: { [name]: "1" } });
    expect(await rejection(sent)).toBe("INVALID_TRAILER");
    expect(peer.unread).toBe("");
  });
});

describe("a response", () => {
  interface Answer {
    readonly status?: number;
    readonly reason?: string;
    readonly headers?: HeadersInit;
    readonly body?: string | (() => AsyncGenerator<string>);
    readonly trailers?: HeadersInit;
  }

  /** Our server's response to GET, and whether it ends the connection. */
  async function written({ body, ...rest }: Answer, request = head("GET /")): Promise<string> {
    const answer = { status: 200, ...rest, body: typeof body === "function" ? body() : body };
    const { peer } = await serve(() => answer);
    await peer.send(request);
    await peer.end();
    return (await peer.readToLast()).replace(/^HTTP\/1\.1 /, "");
  }

  async function* hello() {
    yield "hello";
  }

  const ok = (...fields: string[]) => ["200 OK", ...fields, "", ""].join("\r\n");
  const LENGTH = { "Content-Length": 5 };
  const TE = { "Transfer-Encoding": "chunked" };
  const chunked = `${ok("Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`;
  const old = "GET / HTTP/1.0\r\n\r\n";
  test.each<[string, Answer, string, string?]>([
    [
      "81: a length for a known body",
      { headers: LENGTH, body: "hello" },
      `${ok("Content-Length: 5")}hello`,
    ],
    [
      "82: a length for an unknown body",
      { headers: LENGTH, body: hello },
      `${ok("Content-Length: 5")}hello`,
    ],
    [
      "83: a length of zero",
      { headers: { "Content-Length": 0 }, body: "" },
      ok("Content-Length: 0"),
    ],
    ["84: chunks for a known body", { headers: TE, body: "hello" }, chunked],
    [
      "85: chunks for an empty body",
      { headers: TE, body: "" },
      `${ok("Transfer-Encoding: chunked")}0\r\n\r\n`,
    ],
    ["86: chunks for an unknown body", { headers: TE, body: hello }, chunked],
    ["89, 153: an unknown length is chunked", { body: hello }, chunked],
    ["90, 150: a known length is declared", { body: "hello" }, `${ok("Content-Length: 5")}hello`],
    ["91: a length of zero is declared, too", { body: "" }, ok("Content-Length: 0")],
    [
      "92: to HTTP/1.0 it ends with the connection",
      { body: hello },
      `${ok("Connection: close")}hello`,
      old,
    ],
    ["94: a custom reason", { reason: "Okay" }, "200 Okay\r\nContent-Length: 0\r\n\r\n"],
    ["96, 97: HEAD keeps its length", { body: "hello" }, ok("Content-Length: 5"), head("HEAD /")],
    ["98: HEAD gets no length by default", {}, ok(), head("HEAD /")],
    [
      "99: 304 keeps the fields of a 200",
      { status: 304, headers: TE },
      "304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    [
      "100: 304 keeps the length of a 200, too",
      { status: 304, headers: LENGTH },
      "304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    ],
    [
      "106, 107, 108, 109, 110, 310: trailers do not depend on TE",
      { body: hello, trailers: { "X-Sum": "1" } },
      `${ok("Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
    ],
    [
      "222, 223, 224: spelling is kept",
      { headers: { "x-Empty--y": "" } },
      ok("x-Empty--y: ", "Content-Length: 0"),
    ],
    [
      "261: sizes are hexadecimal",
      { headers: TE, body: "x".repeat(26) },
      `${ok("Transfer-Encoding: chunked")}1a\r\n${"x".repeat(26)}\r\n0\r\n\r\n`,
    ],
  ])("%s", async (_, answer, wire, request) => {
    expect(await written(answer, request)).toBe(wire);
  });

  test.each<[string, Answer, string?]>([
    ["87: another coding", { headers: { "Transfer-Encoding": "gzip" }, body: "hello" }],
    ["88: a length beside chunked", { headers: { ...LENGTH, ...TE }, body: "hello" }],
    ["93: chunked to HTTP/1.0", { headers: TE, body: "hello" }, old],
    ["101: a body with 304", { status: 304, body: "hello" }],
    ["105: an interim status", { status: 100 }],
    ["262: a body longer than its length", { headers: { "Content-Length": 4 }, body: "hello" }],
    ["309: a reason with LF", { reason: "a\nb" }],
    ["309: a reason with CR", { reason: "a\rb" }],
  ])("%s becomes a 500", async (_, answer, request) => {
    expect(await written(answer, request)).toMatch(/^500 Internal Server Error\r\n/);
  });

  test.each(["", "OK then", "\xe9t\xe9"])("309: a reason may be %j", async (reason) => {
    expect(await written({ reason })).toMatch(`200 ${reason}\r\n`);
  });

  test("102, 162: a hundred pieces arrive, with the last chunk", async () => {
    async function* body() {
      for (let i = 0; i < 100; i++) yield "x".repeat(1_000);
    }
    const { sender } = await join(() => ({
      status: 200,
      headers: { Connection: "close" },
      body: body(),
    }));
    const response = await sender.sendRequest(GET);
    expect(await response.body.text()).toBe("x".repeat(100_000));
  });

  test("117: responses that are ready together are sent together", async () => {
    const { peer } = await serve(() => ({ status: 200, body: "ok" }));
    await peer.send(head("GET /") + head("GET /", "Connection: close"));
    expect(await peer.readToEnd()).toMatch(/ok.*Connection: close\r\n\r\nok$/s);
    expect(peer.chunks.length).toBe(1);
  });

  test("147, 149, 225: Date is added, unless it is disabled or given", async () => {
    const date = async (headers: HeadersInit, on: boolean) => {
      const { sender } = await join(() => ({ status: 200, headers }), { server: { date: on } });
      return ((await sender.sendRequest(GET)).headers as Headers).getAll("date");
    };
    expect(await date({}, true)).toHaveLength(1);
    expect(await date({}, false)).toEqual([]);
    expect(await date({ Date: "then" }, true)).toEqual(["then"]);
  });
});
