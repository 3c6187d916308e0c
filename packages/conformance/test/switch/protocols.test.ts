import type { Duplex } from "node:stream";
import { AgreementFailed, upgrade } from "@upgrade/client";
import type { Proposable, Protocol, Refusal } from "@upgrade/core";
import { type ByteStream, type Io, memoryPair } from "@upgrade/core/io";
import { handshake, type Service, type Spoken, switching } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { destroyPairs, PAIRS, type WebEnd } from "../../src/pairs/pairs.ts";
import { codeOr } from "../../src/promises.ts";
import { REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

interface Count {
  readonly by: number;
}

/** Agrees on a number: the server takes the client's, up to `most`. */
function counting(most: number, token = "count/1", by = 7): Protocol<Count> {
  return {
    token,
    offer: () => ({
      headers: { "Count-By": by },
      verify: ({ headers }) => {
        const agreed = Number(headers.get("count-by"));
        if (agreed !== by) throw new TypeError(`it counts by ${agreed}`);
        return { by: agreed };
      },
    }),
    accept: ({ headers }) => {
      const wanted = Number(headers.get("count-by") ?? 1);
      if (wanted > most) return refusal(403, `at most ${most}`);
      return { agreement: { by: wanted }, headers: { "Count-By": wanted } };
    },
  };
}

const refusal = (status: number, body: string): Refusal => ({ refusal: { status, body } });

const refusing = (token: string, status: number): Protocol => ({
  token,
  offer: () => ({ verify: () => undefined }),
  accept: () => refusal(status, token),
});

const silent = (): void => {};
const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? undefined);

/** Proposes to a server in memory; also returns what `onError` got. */
function propose<P extends Protocol<unknown> | string>(
  service: Service<ByteStream>,
  protocol: P | readonly P[],
) {
  const [near, far] = memoryPair();
  const reports: string[] = [];
  const onError = (error: unknown): unknown => reports.push(codeOr(error));
  void handshake(far, service, { onError });
  const request = { target: "/", protocol, headers: { Host: "a.test" } };
  return { result: upgrade(near, request), near, far, reports };
}

const proposing = (...tokens: string[]): string =>
  head("GET /", "Connection: Upgrade", `Upgrade: ${tokens.join(", ")}`);

describe("L4: both ends of a protocol learn what they agreed on", () => {
  test("and the bytes after the switch are its own", async () => {
    const service = switching<ByteStream, [Protocol<Count>]>([
      [counting(10), async ({ io }, { by }) => void io.write([new TextEncoder().encode(`${by}!`)])],
    ]);
    const { result } = propose(service, counting(10));
    const accepted = await result;
    if (!accepted.switched) throw new Error("refused");
    expect([accepted.protocol, accepted.agreement]).toEqual(["count/1", { by: 7 }]);
    const first = accepted.readBuf.length > 0 ? accepted.readBuf : await accepted.io.read();
    expect(text(first)).toBe("7!");
  });

  test("the client gets a refusal as it would any response", async () => {
    const { result } = propose(switching([[counting(5), silent]]), counting(5));
    const declined = await result;
    expect(declined.switched).toBe(false);
    expect([declined.response.status, await declined.response.body.text()]).toEqual([
      403,
      "at most 5",
    ]);
  });

  test("of several protocols the accepted one verifies", async () => {
    const service = switching<ByteStream, [Protocol<Count>]>([[counting(10, "Second"), silent]]);
    const { result } = propose(service, ["first", counting(10, "second", 3)]);
    expect(await result).toMatchObject({ switched: true, agreement: { by: 3 } });
  });

  test("a token alone has nothing to agree on", async () => {
    const { result } = propose(switching([["plain", silent]]), "plain");
    expect(await result).toMatchObject({ switched: true, protocol: "plain", agreement: undefined });
  });
});

describe("L4: a service made of protocols answers", () => {
  const doors: readonly Spoken<ByteStream>[] = [
    ["one", silent],
    ["Two/2", silent],
    [refusing("no", 403), silent],
    [refusing("never", 410), silent],
  ];
  const chosen = (protocol: string) =>
    answer("101 Switching Protocols", "Connection: Upgrade", `Upgrade: ${protocol}`);
  const unknown = answer(
    "426 Upgrade Required",
    "Upgrade: one, Two/2, no, never",
    "Content-Type: text/plain",
    "Content-Length: 86",
    "Connection: Upgrade",
  );
  const refused = (status: string, length: number) =>
    answer(status, `Content-Length: ${length}`, "Connection: close");

  test.each<[string, string, string]>([
    ["the client's first choice", proposing("two/2", "one"), chosen("two/2")],
    ["the first that is known", proposing("other", "one"), chosen("one")],
    ["the first that accepts", proposing("no", "one"), chosen("one")],
    ["the first of several refusals", proposing("never", "other", "no"), refused("410 Gone", 5)],
    ["a request that proposes nothing with what it speaks", head("GET /"), unknown],
    ["a CONNECT with 501", REQUEST.connect, refused("501 Not Implemented", 0)],
  ])("%s", async (_, request, expected) => {
    const { peer, reports } = await serve(switching(doors));
    await peer.send(request);
    expect(await peer.readHead()).toBe(expected);
    expect(reports).toEqual([]);
  });

  test("unknown protocols with what it speaks", async () => {
    const { peer } = await serve(switching(doors));
    await peer.send(proposing("other"));
    const [start, upgrades] = (await peer.readHead()).split("\r\n");
    expect([start, upgrades]).toEqual([
      "HTTP/1.1 426 Upgrade Required",
      "Upgrade: one, Two/2, no, never",
    ]);
  });

  test.each([head("GET /"), proposing("other"), REQUEST.connect])(
    "by the other service whatever proposes none of them: %j",
    async (request) => {
      const service = switching<ByteStream, Proposable[]>(doors, ({ method }) => ({
        status: 404,
        body: method,
      }));
      const { peer } = await serve(service);
      await peer.send(request);
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 404 /);
    },
  );
});

describe("L4, L8: a failure after the switch aborts the io and is reported:", () => {
  test("what speaks the protocol throws, even with listeners of its own", async () => {
    const service = switching<ByteStream, ["plain"]>([
      ["plain", async () => Promise.reject(new TypeError("it broke"))],
    ]);
    const { result, reports } = propose(service, "plain");
    const accepted = await result;
    if (!accepted.switched) throw new Error("refused");
    await expect(accepted.io.read()).rejects.toThrow();
    expect(reports).toEqual(["it broke"]);
  });

  test("the client's verify throws: the error keeps the response, and the server sees a reset", async () => {
    const { result, far } = propose(switching([["count/1", silent]]), counting(10));
    const error = await result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AgreementFailed);
    expect(error).toMatchObject({
      code: "AGREEMENT_FAILED",
      message: expect.stringContaining("count/1: it counts by NaN"),
      response: { status: 101 },
      cause: { message: "it counts by NaN" },
    });
    expect(Object.keys(error as object)).not.toContain("response");
    await expect(far.read()).rejects.toThrow();
  });

  test("the server accepts several protocols at once: none of them is verified, so none is spoken", async () => {
    const service: Service<ByteStream> = async (request) => {
      const { io } = await request.switchTo("second", { headers: { Upgrade: "first, second" } });
      void io;
    };
    const { result, far } = propose(service, [counting(10, "first"), "second"]);
    await expect(result).rejects.toMatchObject({
      code: "AGREEMENT_FAILED",
      cause: { code: "BAD_SWITCH", message: expect.stringContaining("it names 2 protocols") },
    });
    await expect(far.read()).rejects.toThrow();
  });

  test("the client's verify throws something other than an error", async () => {
    const odd: Protocol<unknown> = {
      ...counting(10),
      offer: () => ({
        verify: () => {
          throw "no reason";
        },
      }),
    };
    const { result } = propose(switching([["count/1", silent]]), odd);
    await expect(result).rejects.toMatchObject({ code: "AGREEMENT_FAILED", cause: "no reason" });
  });

  test("the client's verify returns a promise, which would verify nothing", async () => {
    const late: Protocol<unknown> = {
      ...counting(10),
      offer: () => ({ verify: () => Promise.reject(new TypeError("too late")) }),
    };
    const { result, far } = propose(switching([["count/1", silent]]), late);
    await expect(result).rejects.toMatchObject({
      code: "AGREEMENT_FAILED",
      message: expect.stringContaining("verify() of count/1 must not return a promise"),
    });
    await expect(far.read()).rejects.toThrow();
  });
});

describe.each(PAIRS)("L8: over $name, the other end notices that", ({ make }) => {
  afterEach(destroyPairs);

  test("what speaks the protocol threw", async () => {
    const [near, far] = await make();
    void handshake(far, switching([["plain", () => Promise.reject(new TypeError("it broke"))]]));
    const request = { target: "/", protocol: "plain", headers: { Host: "a.test" } };
    // A reset may overtake the 101.
    const result = await upgrade(near, request).catch((error: unknown) => error);
    if (!(result instanceof Error)) await expectEnd((result as { io: Io }).io);
  });

  test("the client's verify threw", async () => {
    const [near, far] = await make();
    const ended = new Promise<Io>((resolve) => {
      void handshake(far, switching<Io, ["count/1"]>([["count/1", ({ io }) => resolve(io)]]));
    });
    const request = { target: "/", protocol: counting(10), headers: { Host: "a.test" } };
    await expect(upgrade(near, request)).rejects.toBeInstanceOf(AgreementFailed);
    await expectEnd(await ended);
  });
});

/** Resolves when the io has ended or failed, however it reports that. */
async function expectEnd(io: Io): Promise<void> {
  if ("readable" in io && typeof io.readable === "object") {
    const reader = (io as unknown as WebEnd).readable.getReader();
    await reader.read().then(
      ({ done }) => expect(done).toBe(true),
      () => {},
    );
  } else if ("on" in io) {
    const stream = (io as unknown as Duplex).on("error", () => {}).resume();
    if (!stream.closed && !stream.readableEnded) {
      await new Promise((resolve) => stream.once("close", resolve).once("end", resolve));
    }
  } else {
    await (io as ByteStream).read().then(
      (chunk) => expect(chunk).toBe(null),
      () => {},
    );
  }
}

describe("L4: a failure before the switch leaves an ordinary connection:", () => {
  test.each<[string, Protocol<unknown>["accept"], string]>([
    [
      "accept throws",
      () => {
        throw new TypeError("it broke");
      },
      "it broke",
    ],
    ["accept returns nothing", () => undefined as never, "INVALID_OPTION"],
    ["its headers are invalid", () => ({ agreement: 1, headers: { "A\n": "" } }), "INVALID_HEADER"],
    ["its refusal is a 101", () => ({ refusal: { status: 101 } }), "INVALID_UPGRADE"],
  ])("%s", async (_, accept, report) => {
    const broken = { ...counting(1), accept };
    const { peer, reports } = await serve(switching([[broken, silent]]));
    await peer.send(proposing("count/1"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual([`service: ${report}`]);
  });

  test("the peer is gone before the switch: that is reported, and nothing is spoken", async () => {
    const spoken: unknown[] = [];
    const service = switching<ByteStream, ["plain"]>([
      ["plain", (parts) => void spoken.push(parts)],
    ]);
    const body = head("POST /", "Connection: Upgrade", "Upgrade: plain", "Content-Length: 5");
    const { peer, connection, reports } = await serve(service);
    await peer.send(body);
    connection.abort();
    await turns();
    expect(spoken).toEqual([]);
    expect(reports.length).toBeGreaterThan(0);
  });
});

describe("what is no protocol is refused at once:", () => {
  const speaking = { ...counting(1) };
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "a list of [protocol, speak]"],
    ["an empty list", [], "a list of [protocol, speak]"],
    ["a protocol outside a pair", [speaking], "what speaks"],
    ["a number", [[7, silent]], "protocol is 7"],
    ["an object without a token", [[{}, silent]], "has no token"],
    ["one without offer()", [[{ token: "a" }, silent]], "a has no offer()"],
    ["one without accept()", [[{ ...speaking, accept: 1 }, silent]], "count/1 has no accept()"],
    ["a token with a space", [["web socket", silent]], '"web socket": a token is name'],
    ["a token twice", [["a", silent], ["A", silent]], "A is listed twice"], // biome-ignore format: one line
    ["no function", [["a", 7]], "what speaks a is 7"],
  ])("by a server: %s", (_, protocols, words) => {
    expect(() => switching(protocols as never)).toThrow(words);
  });

  test("by a server: another service that is none", () => {
    expect(() => switching([["a", silent]], 7 as never)).toThrow("otherwise is 7");
  });

  test.each<[string, unknown, string]>([
    ["an object without a token", {}, "has no token"],
    ["a token with a space", "web socket", '"web socket": a token is name'],
    ["an offer without verify()", { ...counting(1), offer: () => ({}) }, "an object with verify()"],
    ["an offer of nothing", { ...counting(1), offer: () => undefined }, "an object with verify()"],
  ])("by a client: %s", async (_, protocol, words) => {
    const { result } = propose(silent, protocol as string);
    await expect(result).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining(words),
      sent: "nothing",
    });
  });
});
