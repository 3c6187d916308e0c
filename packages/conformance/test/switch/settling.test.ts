import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Connection, ManualClock, memoryPair } from "@upgrade/core/io";
import { type ServerRequest, handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { destroyPairs, duplexPair, PAIRS, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

/** Promises by name, and which of them are pending. */
class Waiting {
  readonly #settled = new Map<string, boolean>();

  add(name: string, promise: Promise<unknown>): void {
    this.#settled.set(name, false);
    const settle = (): void => void this.#settled.set(name, true);
    promise.then(settle, settle);
  }

  /** Only observed: these have no handler, but must not become unhandled rejections. */
  ignore(_: Promise<unknown>): void {}

  get open(): string[] {
    return [...this.#settled].filter(([, settled]) => !settled).map(([name]) => name);
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 50 && this.open.length > 0; i++) await turns(1);
    expect(this.open).toEqual([]);
  }
}

/** What an ending has access to. */
interface Scene {
  readonly connection: Connection<ByteStream>;
  readonly peer: ScriptedPeer;
  readonly clock: ManualClock;
  readonly waiting: Waiting;
}

const ENDS: Record<string, (scene: Scene) => unknown> = {
  "an end of file": ({ peer }) => peer.end(),
  "a reset": ({ peer }) => peer.reset(),
  "an abort": ({ connection }) => connection.abort("enough"),
  "a deadline": ({ clock }) => clock.advance(60_000),
  "close(), and its deadline": ({ connection, clock, waiting }) => {
    waiting.add("close", connection.close({ timeoutMs: 100 }));
    waiting.add("close, again", connection.close());
    clock.advance(100);
  },
  "close(), and its signal": ({ connection, waiting }) => {
    const controller = new AbortController();
    waiting.add("close", connection.close({ signal: controller.signal }));
    controller.abort();
  },
  "disposal, and its deadline": ({ connection, clock, waiting }) => {
    waiting.add("disposal", connection[Symbol.asyncDispose]());
    clock.advance(10_000);
  },
  "being taken apart": ({ connection }) => connection.intoParts({ force: true }),
};

function watch(scene: Scene): void {
  const { connection, waiting } = scene;
  waiting.add("run", connection.run());
  waiting.add("pollWithoutShutdown", connection.pollWithoutShutdown());
  waiting.add("withoutShutdown", connection.withoutShutdown());
  waiting.add("closed", connection.closed);
  waiting.ignore(connection.run());
  waiting.ignore(connection.pollWithoutShutdown());
}

/** What is checked of a connection after its end. */
async function settlesLater({ connection }: Scene): Promise<void> {
  const later = new Waiting();
  later.add("run", connection.run());
  later.add("poll", connection.pollWithoutShutdown());
  later.add("withoutShutdown", connection.withoutShutdown());
  later.add("closed", connection.closed);
  later.add("close", connection.close());
  connection.abort();
  await later.settle();
}

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const CLIENT_STAGES: Record<string, string> = {
  "half a head": "HTTP/1.1 20",
  "a head": HEAD,
  "half a body": `${HEAD}12345`,
};

describe("L8 every promise settles, on a client", () => {
  describe.each(Object.entries(CLIENT_STAGES))("with %s received", (_, bytes) => {
    test.each(Object.entries(ENDS))("at %s", async (_, end) => {
      const unhandled = watchUnhandled();
      const clock = new ManualClock();
      const [io, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      const { sender, connection } = await connectTo(io, { clock });
      const waiting = new Waiting();
      const scene = { connection, peer, clock, waiting };
      watch(scene);
      const sent = sender.sendRequest(PROPOSAL.upgrade);
      waiting.add("sendRequest", sent);
      waiting.add("sendRequest, queued", sender.sendRequest(PROPOSAL.connect));
      waiting.add("ready", sender.ready());
      waiting.ignore(sender.ready());
      waiting.ignore(sender.sendRequest(PROPOSAL.upgrade));
      await peer.readHead();
      await peer.send(bytes);
      await turns(2);
      if (bytes.startsWith(HEAD)) {
        const response = await sent;
        waiting.add("body", response.body.text());
        waiting.add("a second reader", response.body.text());
        waiting.add("trailers", response.trailers);
        waiting.ignore(response.trailers);
      }
      await end(scene);
      await waiting.settle();
      await settlesLater(scene);
      const late = new Waiting();
      late.add("sendRequest", sender.sendRequest(PROPOSAL.upgrade));
      late.add("ready", sender.ready());
      await late.settle();
      expect([sender.isReady, sender.isClosed]).toEqual([false, true]);
      expect(clock.pending).toBe(0);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });
  });

  test("at a refusal", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const waiting = new Waiting();
    watch({ connection, peer, clock: new ManualClock(), waiting });
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    waiting.add("sendRequest", sent);
    waiting.add("sendRequest, queued", sender.sendRequest(PROPOSAL.connect));
    waiting.add("ready", sender.ready());
    await peer.readHead();
    await peer.send("HTTP/1.1 403 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    const { body, trailers } = await sent;
    waiting.add("body", body.text());
    waiting.add("trailers", trailers);
    await peer.end();
    await waiting.settle();
  });
});

type Act = (request: ServerRequest<ByteStream>, waiting: Waiting) => unknown;

const SERVER_STAGES: Record<string, Act> = {
  "the service reading the body": async (request, waiting) => {
    waiting.add("body", request.body.text());
    waiting.add("trailers", request.trailers);
    waiting.ignore(request.trailers);
    const { signal } = request;
    waiting.add("signal", new Promise((resolve) => signal.addEventListener("abort", resolve)));
    await new Promise(() => {});
  },
  "the body being canceled": async (request, waiting) => {
    const canceled = request.body.cancel();
    waiting.add("cancel", canceled);
    await canceled;
    return { status: 403 };
  },
  "switchTo waiting": (request, waiting) => {
    waiting.add("switchTo", request.switchTo("chat"));
    waiting.add("switchTo, again", request.switchTo("chat"));
    waiting.add("takeOver, too", request.takeOver());
    waiting.add("trailers", request.trailers);
  },
  "switchTo waiting, unobserved": (request, waiting) => {
    waiting.ignore(request.switchTo("chat"));
    waiting.ignore(request.switchTo("chat"));
  },
  "takeOver waiting": (request, waiting) => {
    waiting.add("takeOver", request.takeOver());
    waiting.ignore(request.trailers);
  },
};

describe("L8 every promise settles, on a server", () => {
  describe.each(Object.entries(SERVER_STAGES))("with %s", (stage, act) => {
    test.each(Object.entries(ENDS))("at %s", async (_, end) => {
      const unhandled = watchUnhandled();
      const clock = new ManualClock();
      const [io, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      const waiting = new Waiting();
      const { connection } = await serve(io, (request) => act(request, waiting) as never, {
        clock,
      });
      const scene = { connection, peer, clock, waiting };
      watch(scene);
      const fields = "Content-Length: 10\r\nHost";
      await peer.send(`${REQUEST.upgrade.replace("GET", "POST").replace("Host", fields)}12345`);
      await turns(2);
      expect(waiting.open.length, stage).toBeGreaterThan(3);
      await end(scene);
      // A deadline is answered, then the client's end is awaited.
      for (let i = 0; i < 3; i++) {
        await turns(3);
        if (waiting.open.length > 0) clock.advance(60_000);
      }
      await waiting.settle();
      await settlesLater(scene);
      expect(clock.pending).toBe(0);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });
  });

  test("at a refusal", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const waiting = new Waiting();
    const { connection } = await serve(io, async (request) => {
      waiting.add("trailers", request.trailers);
      waiting.add("body", request.body.text());
      return { status: 403 };
    });
    watch({ connection, peer, clock: new ManualClock(), waiting });
    await peer.send(REQUEST.upgrade);
    await peer.readToEnd();
    await peer.end();
    await waiting.settle();
  });
});

describe("L9 no crash: without any listeners", () => {
  const GET = { method: "GET", target: "/", headers: { Host: "a.test" } };

  test.each(PAIRS)("over $name: resets at every stage, on both sides", async ({ make }) => {
    const unhandled = watchUnhandled();
    for (const bytes of ["", "HTTP/1.1 2", HEAD, `${HEAD}123`]) {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { sender, connection } = await connectTo(io);
      void sender.sendRequest(GET);
      void sender.sendRequest(GET);
      void sender.ready();
      void connection.run();
      void connection.withoutShutdown();
      await peer.readHead();
      await peer.send(bytes);
      peer.reset();
      expect((await connection.closed).kind).toBe("failed");
    }
    for (const bytes of ["", "GET / HT", REQUEST.upgrade]) {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { connection } = await serve(io, async (request) => {
        void request.trailers;
        await turns();
        void request.switchTo("other");
        void request.takeOver();
        throw new Error("unobserved");
      });
      void connection.run();
      void connection.pollWithoutShutdown();
      await peer.send(bytes);
      peer.reset();
      await turns(10);
    }
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("writing to a socket whose peer is gone", async () => {
    const unhandled = watchUnhandled();
    const [io, far] = await tcpPair();
    const { connection } = await serve(io, async () => {
      far.resetAndDestroy();
      await turns(10);
      return { status: 200, body: new Uint8Array(1_000_000) };
    });
    far.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect(await connection.closed).toMatchObject({ kind: "failed" });
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("the io is destroyed from outside", async () => {
    const unhandled = watchUnhandled();
    const [io] = duplexPair();
    io.removeAllListeners("error");
    const { sender, connection } = await connectTo(io);
    void sender.sendRequest(GET);
    io.destroy(new Error("destroyed from outside"));
    expect(await connection.closed).toMatchObject({
      error: { code: "TRANSPORT_FAILED", cause: { message: "destroyed from outside" } },
    });
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});
