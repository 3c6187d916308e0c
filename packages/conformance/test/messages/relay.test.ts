import { type ClientResponse, handshake as connectTo, type Sender, upgrade } from "@upgrade/client";
import { endToEnd } from "@upgrade/core";
import { type ByteStream, memoryPair } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

/** A scripted client, a relay made of our server and our client, and a scripted server. */
async function relay(
  forward: (
    request: Parameters<Service<ByteStream>>[0],
    sender: Sender,
  ) => ReturnType<Service<ByteStream>> = (request, sender) =>
    sender.sendRequest(request, {
      onInterim: ({ status, headers }) => request.sendInterim(status, headers),
    }),
) {
  const [near, far] = memoryPair();
  const { sender, connection } = await connectTo(near);
  const served = await serve((request) => forward(request, sender));
  return {
    client: served.peer,
    server: new ScriptedPeer(far),
    upstream: connection,
    reports: served.reports,
  };
}

const FIELDS = [
  "hOsT: a.test",
  "X-Twice: 1",
  "x-twice: 2",
  "X-Empty: ",
  "X-TWICE: 3",
  "X-Octets: \xe9\xff\x80",
  "X-Inner: a \t b",
];
const lines = (start: string, fields: readonly string[]) =>
  `${[start, ...fields].join("\r\n")}\r\n\r\n`;

describe("L15: a relayed message is verbatim:", () => {
  const framings: [string, string[], string][] = [
    ["Content-Length in its place", ["A: 1", "content-length: 5", "B: 2"], "hello"],
    [
      "chunked at its place",
      ["A: 1", "transfer-ENCODING: chunked", "B: 2"],
      "5\r\nhello\r\n0\r\n\r\n",
    ],
    [
      "trailers",
      ["Trailer: X-Sum", "Transfer-Encoding: chunked"],
      "5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-SUM: 2\r\n\r\n",
    ],
    ["an empty body", ["Content-Length: 0"], ""],
  ];

  test.each(framings)("a request and its response, %s", async (_, framing, body) => {
    const { client, server } = await relay();
    const request = lines("POST /a?b=%20c HTTP/1.1", [...FIELDS, ...framing]) + body;
    await client.send(request);
    expect(await server.read(request.length)).toBe(request);
    const fields = FIELDS.slice(1);
    const response = lines("HTTP/1.1 299 All \xe9 right", [...fields, ...framing]) + body;
    await server.send(response);
    expect(await client.read(response.length)).toBe(response);
    await turns();
    expect([server.unread, client.unread]).toEqual(["", ""]);
  });

  test("the next exchange follows", async () => {
    const { client, server } = await relay();
    for (const target of ["/1", "/2"]) {
      await client.send(head(`GET ${target}`));
      expect(await server.readHead()).toBe(head(`GET ${target}`));
      await server.send(answer("204 No Content", `X-Of: ${target}`));
      expect(await client.readHead()).toBe(answer("204 No Content", `X-Of: ${target}`));
    }
  });

  test("every target form", async () => {
    for (const line of ["OPTIONS *", "GET http://a.test/b", "GET /%2e%2E//c?", "OPTIONS /"]) {
      const { client, server } = await relay();
      await client.send(head(line));
      expect(await server.readHead()).toBe(head(line));
    }
  });

  test("an empty reason phrase", async () => {
    const { client, server } = await relay();
    await client.send(head("GET /"));
    await server.readHead();
    await server.send("HTTP/1.1 204 \r\n\r\n");
    expect(await client.readHead()).toBe("HTTP/1.1 204 \r\n\r\n");
  });

  test("HEAD and 304 keep their length", async () => {
    for (const [method, status] of [
      ["HEAD", "200 OK"],
      ["GET", "304 Not Modified"],
    ]) {
      const { client, server } = await relay();
      await client.send(head(`${method} /`));
      await server.readHead();
      const response = answer(status!, "Content-Length: 5", "ETag: x");
      await server.send(response);
      expect(await client.readHead()).toBe(response);
    }
  });

  test("interim responses and Expect pass in their order", async () => {
    const { client, server } = await relay();
    const request = head("POST /", "Content-Length: 2", "Expect: 100-continue");
    await client.send(request);
    expect(await server.readHead()).toBe(request);
    await turns();
    expect(client.unread).toBe("");
    await server.send(answer("103 Early Hints", "Link: </a>") + answer("100 Continue"));
    expect(await client.readHead()).toBe(answer("103 Early Hints", "Link: </a>"));
    expect(await client.readHead()).toBe(answer("100 Continue"));
    await client.send("ok");
    expect(await server.read(2)).toBe("ok");
    await server.send(answer("204 No Content"));
    expect(await client.readHead()).toBe(answer("204 No Content"));
  });

  test("a 100 that no client waits for is not relayed, but the response is", async () => {
    const { client, server } = await relay();
    await client.send(`${head("POST /", "Content-Length: 2")}hi`);
    await server.readUntil("hi");
    await server.send(answer("100 Continue") + answer("103 Early Hints", "Connection: close"));
    await server.send(`${answer("200 OK", "Content-Length: 2")}ok`);
    expect(await client.readHead()).toBe(answer("103 Early Hints"));
    expect(await client.readUntil("ok")).toBe(`${answer("200 OK", "Content-Length: 2")}ok`);
    await turns();
    expect([client.unread, client.ended]).toEqual(["", false]);
  });

  test("a failed upload does not reach the server as complete", async () => {
    const { client, server } = await relay();
    await client.send(`${head("POST /", "Transfer-Encoding: chunked")}4\r\nhalf\r\n`);
    await server.readUntil("4\r\nhalf\r\n");
    client.reset();
    await server.failed();
    expect([server.unread, server.ended]).toEqual(["", false]);
  });

  test("a failed download does not reach the client as complete", async () => {
    const { client, server } = await relay();
    await client.send(head("GET /"));
    await server.readHead();
    await server.send(`${answer("200 OK")}half`);
    await client.readUntil("half");
    server.reset();
    await client.failed();
    expect(client.ended).toBe(false);
  });

  test("a client that goes away ends its download at once", async () => {
    const { client, server } = await relay();
    await client.send(head("GET /"));
    await server.readHead();
    await server.send(`${answer("200 OK", "Content-Length: 1000000")}half`);
    await client.readUntil("half");
    client.reset();
    await turns();
    for (let i = 0; i < 20; i++) void server.send("x".repeat(10_000)).catch(() => {});
    await server.failed();
  });
});

describe("endToEnd", () => {
  test("relays the end-to-end fields", async () => {
    const { client, server } = await relay(async (request, sender) => {
      const { method, target, body, trailers } = request;
      const headers = endToEnd(request.headers);
      const response: ClientResponse = await sender.sendRequest({
        method,
        target,
        headers,
        body,
        trailers,
      });
      return {
        status: response.status,
        reason: response.reason,
        headers: endToEnd(response.headers),
        body: response.body,
        trailers: response.trailers,
      };
    });
    await client.send(
      `${head("POST /", "Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: 5", "TE: trailers", "X-End: 1", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n`,
    );
    expect(await server.readUntil("X-Sum: 1\r\n\r\n")).toBe(
      `${head("POST /", "X-End: 1", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n`,
    );
    await server.send(
      `${answer("200 Fine", "Connection: keep-alive", "Content-Length: 2", "X-End: 2")}ok`,
    );
    const response = `${answer("200 Fine", "Content-Length: 2", "X-End: 2")}ok`;
    expect(await client.read(response.length)).toBe(response);
  });

  test.each(["204 No Content", "304 Not Modified", "200 OK\r\nContent-Length: 0"])(
    "relays %s in parts",
    async (status) => {
      const { client, server } = await relay(async (request, sender) => {
        const { headers, body, trailers, ...rest } = await sender
          .sendRequest(request)
          .then((r) => ({
            status: r.status,
            headers: r.headers,
            body: r.body,
            trailers: r.trailers,
          }));
        return { ...rest, headers: endToEnd(headers), body, trailers };
      });
      await client.send(head("GET /"));
      await server.readHead();
      await server.send(`HTTP/1.1 ${status}\r\n\r\n`);
      expect(await client.readHead()).toBe(`HTTP/1.1 ${status}\r\n\r\n`);
    },
  );
});

describe("L4: a reverse proxy that allows only websocket", () => {
  const websocket = ["websocket"];
  const proxy = () =>
    relay(async ({ method, target, headers, body }, sender) => {
      const response = await sender.sendRequest({
        ...{ method, target, body },
        headers: endToEnd(headers, websocket),
      });
      const { status, reason } = response;
      return { status, reason, headers: endToEnd(response.headers, websocket) };
    });

  test("asks the origin without h2c, and answers the client as if h2c had not been proposed", async () => {
    const { client, server } = await proxy();
    const h2c = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "X: 1"];
    await client.send(head("GET /", "Connection: Upgrade, HTTP2-Settings", ...h2c));
    expect(await server.readHead()).toBe(head("GET /", "X: 1"));
    await server.send(answer("200 OK", "Content-Length: 0", "Connection: Upgrade", "Upgrade: h2c"));
    expect(await client.readHead()).toBe(answer("200 OK", "Content-Length: 0"));
  });

  test("relays the rest of a list, and a 426 that requires it", async () => {
    const { client, server } = await proxy();
    const rest = ["Connection: Upgrade", "Host: a.test", "Upgrade: websocket"];
    await client.send(head("GET /", "Connection: Upgrade", "Upgrade: h2c, websocket"));
    expect(await server.readHead()).toBe(`${["GET / HTTP/1.1", ...rest].join("\r\n")}\r\n\r\n`);
    const asks = ["Connection: Upgrade", "Upgrade: websocket"];
    await server.send(answer("426 Upgrade Required", ...asks, "Content-Length: 0"));
    const refusal = answer(
      "426 Upgrade Required",
      ...asks,
      "Content-Length: 0",
      "Connection: close",
    );
    expect(await client.readHead()).toBe(refusal);
  });
});

describe("a proposal that is relayed by upgrade()", () => {
  const OFFER = ["Connection: Upgrade", "Upgrade: chat"];
  const chunked = `${head("POST /chat", ...OFFER, "Transfer-Encoding: chunked")}2\r\nhi\r\n0\r\nT: 1\r\n\r\n`;
  const counted = `${head("POST /chat", ...OFFER, "Content-Length: 2")}hi`;

  test.each([
    ["in chunks, with trailers", chunked],
    ["of known length", counted],
    ["of none", head("GET /chat", ...OFFER)],
  ])("L5, L15: has its body, %s", async (_, proposal) => {
    const [near, far] = memoryPair();
    const server = new ScriptedPeer(far);
    const { peer } = await serve(async (request) => {
      const result = await upgrade(near, request);
      if (result.switched) throw new Error("the proposal was not accepted");
      return { status: result.response.status };
    });
    await peer.send(proposal);
    expect(await server.read(proposal.length)).toBe(proposal);
    await server.send(answer("403 Forbidden", "Content-Length: 0"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 403 /);
  });
});
