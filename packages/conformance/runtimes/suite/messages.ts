// Requests and responses, one after another and at once.

import { fetchService } from "@upgrade/server";
import type { Case } from "./case.ts";
import { dialed, GET, HOST, POST, served } from "./ends.ts";
import { equal, failureOf } from "./expect.ts";
import { Wire } from "./wire.ts";

export const MESSAGES: readonly Case[] = [
  {
    name: "a request is answered, both heads arrive as they were sent, and close() ends both ends",
    async server(io) {
      const end = await served(
        io,
        ({ method, target, headers }) => {
          equal([method, target], ["GET", "/path?query"]);
          equal(
            [...headers],
            [
              ["Host", "a.test"],
              ["X-Case", "kept"],
              ["x-case", "twice"],
            ],
          );
          return { status: 200, reason: "Fine", headers: { "X-Answer": "yes" }, body: "hello\n" };
        },
        { date: false },
      );
      equal(end, "peer-ended");
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const headers = [
        ["Host", "a.test"],
        ["X-Case", "kept"],
        ["x-case", "twice"],
      ] as const;
      const response = await sender.sendRequest({ method: "GET", target: "/path?query", headers });
      equal([response.status, response.reason], [200, "Fine"]);
      equal(
        [...response.headers],
        [
          ["X-Answer", "yes"],
          ["Content-Length", "6"],
        ],
      );
      equal(await response.body.text(), "hello\n");
      equal(await close(), "closed");
    },
  },
  {
    name: "one connection carries many requests, one after another",
    async server(io) {
      let count = 0;
      await served(io, async (request) => {
        count++;
        return { status: 200, body: `${count}: ${await request.body.text()}` };
      });
      equal(count, 20);
    },
    async client(io) {
      const { sender, connection, close } = await dialed(io);
      for (let i = 1; i <= 20; i++) {
        const response = await sender.sendRequest({ ...POST, body: `request ${i}` });
        equal(await response.body.text(), `${i}: request ${i}`);
      }
      equal(connection.stats.requests, 20);
      await close();
    },
  },
  {
    name: "pipelined requests are answered in their order",
    async server(io) {
      await served(io, ({ target }) => ({ status: 200, body: target }));
    },
    async client(io) {
      const { sender, close } = await dialed(io, { pipeline: 8 });
      const targets = ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"];
      const responses = targets.map((target) => sender.sendRequest({ ...GET, target }));
      const bodies: string[] = [];
      for (const response of responses) bodies.push(await (await response).body.text());
      equal(bodies, targets);
      await close();
    },
  },
  {
    name: "requests that arrive in one piece are answered in their order",
    async server(io) {
      equal(await served(io, ({ target }) => ({ status: 200, body: target })), "peer-ended");
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write(
        ["/1", "/2", "/3"].map((it) => `GET ${it} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""),
      );
      for (const target of ["/1", "/2", "/3"]) {
        const head = await wire.takeHead();
        equal(head.startsWith("HTTP/1.1 200 OK\r\n"), true);
        equal(await wire.takeText(2), target);
      }
      await wire.end();
      equal(await wire.takeToEnd(), "");
    },
  },
  {
    name: "HEAD and 204 have no body, and the connection goes on",
    async server(io) {
      await served(io, ({ method }) =>
        method === "DELETE" ? { status: 204 } : { status: 200, body: "seven\r\n" },
      );
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const head = await sender.sendRequest({ ...GET, method: "HEAD" });
      equal([head.headers.get("content-length"), await head.body.text()], ["7", ""]);
      const none = await sender.sendRequest({ ...GET, method: "DELETE" });
      equal([none.status, await none.body.text()], [204, ""]);
      const whole = await sender.sendRequest(GET);
      equal(await whole.body.text(), "seven\r\n");
      await close();
    },
  },
  {
    name: "interim responses arrive in order, before the final one",
    async server(io) {
      await served(io, (request) => {
        equal(request.sendInterim(102), true);
        equal(request.sendInterim(103, { Link: "</a.css>" }), true);
        return { status: 200, body: "done" };
      });
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const seen: string[] = [];
      const onInterim = ({ status, headers }: { status: number; headers: Iterable<unknown> }) =>
        void seen.push(`${status} ${[...headers].join()}`.trim());
      const response = await sender.sendRequest(GET, { onInterim });
      equal(seen, ["102", "103 Link,</a.css>"]);
      equal(await response.body.text(), "done");
      await close();
    },
  },
  {
    name: "an HTTP/1.0 client is answered, then the connection ends",
    async server(io) {
      equal(await served(io, () => ({ status: 200, body: "old" })), "not-persistent");
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write("GET / HTTP/1.0\r\n\r\n");
      const head = await wire.takeHead();
      equal(/^connection: close\r$/im.test(head), true);
      equal(await wire.takeToEnd(), "old");
      await wire.end();
    },
  },
  {
    name: "a request that breaks the rules gets a 400, and the connection ends",
    async server(io) {
      equal(await served(io, () => ({ status: 200 })), "failed: BAD_HOST");
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write("GET / HTTP/1.1\r\n\r\n");
      equal((await wire.takeHead()).slice(0, 24), "HTTP/1.1 400 Bad Request");
      await wire.takeToEnd();
      await wire.end();
    },
  },
  {
    name: "a response that breaks the rules fails its request, and the connection is not used again",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      await wire.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
      await wire.takeToEnd().catch(() => {});
    },
    async client(io) {
      const { sender } = await dialed(io);
      equal(await failureOf(sender.sendRequest(GET)), "BAD_CONTENT_LENGTH");
      equal(await failureOf(sender.sendRequest(GET)), "NOT_SENT");
    },
  },
  {
    name: "a fetch handler answers Request with Response",
    async server(io) {
      const service = fetchService(async (given) => {
        const request = given as Request;
        const body = `${request.method} ${request.url} ${await request.text()}`;
        return new Response(body, { status: 201, headers: { "x-answer": "yes" } });
      });
      await served(io, service);
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const request = { method: "PUT", target: "/a?b", headers: HOST, body: "content" };
      const response = await sender.sendRequest(request);
      equal([response.status, response.headers.get("x-answer")], [201, "yes"]);
      equal(await response.body.text(), "PUT http://a.test/a?b content");
      await close();
    },
  },
];
