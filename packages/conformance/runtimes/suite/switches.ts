// Proposals: accepted, refused and taken over; what becomes of every byte, and of the io.

import { connect, upgrade } from "@upgrade/client";
import { type Io, memoryPair, type Parts, rewind, tunnel } from "@upgrade/core/io";
import type { Case } from "./case.ts";
import { dialed, ECHO, GET, HOST, served, switched } from "./ends.ts";
import { equal, failureOf, same } from "./expect.ts";
import { Wire } from "./wire.ts";

const ACCEPTS = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
const PROPOSES = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

const wireOf = ({ io, readBuf }: Parts<Io>): Wire => new Wire(io, readBuf);

/** Returns whatever arrives, then ends. */
async function echo(wire: Wire): Promise<void> {
  for (let piece = await wire.read(); piece !== null; piece = await wire.read()) {
    await wire.write(piece);
  }
  await wire.end();
}

/** The parts of an accepted proposal. */
async function accepted(io: Io, request: Parameters<typeof upgrade<Io>>[1]): Promise<Parts<Io>> {
  const result = await upgrade(io, request);
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  return result.parts;
}

export const SWITCHES: readonly Case[] = [
  {
    name: "an accepted proposal hands both ends the io that they passed in",
    async server(io) {
      const parts = await switched(io, (request) => {
        equal(request.proposal?.kind, "upgrade");
        return request.switchTo("echo");
      });
      same(parts.io, io);
      await echo(wireOf(parts));
    },
    async client(io) {
      const result = await upgrade(io, ECHO);
      if (!result.switched) throw new Error("refused");
      same(result.io, io);
      equal([result.protocol, result.response.status], ["echo", 101]);
      const wire = wireOf(result.parts);
      await wire.write("there");
      equal(await wire.takeText(5), "there");
      equal(await wire.exchange(" and back"), " and back");
    },
  },
  {
    name: "the server's first bytes, sent with the 101, are the client's first",
    async server(io) {
      const parts = await switched(io, (request) =>
        request.switchTo("echo", { firstBytes: "welcome, " }),
      );
      await echo(wireOf(parts));
    },
    async client(io) {
      const wire = wireOf(await accepted(io, ECHO));
      equal(await wire.exchange("dear"), "welcome, dear");
    },
  },
  {
    name: "bytes that a client sends with its proposal are the next protocol's first",
    async server(io) {
      const parts = await switched(io, (request) => request.switchTo("echo"));
      await echo(wireOf(parts));
    },
    async client(io) {
      const wire = new Wire(io);
      await wire.write(`${PROPOSES}early, `);
      equal((await wire.takeHead()).slice(0, 12), "HTTP/1.1 101");
      equal(await wire.exchange("late"), "early, late");
    },
  },
  {
    name: "bytes that a server sends with its 101, in any number of pieces, lose nothing",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      for (const octet of ACCEPTS) await wire.write(octet);
      await wire.write("early, ");
      await echo(wire);
    },
    async client(io) {
      const wire = wireOf(await accepted(io, ECHO));
      equal(await wire.exchange("late"), "early, late");
    },
  },
  {
    name: "the body of a proposal is HTTP to its last byte",
    async server(io) {
      const parts = await switched(io, async (request) => {
        equal(await request.body.text(), "HTTP");
        return request.switchTo("echo");
      });
      await echo(wireOf(parts));
    },
    async client(io) {
      const wire = wireOf(await accepted(io, { ...ECHO, method: "POST", body: "HTTP" }));
      equal(await wire.exchange("not HTTP"), "not HTTP");
    },
  },
  {
    name: "a proposal after other requests on the same connection",
    async server(io) {
      let parts: Parts<Io> | undefined;
      await served(io, async (request) => {
        if (request.proposal === undefined) return { status: 200, body: "first" };
        parts = await request.switchTo("echo");
        return undefined;
      });
      await echo(wireOf(parts!));
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      equal(await (await sender.sendRequest(GET)).body.text(), "first");
      const headers = { ...HOST, Connection: "Upgrade", Upgrade: "echo" };
      const parts = connection.withoutShutdown();
      equal((await sender.sendRequest({ ...GET, headers })).status, 101);
      const wire = wireOf(await parts);
      equal(await wire.exchange("then"), "then");
    },
  },
  {
    name: "a refusal is a response with a body, and the connection goes on",
    async server(io) {
      const headers = { Upgrade: "other" };
      await served(
        io,
        ({ proposal }) =>
          proposal === undefined
            ? { status: 200, body: "as usual" }
            : { status: 426, headers, body: "speak other" },
        { keepAliveAfterRefusal: true },
      );
    },
    async client(io) {
      const result = await upgrade(io, ECHO);
      if (result.switched) throw new Error("it was accepted");
      equal([result.response.status, await result.response.body.text()], [426, "speak other"]);
      const response = await result.sender.sendRequest(GET);
      equal(await response.body.text(), "as usual");
      await result.connection.close();
    },
  },
  {
    name: "a service takes the io with the proposal unanswered, and answers by hand",
    async server(io) {
      const parts = await switched(io, (request) => request.takeOver());
      same(parts.io, io);
      const wire = wireOf(parts);
      await wire.write(ACCEPTS, "by hand, ");
      await echo(wire);
    },
    async client(io) {
      const wire = wireOf(await accepted(io, ECHO));
      equal(await wire.exchange("too"), "by hand, too");
    },
  },
  {
    name: "after a switch the same io carries HTTP again",
    async server(io) {
      const parts = await switched(io, (request) => request.switchTo("echo"));
      await served(rewind(parts), async (request) => ({
        status: 200,
        body: await request.body.text(),
      }));
    },
    async client(io) {
      const parts = await accepted(io, ECHO);
      const { sender, close } = await dialed(rewind(parts));
      for (const body of ["one", "two"]) {
        const response = await sender.sendRequest({ ...GET, method: "POST", body });
        equal(await response.body.text(), body);
      }
      await close();
    },
  },
  {
    name: "after its last response a client's io is left open to the caller",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      await wire.write(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "more",
      );
      equal(await wire.takeText(4), "mine");
      await wire.end();
      equal(await wire.takeToEnd(), "");
    },
    async client(io) {
      const { sender, connection } = await dialed(io);
      const parts = connection.withoutShutdown();
      const response = await sender.sendRequest(GET);
      equal(await response.body.text(), "ok");
      const taken = await parts;
      same(taken.io, io);
      const wire = wireOf(taken);
      equal(await wire.takeText(4), "more");
      await wire.write("mine");
      equal(await wire.takeToEnd(), "");
      await wire.end();
    },
  },
  {
    name: "CONNECT opens a tunnel",
    async server(io) {
      const parts = await switched(io, (request) => {
        equal([request.method, request.target], ["CONNECT", "b.test:443"]);
        return request.switchTo();
      });
      same(parts.io, io);
      await echo(wireOf(parts));
    },
    async client(io) {
      const result = await connect(io, "b.test:443");
      if (!result.switched) throw new Error("refused");
      same(result.io, io);
      const wire = wireOf(result.parts);
      equal(await wire.exchange("through"), "through");
    },
  },
  {
    name: "a refused CONNECT is a response with a body",
    async server(io) {
      const headers = { "Proxy-Authenticate": "Basic" };
      await served(io, () => ({ status: 407, headers, body: "who are you?" }));
    },
    async client(io) {
      const result = await connect(io, "b.test:443");
      if (result.switched) throw new Error("it was accepted");
      equal([result.response.status, await result.response.body.text()], [407, "who are you?"]);
      await result.connection.close();
    },
  },
  {
    name: "tunnel() joins the io with another one, both ways and to both ends",
    async server(io) {
      const [near, far] = memoryPair();
      const parts = await switched(io, (request) => request.switchTo());
      const target = { io: near, readBuf: new Uint8Array(0), readEnded: false };
      const [end] = await Promise.all([tunnel(parts, target), echo(new Wire(far))]);
      equal(end, { aToB: 100_000, bToA: 100_000, endedBy: "a" });
    },
    async client(io) {
      const result = await connect(io, "b.test:443");
      if (!result.switched) throw new Error("refused");
      const wire = wireOf(result.parts);
      const text = "0123456789".repeat(10_000);
      equal((await wire.exchange(text)) === text, true);
    },
  },
  {
    name: "a 101 that was not proposed is refused, and the io aborted",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      await wire.write(ACCEPTS);
      await wire.takeToEnd().catch(() => {});
    },
    async client(io) {
      const { sender } = await dialed(io);
      equal(await failureOf(sender.sendRequest({ ...GET, headers: HOST })), "UNEXPECTED_SWITCH");
    },
  },
];
