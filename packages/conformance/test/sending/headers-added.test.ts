import type { HeadersInit } from "@upgrade/core";
import type { ByteStream } from "@upgrade/core/io";
import type { ServerOptions, ServerResponse, Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

/** The field lines our client sends. */
async function requested(request: object, options = {}): Promise<string[]> {
  const { peer, sender } = await dial(options);
  sender.sendRequest({ ...GET, ...request }).catch(() => {});
  return (await peer.readHead()).split("\r\n").slice(1, -2);
}

/** The field lines our server sends. */
async function responded(
  response: ServerResponse,
  request = head("GET /"),
  options: ServerOptions<ByteStream> = {},
): Promise<string[]> {
  const { peer } = await serve(() => response, options);
  await peer.send(request);
  return (await peer.readHead()).split("\r\n").slice(1, -2);
}

describe("L14: to the headers of a request we add", () => {
  const HOST = "Host: a.test";

  test("its framing: a length that is known, or chunked", async () => {
    expect(await requested({ ...POST, body: "two" })).toEqual([HOST, "Content-Length: 3"]);
    expect(await requested({ ...POST, body: ["two"] })).toEqual([
      HOST,
      "Transfer-Encoding: chunked",
    ]);
    const headers = { "content-LENGTH": "3", "Host": "a.test" };
    expect(await requested({ ...POST, headers, body: ["two"] })).toEqual([
      "content-LENGTH: 3",
      HOST,
    ]);
  });

  test("Connection: close, on its own line, on the last request", async () => {
    const last = { maxRequests: 1 };
    expect(await requested({}, last)).toEqual([HOST, "Connection: close"]);
    const headers: HeadersInit = [
      ["connection", "X-Hop"],
      ["Host", "a.test"],
      ["X-Hop", "1"],
    ];
    expect(await requested({ headers }, last)).toEqual([
      "connection: X-Hop",
      HOST,
      "X-Hop: 1",
      "Connection: close",
    ]);
    const closing = { Host: "a.test", Connection: "x, CLOSE" };
    expect(await requested({ headers: closing }, last)).toEqual([HOST, "Connection: x, CLOSE"]);
  });

  test("nothing else: no Date, no User-Agent, no keep-alive, even for HTTP/1.0", async () => {
    expect(await requested({})).toEqual([HOST]);
    expect(await requested({ version: "1.0" })).toEqual([HOST]);
    expect(await requested({ method: "OPTIONS", target: "*" })).toEqual([HOST]);
  });
});

describe("L14: to the headers of a response we add", () => {
  const old = (...fields: string[]): string => ["GET / HTTP/1.0", ...fields, "\r\n"].join("\r\n");

  test("Connection: keep-alive, if an HTTP/1.0 client requested it and gets it", async () => {
    const response = { status: 200, body: "x", headers: { A: "b" } };
    expect(await responded(response, old("Connection: Keep-Alive"))).toEqual([
      "A: b",
      "Content-Length: 1",
      "Connection: keep-alive",
    ]);
    expect(await responded(response, old())).toEqual([
      "A: b",
      "Content-Length: 1",
      "Connection: close",
    ]);
    expect(await responded(response, head("GET /", "Connection: keep-alive"))).toEqual([
      "A: b",
      "Content-Length: 1",
    ]);
    const given = { ...response, headers: { connection: "KEEP-ALIVE" } };
    expect(await responded(given, old("Connection: keep-alive"))).toEqual([
      "connection: KEEP-ALIVE",
      "Content-Length: 1",
    ]);
  });

  test("nothing to an interim one, and only Date to a switch", async () => {
    const { peer } = await serve(
      (request) => {
        request.sendInterim(103, { Link: "</a>" });
        return { status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } };
      },
      { date: true },
    );
    await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: chat"));
    expect(await peer.readHead()).toBe(answer("103 Early Hints", "Link: </a>"));
    expect((await peer.readHead()).replace(/\r\nDate: [^\r]+ GMT/, "")).toBe(
      answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat"),
    );
  });

  test("no field to the automatic 100", async () => {
    const { peer } = await serve(({ body }) => body.text().then(() => ({ status: 204 })), {
      date: true,
    });
    await peer.send(head("POST /", "Content-Length: 1", "Expect: 100-continue"));
    expect(await peer.readHead()).toBe(answer("100 Continue"));
  });

  test("length zero, close, and Date to our own refusals", async () => {
    const { peer } = await serve(() => ({ status: 200 }), { date: true });
    await peer.send("nonsense\r\n\r\n");
    expect((await peer.readToEnd()).replace(/\r\nDate: [^\r]+ GMT/, "")).toBe(
      answer("400 Bad Request", "Content-Length: 0", "Connection: close"),
    );
  });
});

describe("Upgrade", () => {
  test.each([
    ["without its connection option", { Upgrade: "chat" }],
    ["with another option", { Upgrade: "chat", Connection: "close" }],
  ])("is not sent %s, by neither end", async (_, fields) => {
    const { sender } = await dial();
    const headers = { Host: "a.test", ...fields };
    expect(await rejection(sender.sendRequest({ ...GET, headers }))).toBe("INVALID_UPGRADE");
    const { peer, reports } = await serve(() => ({ status: 200, headers: fields }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual(["service: INVALID_UPGRADE"]);
  });
});

describe("headers are given as", () => {
  const FORMS: [string, HeadersInit][] = [
    [
      "pairs",
      [
        ["Host", "a.test"],
        ["x-A", "1"],
        ["X-a", "2"],
      ],
    ],
    ["a record with a list", { "Host": "a.test", "x-A": ["1"], "X-a": "2" }],
    [
      "a Map",
      new Map([
        ["Host", "a.test"],
        ["x-A", "1"],
        ["X-a", "2"],
      ]),
    ],
  ];
  test.each(FORMS)("%s, to either end", async (_, headers) => {
    const lines = ["Host: a.test", "x-A: 1", "X-a: 2"];
    expect(await requested({ headers })).toEqual(lines);
    expect(await responded({ status: 204, headers })).toEqual(lines);
  });

  test("a WHATWG Headers, to either end", async () => {
    const headers = new Headers({ Host: "a.test", "X-A": "1" });
    expect(await requested({ headers })).toEqual(["host: a.test", "x-a: 1"]);
    expect(await responded({ status: 204, headers })).toEqual(["host: a.test", "x-a: 1"]);
  });

  test("latin-1, both ways: each character is one octet", async () => {
    const seen: string[] = [];
    const { peer } = await serve(({ headers }) => {
      seen.push(headers.get("x") ?? "", Buffer.from(headers.bytes("x")!).toString("hex"));
      return { status: 204, headers: { X: "\xe9\xff" } };
    });
    await peer.send(head("GET /", "X: \xe9\x80"));
    expect(await peer.readHead()).toBe(answer("204 No Content", "X: \xe9\xff"));
    expect(seen).toEqual(["\xe9\x80", "e980"]);
    const client = await dial();
    const sent = client.sender.sendRequest({ ...GET, headers: { Host: "a.test", X: "\xe9\xff" } });
    expect(await client.peer.readHead()).toBe(head("GET /", "X: \xe9\xff"));
    await client.peer.send(answer("204 No Content", "X: \xe9\x80"));
    expect([...(await sent).headers.bytes("X")!]).toEqual([0xe9, 0x80]);
  });
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

describe("L14 nothing hidden: a request is written as it was given", () => {
  test.each(["GET", "HEAD", "DELETE", "OPTIONS"])("%s", async (method) => {
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...GET, method });
    expect(await peer.readHead()).toBe(head(`${method} /`));
    await turns();
    expect(peer.unread).toBe("");
  });

  test("POST without a body has Content-Length: 0, which is framing", async () => {
    const { peer, sender } = await dial();
    void sender.sendRequest(POST);
    expect(await peer.readHead()).toBe(head("POST /", "Content-Length: 0"));
  });
});

describe("L14 nothing hidden: a response is written as it was given", () => {
  const OURS = { status: 200, headers: { Date: "yesterday" }, body: "" };

  test("its own Date is the only one", async () => {
    const { peer } = await serve(() => OURS, { date: true });
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(answer("200 OK", "Date: yesterday", "Content-Length: 0"));
  });

  test("and it has no Date if that is disabled", async () => {
    const { peer } = await serve(() => ({ status: 204 }), { date: false });
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(answer("204 No Content"));
  });
});
