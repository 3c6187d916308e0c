import net from "node:net";
import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Connection, type ForcedParts, memoryPair } from "@upgrade/core/io";
import { type ServerRequest, handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { GET, head, latin1, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const UPLOAD = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n";
const never = new Promise<never>(() => {});
const TAKEN = expect.objectContaining({ code: "TAKEN_APART" });

/** A connection in some state, and its pending promises. */
interface Scene {
  readonly connection: Connection<ByteStream>;
  readonly peer: ScriptedPeer;
  /** All of these reject with TAKEN_APART. */
  readonly waiting: Promise<unknown>[];
  /** Received bytes without an owner. */
  readonly readBuf?: string;
}

type Stage = (io: ByteStream, peer: ScriptedPeer) => Promise<Omit<Scene, "peer">>;

const CLIENT: Record<string, Stage> = {
  "idle": async (io) => ({ ...(await connectTo(io)), waiting: [] }),
  "a request being sent": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(GET);
    await peer.readHead();
    return { connection, waiting: [sent] };
  },
  "a body being sent": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const body = (async function* () {
      yield "first piece";
      await never;
    })();
    const sent = sender.sendRequest({ ...GET, method: "POST", body });
    await peer.readUntil("first piece");
    return { connection, waiting: [sent] };
  },
  "half a head received": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send("HTTP/1.1 200 O");
    await turns();
    return { connection, waiting: [sent], readBuf: "HTTP/1.1 200 O" };
  },
  "half a body received": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    const { body, trailers } = await sent;
    return { connection, waiting: [body.text(), trailers] };
  },
  "a proposal that waits": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    await peer.readHead();
    return { connection, waiting: [sent] };
  },
  "accepted, with the request still being sent": async (io, peer) => {
    const { sender, connection } = await connectTo(io);
    const body = (async function* () {
      yield "first piece";
      await never;
    })();
    const sent = sender.sendRequest({ ...PROPOSAL.upgrade, method: "POST", body });
    await peer.readUntil("first piece");
    await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nearly");
    expect((await sent).status).toBe(101);
    return { connection, waiting: [], readBuf: "early" };
  },
};

/** Serves, and returns the first request as the service gets it. */
async function served(
  io: ByteStream,
  peer: ScriptedPeer,
  bytes: string,
  service: (request: ServerRequest<ByteStream>) => unknown = () => never,
) {
  let take!: (request: ServerRequest<ByteStream>) => void;
  const request = new Promise<ServerRequest<ByteStream>>((resolve) => {
    take = resolve;
  });
  const { connection } = await serve(io, (request) => {
    take(request);
    return service(request) as never;
  });
  await peer.send(bytes);
  return { connection, request: await request };
}

const aborted = ({ signal }: { signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

const SERVER: Record<string, Stage> = {
  "idle": async (io) => ({ ...(await serve(io, () => ({ status: 204 }))), waiting: [] }),
  "half a head received": async (io, peer) => {
    const { connection } = await serve(io, () => ({ status: 204 }));
    await peer.send("GET / HT");
    await turns();
    return { connection, waiting: [], readBuf: "GET / HT" };
  },
  "a running service, and more requests": async (io, peer) => {
    const { connection, request } = await served(io, peer, `${HELLO}${HELLO}`);
    return { connection, waiting: [aborted(request)], readBuf: HELLO };
  },
  "half a body received": async (io, peer) => {
    const { connection, request } = await served(io, peer, `${UPLOAD}half`);
    const waiting = [request.body.text(), request.trailers, aborted(request)];
    await turns();
    return { connection, waiting };
  },
  "a body being drained": async (io, peer) => {
    const { connection, request } = await served(io, peer, `${UPLOAD}half`);
    expect(await Promise.race([request.body.cancel(), turns().then(() => "later")])).toBe("later");
    return { connection, waiting: [aborted(request)] };
  },
  "a body being sent": async (io, peer) => {
    const body = (async function* () {
      yield "first piece";
      await never;
    })();
    const { connection } = await served(io, peer, HELLO, () => ({ status: 200, body }));
    await peer.readUntil("first piece");
    return { connection, waiting: [] };
  },
  "a switch that waits for the body": async (io, peer) => {
    const post = UPLOAD.replace("Host", "Connection: Upgrade\r\nUpgrade: chat\r\nHost");
    let parts!: Promise<unknown>;
    const { connection } = await served(io, peer, `${post}half`, (request) => {
      parts = request.switchTo("chat");
    });
    return { connection, waiting: [parts] };
  },
  "a takeOver that waits for the body": async (io, peer) => {
    const post = UPLOAD.replace("Host", "Connection: Upgrade\r\nUpgrade: chat\r\nHost");
    let parts!: Promise<unknown>;
    const { connection } = await served(io, peer, `${post}half`, (request) => {
      parts = request.takeOver();
    });
    return { connection, waiting: [parts] };
  },
  "a proposal that waits, with early bytes": async (io, peer) => {
    const { connection, request } = await served(io, peer, `${REQUEST.upgrade}early`);
    return { connection, waiting: [aborted(request)], readBuf: "early" };
  },
};

const STAGES = [
  ...Object.entries(CLIENT).map(([name, stage]) => ["client", name, stage] as const),
  ...Object.entries(SERVER).map(([name, stage]) => ["server", name, stage] as const),
];

describe("intoParts({ force: true })", () => {
  test.each(STAGES)("a %s: %s", async (_, __, stage) => {
    const unhandled = watchUnhandled();
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { connection, waiting, readBuf = "" } = await stage(io, peer);
    const ends = [connection.pollWithoutShutdown(), connection.run(), connection.closed];
    const parts: ForcedParts<ByteStream> = connection.intoParts({ force: true });
    expect(parts.io).toBe(io);
    expect(latin1(parts.readBuf)).toBe(readBuf);
    expect(parts.unsent).toBeInstanceOf(Uint8Array);
    for (const promise of waiting) await expect(promise).rejects.toEqual(TAKEN);
    const reason = { kind: "taken-apart", because: "by intoParts" };
    expect(await Promise.all(ends)).toEqual([{ kind: "ended", reason }, undefined, reason]);
    expect(() => connection.intoParts({ force: true })).toThrow(
      expect.objectContaining({ code: "ALREADY_TAKEN" }),
    );
    const next = new ScriptedPeer(io);
    await next.send("-from us");
    expect(await peer.readUntil("-from us")).toMatch(/-from us$/);
    await peer.send("from them");
    expect(await next.read(9)).toBe("from them");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("what was written in the same turn, and not handed over, is unsent", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let unsent!: Uint8Array;
    const { connection } = await serve(io, (request) => {
      request.sendInterim(103, { Link: "</a>" });
      unsent = connection.intoParts({ force: true }).unsent;
    });
    await peer.send(HELLO);
    await turns();
    expect(latin1(unsent)).toBe("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    expect(peer.unread).toBe("");
  });

  test("a request that waits in the queue was never sent", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const first = sender.sendRequest(GET);
    const second = sender.sendRequest(GET);
    const ready = sender.ready();
    await peer.readHead();
    connection.intoParts({ force: true });
    await expect(first).rejects.toMatchObject({ code: "TAKEN_APART", sent: "all" });
    await expect(second).rejects.toMatchObject({ code: "NOT_SENT", sent: "nothing" });
    await expect(ready).rejects.toMatchObject({ code: "NOT_SENT" });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
    expect([sender.isReady, sender.isClosed]).toEqual([false, true]);
  });

  test("on an io that is not connected the whole request is unsent", async () => {
    const socket = new net.Socket();
    // It looks like a socket that is connecting, but never connects.
    Object.defineProperty(socket, "connecting", { value: true });
    const { sender, connection } = await connectTo(socket);
    const sent = sender.sendRequest(GET);
    await turns();
    const { unsent } = connection.intoParts({ force: true });
    expect(latin1(unsent)).toBe(HELLO);
    await expect(sent).rejects.toMatchObject({ code: "TAKEN_APART" });
  });
});

describe("taken apart by force", () => {
  test.each([
    ["text", "abc"],
    ["bytes", Uint8Array.of(0x61, 0x62, 0x63)],
  ])("it returns what is unsent: %s", async (_, body) => {
    const { connection, sender } = await dial();
    const pending = sender.sendRequest({ ...POST, body });
    const { unsent } = connection.intoParts({ force: true });
    expect(latin1(unsent)).toBe(`${head("POST /", "Content-Length: 3")}abc`);
    expect(await rejection(pending)).toBe("TAKEN_APART");
  });
});
