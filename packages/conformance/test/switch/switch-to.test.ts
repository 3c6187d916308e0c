import { type ByteStream, Deferred, type Parts } from "@upgrade/core/io";
import type { ServerRequest, Service, SwitchOptions } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head, latin1 } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import type { ScriptedPeer } from "../../src/scripted-peer.ts";
import { KINDS, REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

const PROPOSING = head("GET /", "Connection: Upgrade", "Upgrade: chat, Other/2");
const protocolOf = { upgrade: "chat", connect: undefined } as const;

/** What our server writes for `switchTo`, and the result. */
async function switchedTo(request: string, protocol: string | undefined, options?: SwitchOptions) {
  const found = new Deferred<unknown>();
  const { peer, reports } = await serve(async (request) => {
    const code = await rejection(request.switchTo(protocol, options));
    found.resolve(code);
    return code === "resolved" ? undefined : { status: 403 };
  });
  await peer.send(request);
  const written = await peer.readHead();
  return { written, code: await found.promise, reports };
}

test("switchTo takes a reason, for a 101 and for a tunnel", async () => {
  const switched = await switchedTo(PROPOSING, "chat", { reason: "Let us talk" });
  expect(switched.written).toMatch(/^HTTP\/1\.1 101 Let us talk\r\n/);
  const tunneled = await switchedTo(REQUEST.connect, undefined, { reason: "Connected \xe9" });
  expect(tunneled.written).toMatch(/^HTTP\/1\.1 200 Connected \xe9\r\n/);
  const refused = await switchedTo(PROPOSING, "chat", { reason: "a\r\nb: c" });
  expect(refused.code).toBe("INVALID_REASON");
  expect(refused.written).toMatch(/^HTTP\/1\.1 403 /);
});

describe("L14: switchTo adds Connection: Upgrade and Upgrade", () => {
  test.each<[string, SwitchOptions["headers"], string[]]>([
    ["to nothing", undefined, ["Connection: Upgrade", "Upgrade: chat"]],
    ["after other fields", [["X-A", "1"]], ["X-A: 1", "Connection: Upgrade", "Upgrade: chat"]],
    [
      "not if both are given, in any place and spelling",
      [
        ["upgrade", "chat"],
        ["X-A", "1"],
        ["CONNECTION", "x-a, UPGRADE"],
      ],
      ["upgrade: chat", "X-A: 1", "CONNECTION: x-a, UPGRADE"],
    ],
    [
      "not if only the option is given",
      { Connection: "upgrade" },
      ["Connection: upgrade", "Upgrade: chat"],
    ],
    [
      "not if only the protocol is given",
      { Upgrade: "CHAT" },
      ["Upgrade: CHAT", "Connection: Upgrade"],
    ],
  ])("%s", async (_, headers, lines) => {
    const { written, code } = await switchedTo(PROPOSING, "chat", { headers });
    expect(code).toBe("resolved");
    expect(written).toBe(answer("101 Switching Protocols", ...lines));
  });

  test("and nothing to the 200 of a CONNECT", async () => {
    const { written } = await switchedTo(REQUEST.connect, undefined, { headers: { Via: "1.1 a" } });
    expect(written).toBe(answer("200 OK", "Via: 1.1 a"));
  });
});

describe("L4: switchTo is refused before a byte is written, and the service may still answer:", () => {
  test.each<[string, string, string | undefined, SwitchOptions | undefined, string]>([
    ["no proposal", head("GET /"), "chat", undefined, "NO_PROPOSAL"],
    ["another protocol", PROPOSING, "other", undefined, "NOT_OFFERED"],
    ["another version", PROPOSING, "Other/1", undefined, "NOT_OFFERED"],
    ["no protocol, for an Upgrade", PROPOSING, undefined, undefined, "NOT_OFFERED"],
    ["a protocol, for a CONNECT", REQUEST.connect, "chat", undefined, "NOT_OFFERED"],
    ["a bad header", PROPOSING, "chat", { headers: { X: "a\r\nb: c" } }, "INVALID_HEADER"],
    [
      "a bad header, for a CONNECT",
      REQUEST.connect,
      undefined,
      { headers: { "a b": "c" } },
      "INVALID_HEADER",
    ],
    ["invalid headers", PROPOSING, "chat", { headers: 7 as never }, "INVALID_HEADERS"],
    ["a length", PROPOSING, "chat", { headers: { "Content-Length": "0" } }, "INVALID_FRAMING"],
    [
      "a length, for a CONNECT",
      REQUEST.connect,
      undefined,
      { headers: { "Content-Length": 0 } },
      "INVALID_FRAMING",
    ],
    ["invalid first bytes", PROPOSING, "chat", { firstBytes: 7 as never }, "INVALID_BODY"],
  ])("%s", async (_, request, protocol, options, expected) => {
    const { written, code, reports } = await switchedTo(request, protocol, options);
    expect(code).toBe(expected);
    expect(written).toMatch(/^HTTP\/1\.1 403 /);
    expect(reports).toEqual([]);
  });
});

describe("what a service does after its switchTo", () => {
  const AFTERWARDS: Record<string, () => ReturnType<Service<ByteStream>>> = {
    "returns a response": () => ({ status: 200, body: "never sent" }),
    "returns a 101": () => ({ status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } }),
    "throws": () => {
      throw new Error("too late");
    },
    "rejects": () => Promise.reject(new Error("too late")),
  };

  describe.each(KINDS)("of a %s", (kind) => {
    test.each(Object.keys(AFTERWARDS))("is reported to onError at once if it %s", async (how) => {
      const parts = new Deferred<Parts<ByteStream>>();
      const { peer, reports } = await serve((request) => {
        request.switchTo(protocolOf[kind]).then(parts.resolve, parts.reject);
        return AFTERWARDS[how]!();
      });
      await peer.send(REQUEST[kind]);
      const { io } = await parts.promise;
      await onlyTheHead(peer, io, reports, how);
    });

    test.each(Object.keys(AFTERWARDS))(
      "is reported to onError with the io if it %s",
      async (how) => {
        let io!: ByteStream;
        const { peer, reports } = await serve(async (request) => {
          ({ io } = await request.switchTo(protocolOf[kind]));
          return AFTERWARDS[how]!();
        });
        await peer.send(REQUEST[kind]);
        await turns();
        await onlyTheHead(peer, io, reports, how);
      },
    );

    test("returns nothing, and nothing is reported", async () => {
      const { peer, reports } = await serve(async (request) => {
        await request.switchTo(protocolOf[kind]);
      });
      await peer.send(REQUEST[kind]);
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 (101|200) /);
      await turns();
      expect(reports).toEqual([]);
    });
  });

  async function onlyTheHead(peer: ScriptedPeer, io: ByteStream, reports: string[], how: string) {
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 (101|200) /);
    await turns();
    expect([peer.unread, peer.ended, peer.failure]).toEqual(["", false, undefined]);
    expect(reports).toEqual([
      how.startsWith("returns") ? "service: ALREADY_ANSWERED" : "service: too late",
    ]);
    await io.write([Buffer.from("mine")]);
    expect(await peer.read(4)).toBe("mine");
  }
});

test.each(["switchTo", "takeOver"] as const)(
  "after a response %s is too late: it rejects, which is reported to onError",
  async (how) => {
    const late = new Deferred<Promise<string>>();
    const { peer, reports } = await serve((request) => {
      setImmediate(() => {
        late.resolve(rejection(how === "switchTo" ? request.switchTo("chat") : request.takeOver()));
      });
      return { status: 403 };
    });
    await peer.send(REQUEST.upgrade);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 ((?!HTTP)[\s\S])*$/);
    expect(await late.promise).toBe("ALREADY_ANSWERED");
    expect(reports).toEqual(["switch: ALREADY_ANSWERED"]);
  },
);

test("takeOver of a CONNECT: its owner opens or refuses the tunnel", async () => {
  const taken = new Deferred<Parts<ByteStream>>();
  const { peer } = await serve((request) => void request.takeOver().then(taken.resolve));
  await peer.send(`${REQUEST.connect}early`);
  const { io, readBuf, switched } = await taken.promise;
  expect([latin1(readBuf), switched, peer.unread]).toEqual(["early", undefined, ""]);
  await io.write([Buffer.from(answer("407 Not Yet"))]);
  expect(await peer.readHead()).toBe(answer("407 Not Yet"));
});

test("the proposal is reported verbatim", async () => {
  const seen: unknown[] = [];
  const look: Service<ByteStream> = ({ proposal }: ServerRequest<ByteStream>) => {
    seen.push(proposal && [proposal.kind, proposal.protocols, proposal.offers("OTHER/2")]);
    return { status: 200 };
  };
  const { peer } = await serve(look, { keepAliveAfterRefusal: true });
  await peer.send(PROPOSING);
  await peer.readHead();
  await peer.send(head("GET /"));
  await peer.readHead();
  await peer.send(REQUEST.connect);
  await peer.readHead();
  expect(seen).toEqual([["upgrade", ["chat", "Other/2"], true], undefined, ["connect", [], false]]);
});

test.each<[string, (request: ServerRequest<ByteStream>) => Promise<unknown>, string]>([
  [
    "switchTo() for a field",
    (request) => request.switchTo("chat", { headers: { "Content-Length": "0" } }),
    "INVALID_FRAMING",
  ],
  ["switchTo() for an unproposed protocol", (request) => request.switchTo("h2c"), "NOT_OFFERED"],
])("a service that does not answer after a refused %s gets the reason", async (_, claim, code) => {
  const causes: unknown[] = [];
  const service: Service<ByteStream> = async (request) => {
    await claim(request).catch(() => {});
  };
  const { peer } = await serve(service, { onError: (error) => causes.push(error) });
  await peer.send(PROPOSING);
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
  expect(causes).toMatchObject([{ code: "NO_RESPONSE", cause: { code } }]);
});
