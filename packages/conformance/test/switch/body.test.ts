import { type ByteStream, ManualClock, memoryPair, type Parts } from "@upgrade/core/io";
import { type ServerOptions, type ServerRequest, handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { latin1 } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

/** A proposal with a body. */
const proposal = (...fields: string[]): string =>
  [
    "POST /chat HTTP/1.1",
    "Host: a.test",
    "Connection: Upgrade",
    "Upgrade: chat",
    ...fields,
    "\r\n",
  ].join("\r\n");
const SIZED = proposal("Content-Length: 10");
const CHUNKED = proposal("Transfer-Encoding: chunked");

type Act = (request: ServerRequest<ByteStream>) => Promise<Parts<ByteStream>>;
const ACTS: Record<string, Act> = {
  switchTo: (request) => request.switchTo("chat"),
  takeOver: (request) => request.takeOver(),
};

/** A server that accepts by `act`, and the result. */
async function accepting(act: Act, options: ServerOptions<ByteStream> = {}) {
  const [io, far] = memoryPair();
  const peer = new ScriptedPeer(far);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push((error as { code?: unknown }).code);
  let parts: Promise<Parts<ByteStream>> | undefined;
  const { connection } = await serve(
    io,
    async (request) => {
      parts = act(request);
      await parts.catch(() => {});
    },
    { ...options, onError },
  );
  return { io, peer, connection, errors, parts: () => parts! };
}

describe("L5 body before switch: what the service does not read is drained", () => {
  describe.each(Object.entries(ACTS))("%s", (how, act) => {
    const head = how === "switchTo" ? /^HTTP\/1\.1 101 / : undefined;

    test.each([
      ["with a length", SIZED, "0123456789"],
      ["chunked", CHUNKED, "4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nDigest: z\r\n\r\n"],
      ["of nothing", proposal("Content-Length: 0"), ""],
    ])("a body %s, whole", async (_, request, body) => {
      const { peer, parts } = await accepting(act);
      await peer.send(`${request}${body}early`);
      await turns();
      expect(latin1((await parts()).readBuf)).toBe("early");
      if (head !== undefined) expect(await peer.readHead()).toMatch(head);
      expect(peer.unread).toBe("");
    });

    test("a body that arrives later: nothing is accepted before its last byte", async () => {
      const { peer, parts } = await accepting(act);
      await peer.send(SIZED);
      for (const byte of "012345678") {
        await peer.send(byte);
        await turns(2);
      }
      expect(peer.unread).toBe("");
      await peer.send("9early");
      expect(latin1((await parts()).readBuf)).toBe("early");
    });
  });

  test("exactly maxDrainBytes are drained", async () => {
    const { peer, parts } = await accepting(ACTS.switchTo!, { maxDrainBytes: 10 });
    await peer.send(`${SIZED}0123456789early`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(latin1((await parts()).readBuf)).toBe("early");
  });

  test.each([
    ["with a length", SIZED, "0123456789"],
    ["chunked", CHUNKED, "a\r\n0123456789\r\n0\r\n\r\n"],
  ])("one byte more is a 413, %s, and the waiting call rejects", async (_, request, body) => {
    const { peer, parts, errors, connection } = await accepting(ACTS.switchTo!, {
      maxDrainBytes: 9,
    });
    await peer.send(`${request}${body}early`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 413 [\s\S]*Connection: close/);
    expect(await peer.readToEnd()).toBe("");
    await expect(parts()).rejects.toMatchObject({ code: "DRAIN_TOO_LARGE" });
    expect(errors).toContain("DRAIN_TOO_LARGE");
    await peer.end();
    expect((await connection.closed).kind).not.toBe("switched");
  });

  test("a body that does not arrive within drainMs is a 408", async () => {
    const clock = new ManualClock();
    const { peer, parts } = await accepting(ACTS.switchTo!, { clock, drainMs: 500 });
    await peer.send(`${SIZED}01234`);
    await turns();
    clock.advance(499);
    expect(peer.unread).toBe("");
    clock.advance(1);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 408 /);
    await expect(parts()).rejects.toMatchObject({ code: "DRAIN_TIMEOUT" });
  });

  test.each(Object.entries(ACTS))("a malformed body is a 400, for %s", async (_, act) => {
    const { peer, parts, errors } = await accepting(act);
    await peer.send(`${CHUNKED}4\r\n0123\r\nxyz\r\n`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await peer.readToEnd()).toBe("");
    await expect(parts()).rejects.toMatchObject({ code: "MALFORMED_CHUNK" });
    expect(errors).toContain("MALFORMED_CHUNK");
  });

  test("a body that ends too early switches nothing", async () => {
    const { peer, parts } = await accepting(ACTS.switchTo!);
    await peer.send(`${SIZED}01234`);
    await peer.end();
    await expect(parts()).rejects.toMatchObject({ code: "INCOMPLETE_MESSAGE" });
    expect(await peer.readToLast()).toBe("");
  });
});

describe("L5 body before switch: what the service reads", () => {
  test("is read to its end, then the 101 is written", async () => {
    const { peer, parts } = await accepting(async (request) => {
      const text = await request.body.text();
      return request.switchTo("chat", { headers: { "X-Body": text } });
    });
    await peer.send(`${SIZED}01234`);
    await turns();
    expect(peer.unread).toBe("");
    await peer.send("56789early");
    expect(await peer.readHead()).toMatch(/X-Body: 0123456789\r\n/);
    expect(latin1((await parts()).readBuf)).toBe("early");
  });

  test("a reader still reading when the switch is requested continues", async () => {
    let text!: Promise<string>;
    const { peer, parts } = await accepting((request) => {
      text = request.body.text();
      return request.switchTo("chat");
    });
    await peer.send(`${SIZED}01234`);
    await turns();
    await peer.send("56789early");
    expect(await text).toBe("0123456789");
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(latin1((await parts()).readBuf)).toBe("early");
  });
});

describe("L5 body before switch: 100 is sent before 101", () => {
  const EXPECTING = proposal("Content-Length: 4", "Expect: 100-continue");

  test.each(Object.entries(ACTS))("%s requests the body first", async (how, act) => {
    const { peer, parts } = await accepting(act);
    await peer.send(EXPECTING);
    expect(await peer.readHead()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    await turns();
    expect(peer.unread).toBe("");
    await peer.send("bodyearly");
    if (how === "switchTo") expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(latin1((await parts()).readBuf)).toBe("early");
  });

  test("a returned 101 does, too", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const headers = { Connection: "Upgrade", Upgrade: "chat" };
    await serve(io, () => ({ status: 101, headers }));
    await peer.send(EXPECTING);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 100 /);
    await peer.send("body");
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  });

  test("a body that came without waiting needs no 100", async () => {
    const { peer } = await accepting(ACTS.switchTo!);
    await peer.send(`${EXPECTING}body`);
    const head = await peer.readUntil("101 ");
    await peer.readHead();
    // Both are allowed (RFC 9110 §10.1.1); a 100 never follows the 101.
    expect(head).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 101 $/);
    await turns();
    expect(peer.unread).toBe("");
  });
});
