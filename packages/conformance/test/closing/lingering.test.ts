import { once } from "node:events";
import type net from "node:net";
import type { Io } from "@upgrade/core/io";
import { type Service, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { destroyPairs, PAIRS, type Pair, tcpPair } from "../../src/pairs/pairs.ts";
import { collect, serveTcp } from "../../src/pairs/serve-tcp.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const REPLY = "x".repeat(200_000);

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
    const { far, connection } = await serveTcp(service);
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
    const { far, connection } = await serveTcp(({ target }) => {
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
    const { far, connection } = await serveTcp(() => ({ status: 200 }), { lingerBytes: 1_000 });
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

const MEGABYTE = "x".repeat(1_048_576);

describe("L7 a closing server lingers, so that its last response arrives", () => {
  test.each(PAIRS)("over $name, with unread bytes of the client", async ({ make }) => {
    const [io, far]: Pair = await make();
    await arrives(io, far, 100_000);
  });

  test("over TCP, repeatedly, with as many bytes as are discarded", async () => {
    for (let i = 0; i < 10; i++) {
      const [io, far] = await tcpPair();
      await arrives(io, far, 200_000);
    }
  });

  async function arrives(io: Io, far: Io, unread: number): Promise<void> {
    const peer = new ScriptedPeer(far);
    const { connection } = await serveOn(io, () => ({
      status: 403,
      body: MEGABYTE.slice(0, 300_000),
    }));
    const head = REQUEST.upgrade
      .replace("GET", "POST")
      .replace("Host", "Content-Length: 9999999\r\nHost");
    void peer.send(head + "y".repeat(unread)).catch(() => {});
    const all = await peer.readToEnd();
    expect(all).toMatch(/^HTTP\/1\.1 403 /);
    expect(all.slice(-300_000)).toBe(MEGABYTE.slice(0, 300_000));
    await peer.end();
    expect((await connection.closed).kind).toBe("not-persistent");
  }
});
