import { Readable } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, memoryPair, type Parts } from "@upgrade/core/io";
import {
  type ServerRequest,
  type ServerResponse,
  type Service,
  handshake as serveOn,
} from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head, latin1 } from "../../src/messages.ts";
import { destroyPairs, duplexPair, webPair } from "../../src/pairs/pairs.ts";
import { stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";
import { untyped } from "../../src/ways-to-send.ts";

// First bytes are text or bytes. A stream is refused, but released, since it was handed over.

const UPGRADE = head("GET /", "Connection: Upgrade", "Upgrade: chat");
const CONNECT = head("CONNECT a.test:443").replace("Host: a.test", "Host: a.test:443");

type Request = ServerRequest<ByteStream>;

type Given = { readonly firstBytes: never };

async function served(bytes: string, service: (request: Request, given: Given) => unknown) {
  const firstBytes = new Readable({ read() {} });
  const { peer } = await serve(((request) =>
    service(request, { firstBytes: firstBytes as never })) as Service<ByteStream>);
  await peer.send(bytes);
  await turns();
  return { isReleased: firstBytes.destroyed, written: peer.unread };
}

/** Ignores the rejection of `switchTo()`. */
async function refused(switched: Promise<unknown>): Promise<ServerResponse> {
  await switched.catch(() => {});
  return { status: 204 };
}

describe("a stream given as first bytes is released", () => {
  test.each<[string, string, (request: Request, given: Given) => unknown]>([
    ["by switchTo()", UPGRADE, (r, given) => refused(r.switchTo("chat", given))],
    ["with an unproposed protocol", UPGRADE, (r, given) => refused(r.switchTo("irc", given))],
    [
      "with an option that does not exist",
      UPGRADE,
      (r, given) => refused(r.switchTo("chat", { ...given, first: 1 } as Given)),
    ],
    ["without a proposal", head("GET /"), (r, given) => refused(r.switchTo("chat", given))],
    [
      "after a response",
      UPGRADE,
      (request, given) => {
        setImmediate(() => void refused(request.switchTo("chat", given)));
        return { status: 204 };
      },
    ],
    ["in a 101", UPGRADE, (_, given) => ({ status: 101, ...given })],
    ["in a tunnel", CONNECT, (_, given) => ({ status: 200, tunnel: true, ...given })],
    ["in an unintended tunnel", CONNECT, (_, given) => ({ status: 200, ...given })],
    [
      "in a response that is not a switch",
      head("GET /"),
      (_, given) => ({ status: 204, ...given }),
    ],
    ["in a refused response", head("GET /"), (_, given) => ({ status: 99, ...given })],
  ])("%s", async (_, bytes, service) => {
    const { isReleased, written } = await served(bytes, service);
    expect(isReleased).toBe(true);
    expect(written).not.toMatch(/^HTTP\/1\.1 (?:101|200)/);
  });
});

test("first bytes whose getter throws are refused by switchTo() alone", async () => {
  let failure: unknown;
  const { written } = await served(UPGRADE, async (request) => {
    const options = {
      get firstBytes(): never {
        throw new Error("unreadable");
      },
    };
    await request.switchTo("chat", options).catch((error: unknown) => {
      failure = error;
    });
    return { status: 204 };
  });
  expect(failure).toMatchObject({ message: "unreadable" });
  expect(written).toMatch(/^HTTP\/1\.1 204 /);
});

const OFFER = ["Connection: Upgrade", "Upgrade: chat"];

describe("L10: the first bytes of the new protocol are checked together with the head", () => {
  test("text beyond latin-1 is sent as UTF-8, as in a body", async () => {
    // Truncated to one octet, U+010A would be a line feed.
    const { peer } = await serve((request) => {
      void request.switchTo("chat", { firstBytes: "\u010a" });
    });
    await peer.send(head("GET /", ...OFFER));
    await peer.readHead();
    expect(await peer.read(2)).toBe("\xc4\x8a");
  });

  test.each([
    ["a number", 5],
    ["an object", {}],
    ["an iterable", ["a", "b"]],
    ["a view of elements other than bytes", new Uint16Array([300])],
  ])("%s is refused, and the service may still answer", async (_, firstBytes) => {
    let refused!: Promise<Parts<unknown>>;
    const { peer } = await serve((request) => {
      refused = request.switchTo("chat", { firstBytes: untyped<string>(firstBytes) });
      return { status: 403 };
    });
    await peer.send(head("GET /", ...OFFER));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 403 /);
    expect(await stateOf(refused)).toBe("INVALID_BODY");
  });
});

afterEach(destroyPairs);

// On these transports one chunk is one write, so writes can be counted.
const COUNTED = [
  { name: "memory pair", make: () => memoryPair() },
  { name: "WHATWG pair", make: () => webPair() },
  { name: "Duplex", make: () => duplexPair() },
] as const;

describe.each(COUNTED)("over a $name that counts writes", ({ make }) => {
  test.each([
    ["text", "hello"],
    ["bytes", Buffer.from("hello")],
  ])("the first bytes, as %s, are sent in the same write as the head", async (_, firstBytes) => {
    const [near, far] = make();
    const peer = new ScriptedPeer(near as never);
    await serveOn(far, async (request) => {
      await request.switchTo("chat", { firstBytes });
    });
    await peer.send(REQUEST.upgrade);
    const head = await peer.readHead();
    expect(await peer.read(5)).toBe("hello");
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(peer.chunks).toHaveLength(1);
  });

  test("those of a returned 101 are, too", async () => {
    const [near, far] = make();
    const peer = new ScriptedPeer(near as never);
    const { connection } = await serveOn(far, () => ({
      status: 101,
      headers: { Connection: "Upgrade", Upgrade: "chat" },
      firstBytes: "hello",
    }));
    await peer.send(`${REQUEST.upgrade}early`);
    await peer.readHead();
    expect(await peer.read(5)).toBe("hello");
    expect(peer.chunks).toHaveLength(1);
    const parts = await connection.withoutShutdown();
    expect(latin1(parts.readBuf)).toBe("early");
    expect(parts.switched?.response.status).toBe(101);
  });

  test("the client's request, head and body, is one write", async () => {
    const [near, far] = make();
    const peer = new ScriptedPeer(far as never);
    const { sender, connection } = await connectTo(near);
    const sent = sender.sendRequest({ ...PROPOSAL.upgrade, method: "POST", body: "please" });
    const poll = connection.pollWithoutShutdown();
    await peer.readUntil("please");
    expect(peer.chunks).toHaveLength(1);
    await peer.send(ANSWER.upgrade);
    expect((await sent).status).toBe(101);
    expect(await poll).toEqual({ kind: "switched", protocol: "chat" });
  });
});
