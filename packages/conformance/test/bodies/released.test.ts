import { EventEmitter, once } from "node:events";
import { createReadStream, type ReadStream } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { type ClientRequest, handshake, upgrade } from "@upgrade/client";
import { type BodyInit, memoryPair } from "@upgrade/core/io";
import type { ServerResponse } from "@upgrade/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Dialed, dial, type Served, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import { BODIES, type BodyState, type TrackedBody } from "../../src/tracked-bodies.ts";
import { turns, type Unhandled, watchUnhandled } from "../../src/turns.ts";

let unhandled: Unhandled;
beforeEach(() => {
  unhandled = watchUnhandled();
});
afterEach(() => unhandled.stop());

/** How a response ends without its body being fully sent. */
interface AnswerEnding {
  /** What the client sends. */
  readonly request?: string;
  /** The rest of the response. */
  readonly response?: Partial<ServerResponse>;
  /** What the service does before it answers. */
  readonly before?: (served: Served, switchTo: () => void, takeOver: () => void) => unknown;
  /** What happens once it has answered. */
  readonly after?: (served: Served) => unknown;
}

const UPGRADE = head("GET /", "Connection: Upgrade", "Upgrade: echo");

const ANSWERS: Record<string, AnswerEnding> = {
  "to HEAD": { request: head("HEAD /") },
  "to HEAD, with its length": {
    request: head("HEAD /"),
    response: { headers: { "Content-Length": 5_000 } },
  },
  "to HEAD, with trailers that fail": {
    request: head("HEAD /"),
    // Rejects only once it is handed over.
    response: {
      get trailers() {
        return Promise.reject(new Error("no trailers"));
      },
    },
  },
  "with 304": { response: { status: 304 } },
  "with 204": { response: { status: 204 } },
  "with 101": { request: UPGRADE, response: { status: 101 } },
  "with 426 and no Upgrade": { response: { status: 426 } },
  "with an invalid header": { response: { headers: { "X-A": "a\nb" } } },
  "with an invalid status": { response: { status: 20 } },
  "with invalid trailers": { response: { trailers: { "Content-Length": "1" } } },
  "with too short a length": {
    response: { headers: { "Content-Length": 3 } },
    after: ({ connection }) => connection.abort(),
  },
  "to CONNECT": {
    request: "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
  },
  "after the client is gone": { before: ({ peer }) => peer.reset() },
  "after the client has ended in the middle of its request": {
    request: head("POST /", "Content-Length: 9"),
    before: ({ peer }) => peer.end(),
  },
  "after our own 400": {
    request: head("POST /", "Transfer-Encoding: chunked"),
    before: ({ peer }) => peer.send("ZZ\r\n"),
  },
  "after switchTo()": { request: UPGRADE, before: (_, switchTo) => switchTo() },
  "after takeOver()": { request: UPGRADE, before: (_, __, takeOver) => takeOver() },
  "after abort()": { before: ({ connection }) => connection.abort() },
  "after the connection was taken apart": {
    before: ({ connection }) => void connection.intoParts({ force: true }),
  },
  "until the client resets": { after: ({ peer }) => peer.reset() },
  "until abort()": { after: ({ connection }) => connection.abort() },
  "until the deadline of close()": {
    after({ connection, clock }) {
      void connection.close({ timeoutMs: 1_000 });
      clock.advance(1_000);
    },
  },
  "until the connection is taken apart": {
    after: ({ connection }) => void connection.intoParts({ force: true }),
  },
};

describe.each(Object.entries(ANSWERS))("L8: a response %s releases", (_, ending) => {
  test.each(Object.entries(BODIES))("%s", async (_, make) => {
    let answered!: (tracked: TrackedBody) => void;
    const isAnswered = new Promise<TrackedBody>((resolve) => {
      answered = resolve;
    });
    const served = await serve(async (request) => {
      await ending.before?.(
        served,
        () => void request.switchTo("echo").catch(() => {}),
        () => void request.takeOver().catch(() => {}),
      );
      if (ending.before !== undefined) await turns();
      const tracked = await make();
      answered(tracked);
      return { status: 200, ...ending.response, body: tracked.body };
    });
    await served.peer.send(ending.request ?? head("GET /"));
    const tracked = await isAnswered;
    await turns();
    await ending.after?.(served);
    await released(tracked);
    served.connection.abort();
    expect(await unhandled.settled()).toEqual([]);
  });
});

/** How a request ends without its body being fully sent. */
interface RequestEnding {
  readonly request?: Partial<ClientRequest>;
  /** What happens before the request. */
  readonly before?: (client: Dialed) => unknown;
  /** What happens after the call. */
  readonly after?: (client: Dialed, abort: (reason: unknown) => void) => unknown;
  readonly signal?: unknown;
}

const RELEASING: Record<string, RequestEnding> = {
  "with an invalid target": { request: { target: "/a b" } },
  "with an invalid header": { request: { headers: { "X-A": "a\nb" } } },
  "with headers that are not headers": { request: { headers: 7 as never } },
  "by TRACE": { request: { method: "TRACE" } },
  "with too short a length": {
    request: { headers: { "Host": "a.test", "Content-Length": 3 } },
    after: ({ connection }) => connection.abort(),
  },
  "with invalid trailers": { request: { trailers: { "Content-Length": "1" } } },
  "with an object that is not a signal": { signal: { aborted: false } },
  "whose expectation is refused": {
    request: { headers: { Host: "a.test", Expect: "100-continue" } },
    after: ({ peer }) => peer.send(answer("401 Unauthorized", "Content-Length: 0")),
  },
  "whose expectation is met by a reset": {
    request: { headers: { Host: "a.test", Expect: "100-continue" } },
    after: ({ peer }) => peer.reset(),
  },
  "whose body is answered too early": {
    after: ({ peer }) =>
      peer.send(answer("413 Content Too Large", "Content-Length: 0")).catch(() => {}),
  },
  "until the server resets": { after: ({ peer }) => peer.reset() },
  "until it is canceled": { after: (_, abort) => abort(new Error("enough")) },
  "until abort()": { after: ({ connection }) => connection.abort() },
  "until the connection is taken apart": {
    after: ({ connection }) => void connection.intoParts({ force: true }),
  },
};

describe.each(Object.entries(RELEASING))("L8: a request %s releases", (_, ending) => {
  test.each(Object.entries(BODIES))("%s", async (_, make) => {
    const { error, tracked } = await run(ending, make);
    await released(tracked);
    expect(error()).not.toMatchObject({ retrySafe: true });
    expect(await unhandled.settled()).toEqual([]);
  });
});

const KEEPING: Record<string, RequestEnding> = {
  "on a connection that has ended": { before: ({ connection }) => connection.abort() },
  "that waits when the connection ends": {
    before: ({ sender }) => void sender.sendRequest(GET).catch(() => {}),
    after: ({ connection }) => connection.abort(),
  },
  "that waits when the connection closes": {
    before: ({ sender }) => void sender.sendRequest(GET).catch(() => {}),
    after: ({ connection }) => void connection.close(),
  },
  "that waits when it is canceled": {
    before: ({ sender }) => void sender.sendRequest(GET).catch(() => {}),
    after: (_, abort) => abort(new Error("enough")),
  },
  "for which the queue has no room": {
    before({ sender }) {
      for (let i = 0; i < 17; i++) void sender.sendRequest(GET).catch(() => {});
    },
  },
};

const WELL = Object.entries(BODIES).filter(([name]) => !name.includes("that fails"));

describe.each(Object.entries(KEEPING))("L8: a request %s returns unsent", (_, ending) => {
  test.each(WELL)("%s, untouched", async (_, make) => {
    const { error, client, tracked } = await run(ending, make);
    const { body } = tracked;
    await turns(20);
    expect(error()).toMatchObject({ retrySafe: true });
    expect([tracked.state(), othersBesides(body)]).toEqual(["untouched", 0]);
    client.connection.abort();
    // Finally sent, which releases it; nothing else would end it.
    const { connection, peer } = await send({ ...POST, body });
    await peer.readHead();
    connection.abort();
    await released(tracked);
  });
});

test.each(WELL)(
  "L8: %s is not started before its io is open, and is returned unsent if that fails",
  async (_, make) => {
    const tracked = await make();
    const { sender } = await handshake(net.connect(await closedPort(), "127.0.0.1"));
    const sent = sender.sendRequest({ ...POST, body: tracked.body });
    await expect(sent).rejects.toMatchObject({ sent: "nothing", retrySafe: true });
    expect(tracked.state()).toBe("untouched");
    expect(await unhandled.settled()).toEqual([]);
  },
);

test.each(Object.entries(BODIES))("L8: an invalid upgrade() releases %s", async (_, make) => {
  for (const options of [{ timeoutMs: -1 }, { headMs: -1 }]) {
    const tracked = await make();
    const pending = upgrade(memoryPair()[0], { target: "/", body: tracked.body }, options);
    await expect(pending).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await released(tracked);
  }
  const tracked = await make();
  const headers = { "X-A": "a\nb" };
  const request = { target: "/", protocol: "echo", headers, body: tracked.body };
  await expect(upgrade(memoryPair()[0], request)).rejects.toMatchObject({
    code: "INVALID_HEADER",
  });
  await released(tracked);
});

test("L8: a HEAD for a file leaves no descriptor open", async () => {
  const files: ReadStream[] = [];
  const { peer } = await serve(() => {
    const body = createReadStream(fileURLToPath(import.meta.url));
    files.push(body);
    return { status: 200, body };
  });
  for (let i = 0; i < 20; i++) {
    await peer.send(head("HEAD /"));
    await peer.readHead();
  }
  await Promise.all(files.map((file) => (file.closed ? undefined : once(file, "close"))));
  expect(files.filter(({ closed }) => closed)).toHaveLength(20);
});

describe("a body with another reader is refused before the head, and left to that reader:", () => {
  test("a ReadableStream", async () => {
    let canceled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel() {
        canceled = true;
      },
    });
    body.getReader();
    const { peer, reports } = await serve(() => ({ status: 200, body }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    const { sender } = await dial();
    await expect(sender.sendRequest({ ...POST, body })).rejects.toMatchObject({
      code: "INVALID_BODY",
      sent: "nothing",
    });
    expect([reports, canceled]).toEqual([["service: INVALID_BODY"], false]);
  });

  test("a received body", async () => {
    let text: Promise<string> | undefined;
    const { peer, reports } = await serve((request) => {
      text = request.body.text();
      return { status: 200, body: request.body };
    });
    await peer.send(`${head("POST /", "Content-Length: 8")}four`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    await peer.send("more");
    expect([reports, await text]).toEqual([["service: BODY_USED"], "fourmore"]);
  });
});

test("L8: an invalid body is released, too", async () => {
  const destroyed: string[] = [];
  const body = (name: string): BodyInit =>
    ({ destroy: () => destroyed.push(name), on: () => {} }) as unknown as BodyInit;
  const { sender } = await dial();
  await expect(sender.sendRequest({ ...POST, body: body("request") })).rejects.toMatchObject({
    code: "INVALID_BODY",
  });
  const { peer } = await serve(() => ({ status: 200, body: body("answer") }));
  await peer.send(head("GET /"));
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
  expect([...new Set(destroyed)]).toEqual(["request", "answer"]);
});

type Make = () => TrackedBody | Promise<TrackedBody>;

async function send(request: ClientRequest, signal?: unknown) {
  const client = await dial();
  const options = signal === undefined ? {} : { signal: signal as AbortSignal };
  void client.sender.sendRequest(request, options).catch(() => {});
  return client;
}

async function run({ request, before, after, signal }: RequestEnding, make: Make) {
  const client = await dial({ writeHighWaterBytes: 100 });
  await before?.(client);
  await turns();
  const aborter = new AbortController();
  let failure: unknown;
  const options = { signal: (signal as AbortSignal | undefined) ?? aborter.signal };
  const tracked = await make();
  const { body } = tracked;
  client.sender.sendRequest({ ...POST, ...request, body }, options).catch((error) => {
    failure = error;
  });
  await turns();
  await after?.(client, (reason) => aborter.abort(reason));
  await turns();
  return { client, tracked, error: () => failure };
}

/** The listeners on a body, if it has any, besides those of an owner that listens again. */
function othersBesides(body: BodyInit): number {
  if (!(body instanceof EventEmitter)) return 0;
  const owner = (): void => {};
  body.on("error", owner);
  const others = body.listenerCount("error") - 1 + body.listenerCount("newListener");
  body.removeListener("error", owner);
  return others;
}

async function released(tracked: TrackedBody): Promise<void> {
  const wanted: BodyState[] = tracked.isLazy === true ? ["released", "untouched"] : ["released"];
  for (let i = 0; i < 20 && !wanted.includes(tracked.state()); i++) await turns();
  expect(wanted).toContain(tracked.state());
}
