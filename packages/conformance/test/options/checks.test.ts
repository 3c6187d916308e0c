import { connect, handshake as connectTo, upgrade } from "@upgrade/client";
import { HttpConnection } from "@upgrade/core";
import { memoryPair, tunnel } from "@upgrade/core/io";
import { transportSuite } from "@upgrade/core/testing";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, received, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const OK = () => ({ status: 200 });
const CHAT = { target: "/", protocol: "chat", headers: { Host: "a.test" } };

/** Options as an untyped caller passes them. */
const loose = (options: object): never => options as never;

interface Call {
  readonly wrong: string;
  readonly meant: string;
  /** Values of the wrong type. */
  readonly values: object;
  call(options: never): unknown;
}

const unused = () => memoryPair()[0];
const parts = () => ({ io: unused(), readBuf: new Uint8Array(0), readEnded: false });
const UNASKED = new AbortController().signal;

const CALLS: Record<string, Call> = {
  "handshake() of the client": {
    wrong: "headMS",
    meant: "headMs",
    values: { clock: {}, headMs: -1, maxHeaders: "7" },
    call: (options) => connectTo(unused(), options),
  },
  "handshake() of the server": {
    wrong: "keepAliveAfterRefusals",
    meant: "keepAliveAfterRefusal",
    values: { onError: 3, halfClose: 1, date: "no", clock: {}, keepAliveAfterRefusal: "h2c" },
    call: (options) => serveOn(unused(), OK, options),
  },
  "upgrade()": {
    wrong: "timeoutMS",
    meant: "timeoutMs",
    values: { signal: {}, onInterim: "yes", timeoutMs: Infinity, clock: 5 },
    call: (options) => upgrade(unused(), CHAT, options),
  },
  "connect()": {
    wrong: "header",
    meant: "headers",
    values: { signal: {}, onInterim: "yes", timeoutMs: Infinity, clock: 5 },
    call: (options) => connect(unused(), "a.test:443", options),
  },
  "sendRequest()": {
    wrong: "onInterm",
    meant: "onInterim",
    values: { signal: {}, onInterim: 5 },
    call: async (options) => (await dial()).sender.sendRequest(GET, options),
  },
  "close()": {
    wrong: "timeout",
    meant: "timeoutMs",
    values: { timeoutMs: -1, signal: {} },
    call: async (options) => (await dial()).connection.close(options),
  },
  "intoParts()": {
    wrong: "Force",
    meant: "force",
    values: { force: "please" },
    call: async (options) => (await dial()).connection.intoParts(options),
  },
  "tunnel()": {
    wrong: "idlems",
    meant: "idleMs",
    values: { signal: {}, idleMs: -1, highWaterBytes: 0.5, clock: {} },
    call: (options) => tunnel(parts(), parts(), options),
  },
  "body.bytes()": {
    wrong: "maxbytes",
    meant: "maxBytes",
    values: { maxBytes: -1 },
    call: (options) => bodyOf((body) => body.bytes(options)),
  },
  "body.text()": {
    wrong: "maxByte",
    meant: "maxBytes",
    values: { maxBytes: "1k" },
    call: (options) => bodyOf((body) => body.text(options)),
  },
  "body.json()": {
    wrong: "maxBites",
    meant: "maxBytes",
    values: { maxBytes: 0.5 },
    call: (options) => bodyOf((body) => body.json(options)),
  },
  "switchTo()": {
    wrong: "firstByte",
    meant: "firstBytes",
    values: {},
    call: async (options) => {
      const proposal = head("GET /", "Connection: Upgrade", "Upgrade: chat");
      let failure: unknown;
      await received(proposal, (request) => {
        return request.switchTo("chat", options).catch((error: unknown) => {
          failure = error;
        });
      });
      await turns();
      throw failure;
    },
  },
  "new HttpConnection()": {
    wrong: "maxHeader",
    meant: "maxHeaders",
    values: { maxHeaders: NaN },
    call: async (options) => new HttpConnection("server", options),
  },
  "transportSuite()": {
    wrong: "timeout",
    meant: "timeoutMs",
    values: { timeoutMs: "5s" },
    call: async (options) => transportSuite(() => memoryPair(), options),
  },
};

type Received = Parameters<Parameters<typeof received>[1]>[0];

async function bodyOf(collect: (body: Received["body"]) => Promise<unknown>): Promise<unknown> {
  const { peer, sender } = await dial();
  const pending = sender.sendRequest(GET);
  await peer.send(`${answer("200 OK", "Content-Length: 2")}{}`);
  return collect((await pending).body as Received["body"]);
}

describe.each(Object.entries(CALLS))("%s", (_, { wrong, meant, values, call }) => {
  test("rejects an unknown option, and suggests the right one", async () => {
    await expect(call(loose({ [wrong]: 1 }))).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining(`${wrong}: did you mean ${meant}?`),
    });
  });

  test("rejects a value of the wrong type, and names its option", async () => {
    for (const [name, value] of Object.entries(values)) {
      await expect(call(loose({ [name]: value })), name).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining(`${name} is `),
      });
    }
  });
});

test.each([NaN, -1, 0.5, "9", { highWaterBytes: 9 }])("memoryPair(%o) is refused", (given) => {
  expect(() => memoryPair(given as number)).toThrow(
    expect.objectContaining({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/highWaterBytes is .*, not a whole number/),
    }),
  );
});

test.each([undefined, null, {}, "secret"])("a service that is %o is refused", async (service) => {
  const [near] = memoryPair();
  await expect(serveOn(near, service as never)).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringMatching(
      /service is (undefined|null|an object|a string), not a function$/,
    ),
  });
  expect(await stateOf(near.read())).toBe("pending");
});

describe("after a refused option", () => {
  test("the io is unchanged", async () => {
    for (const call of [connectTo, (io: never, options: never) => serveOn(io, OK, options)]) {
      const [near] = memoryPair();
      await expect(call(near as never, loose({ headMS: 3 }))).rejects.toThrow("headMs");
      expect(await stateOf(near.read())).toBe("pending");
    }
  });

  test("close() has closed nothing, and intoParts() has taken nothing", async () => {
    const { sender, connection } = await dial();
    await expect(connection.close(loose({ timeout: 5 }))).rejects.toThrow("timeoutMs");
    expect(() => connection.intoParts(loose({ forced: true }))).toThrow("force");
    expect(sender.isReady).toBe(true);
  });

  test("a body has no reader, and can be collected with valid options", async () => {
    const found = await bodyOf(async (body) => {
      await expect(body.text(loose({ max: 5 }))).rejects.toThrow("maxBytes");
      return body.text({ maxBytes: 5 });
    });
    expect(found).toBe("{}");
  });

  test("switchTo() may be called again", async () => {
    const proposal = head("GET /", "Connection: Upgrade", "Upgrade: chat");
    const { peer } = await serve(async (request) => {
      await request.switchTo("chat", loose({ first: "x" })).catch(() => {});
      await request.switchTo("chat", { firstBytes: "x" });
    });
    await peer.send(proposal);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  });

  test("nothing of a request was sent", async () => {
    const { sender, peer } = await dial();
    const pending = sender.sendRequest(GET, loose({ signl: UNASKED }));
    await expect(pending).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await turns();
    expect(peer.unread).toBe("");
    expect(sender.isReady).toBe(true);
  });
});

describe("undefined and inherited options are accepted:", () => {
  test("undefined counts as absent", async () => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const options = { headMs: undefined, date: undefined, clock: undefined, onError: undefined };
    await serveOn(near, OK, options);
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/\r\nDate: /);
  });

  class Settings {
    readonly name = "of the program";
    readonly date = false;
    get maxHeaders() {
      return 1;
    }
  }

  test("of a class, for a server", async () => {
    const [near, far] = memoryPair();
    await serveOn(near, OK, new Settings());
    const peer = new ScriptedPeer(far);
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(answer("200 OK", "Content-Length: 0"));
    await peer.send(head("GET /", "A: b"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("of an object, for a client, with a client's defaults for the rest", async () => {
    const options = Object.create({ maxHeaders: 1 }) as { maxHeaders: number };
    const [near, far] = memoryPair();
    const { sender } = await connectTo(near, options);
    const pending = sender.sendRequest(GET);
    await new ScriptedPeer(far).send(answer("200 OK", "Content-Length: 0", "A: b"));
    await expect(pending).rejects.toMatchObject({ code: "TOO_MANY_HEADERS" });
  });
});
