// How a connection ends: half, gracefully, late, or with a failure that the other end sees as one.

import { upgrade } from "@upgrade/client";
import type { Case, Facts } from "./case.ts";
import { aborted, dialed, ECHO, GET, latch, POST, pause, served, switched } from "./ends.ts";
import { equal, failureOf } from "./expect.ts";
import { textOfBytes, Wire } from "./wire.ts";

const LONG = "0123456789".repeat(20_000);

/** What an aborted peer looks like in the middle of a message. */
const cutShort = ({ abort }: Facts): string =>
  abort === "failure" ? "TRANSPORT_FAILED" : "INCOMPLETE_MESSAGE";

/** What an aborted peer looks like to a running service. */
const gone = ({ abort }: Facts): string =>
  abort === "failure" ? "TRANSPORT_FAILED" : "PEER_ENDED";

export const ENDINGS: readonly Case[] = [
  {
    name: "a client that has ended its side still gets its response",
    async server(io) {
      const service = async () => {
        await pause(20);
        return { status: 200, body: LONG };
      };
      equal(await served(io, service, { halfClose: true }), "peer-ended");
    },
    async client(io) {
      const received = await new Wire(io).exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      equal(received.slice(0, 15), "HTTP/1.1 200 OK");
      equal(received.endsWith(`\r\n\r\n${LONG}`), true);
    },
  },
  {
    name: "a running service is told that the client has ended its side",
    async server(io) {
      const seen: string[] = [];
      await served(io, async (request) => {
        seen.push(await aborted(request.signal));
        return { status: 200 };
      });
      equal(seen, ["PEER_ENDED"]);
    },
    async client(io) {
      await new Wire(io).exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").catch(() => {});
    },
  },
  {
    name: "after a switch one end ends its side, and the other goes on",
    async server(io) {
      const { io: taken, readBuf } = await switched(io, (request) => request.switchTo("echo"));
      const wire = new Wire(taken, readBuf);
      equal(await wire.takeToEnd(), "question");
      await wire.write(LONG);
      await pause(20);
      await wire.write("the end");
      await wire.end();
    },
    async client(io) {
      const result = await upgrade(io, ECHO);
      if (!result.switched) throw new Error("refused");
      const wire = new Wire(result.io, result.readBuf);
      equal((await wire.exchange("question")) === `${LONG}the end`, true);
    },
  },
  {
    name: "a server that closes finishes its response first",
    async server(io) {
      let closed: Promise<{ kind: string }> | undefined;
      await served(io, (request) => {
        closed = request.connection.close();
        return { status: 200, body: LONG };
      });
      equal((await closed)?.kind, "closed");
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const response = await sender.sendRequest(GET);
      equal(response.headers.get("connection"), "close");
      equal((await response.body.text()) === LONG, true);
      equal((await connection.closed).kind, "not-persistent");
      equal(await failureOf(sender.sendRequest(GET)), "NOT_SENT");
    },
  },
  {
    name: "a client that closes finishes its exchange first",
    async server(io) {
      await served(io, async (request) => ({ status: 200, body: await request.body.text() }));
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const response = sender.sendRequest({ ...POST, body: LONG });
      const closed = connection.close();
      equal((await (await response).body.text()) === LONG, true);
      equal((await closed).kind, "closed");
    },
  },
  {
    name: "a body without a length ends with the connection",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      await wire.write("HTTP/1.1 200 OK\r\n\r\n", LONG);
      await wire.end();
      equal(await wire.takeToEnd(), "");
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const response = await sender.sendRequest(GET);
      equal(response.body.length, undefined);
      equal((await response.body.text()) === LONG, true);
      equal((await connection.closed).kind, "not-persistent");
    },
  },
  {
    name: "a client that aborts fails its request, and the server's service is told",
    async server(io, facts) {
      const seen: string[] = [];
      await served(io, async (request) => {
        request.sendInterim(102);
        seen.push(await aborted(request.signal));
        return { status: 200 };
      });
      equal(seen, [gone(facts)]);
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const onInterim = () => connection.abort();
      equal(await failureOf(sender.sendRequest(GET, { onInterim })), "ABORTED");
      equal((await connection.closed).kind, "failed");
    },
  },
  {
    name: "a canceled request ends the connection, and the server's service is told",
    async server(io, facts) {
      const seen: string[] = [];
      await served(io, async (request) => {
        request.sendInterim(102);
        seen.push(await aborted(request.signal));
        return { status: 200 };
      });
      equal(seen, [gone(facts)]);
    },
    async client(io) {
      const { sender } = await dialed(io);
      const controller = new AbortController();
      const { signal } = controller;
      const onInterim = () => controller.abort();
      equal(await failureOf(sender.sendRequest(GET, { onInterim, signal })), "CANCELED");
      equal(await failureOf(sender.sendRequest(GET)), "NOT_SENT");
    },
  },
  {
    name: "a server that aborts in the middle of a response fails the body that the client reads",
    async server(io) {
      const end = await served(io, (request) => {
        async function* body() {
          yield "part";
          for await (const _ of request.body);
          request.connection.abort();
          yield "never";
        }
        return { status: 200, body: body() };
      });
      equal(end, "failed: ABORTED");
    },
    async client(io, facts) {
      const { sender } = await dialed(io);
      const read = latch();
      async function* body() {
        yield "begins";
        await read.opened;
      }
      const response = await sender.sendRequest({ ...POST, body: body() });
      let text = "";
      const reading = (async () => {
        for await (const chunk of response.body) {
          text += textOfBytes(chunk);
          if (text === "part") read.open();
        }
      })();
      equal([await failureOf(reading), text], [cutShort(facts), "part"]);
    },
  },
  {
    name: "a client that resets in the middle of a request fails the body that the server reads",
    async server(io, facts) {
      const seen: string[] = [];
      await served(io, async (request) => {
        request.sendInterim(102);
        seen.push(await failureOf(request.body.text()));
        return { status: 200 };
      });
      equal(seen, [cutShort(facts)]);
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
      await wire.takeHead();
      wire.abort();
    },
  },
  {
    name: "a reset after a switch reaches the next protocol",
    async server(io, facts) {
      const { io: taken, readBuf } = await switched(io, (request) => request.switchTo("echo"));
      const wire = new Wire(taken, readBuf);
      equal(await wire.takeText(5), "reset");
      await wire.write("me");
      const outcome = await wire.read().then(
        (piece) => (piece === null ? "end" : "bytes"),
        () => "failure",
      );
      equal(outcome, facts.abort);
    },
    async client(io) {
      const result = await upgrade(io, ECHO);
      if (!result.switched) throw new Error("refused");
      const wire = new Wire(result.io, result.readBuf);
      await wire.write("reset");
      equal(await wire.takeText(2), "me");
      wire.abort();
    },
  },
  {
    name: "an idle connection ends at its deadline, by the runtime's own clock",
    async server(io) {
      equal(await served(io, () => ({ status: 204 }), { idleMs: 30 }), "idle");
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      await sender.sendRequest(GET);
      equal((await connection.closed).kind, "peer-ended");
    },
  },
  {
    name: "a head that does not arrive in time gets a 408",
    async server(io) {
      equal(await served(io, () => ({ status: 204 }), { headMs: 1_000 }), "failed: HEAD_TIMEOUT");
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      equal((await wire.takeHead()).slice(0, 12), "HTTP/1.1 204");
      await wire.write("GET / HTTP/1.1\r\nHo");
      equal((await wire.takeHead()).slice(0, 12), "HTTP/1.1 408");
      await wire.takeToEnd();
      await wire.end();
    },
  },
];
