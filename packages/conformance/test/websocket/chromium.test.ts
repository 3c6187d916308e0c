import type { WebSocketOptions } from "@upgrade/websocket";
import { describe, expect, test } from "vitest";
import { installed } from "../../src/installed.ts";
import { closeAfterEach, credentials, portOf, serveHere } from "../../src/pairs/listening.ts";
import { page, visiting } from "../../src/websocket/browser.ts";
import { conversing, switchingWith } from "../../src/websocket/conversing.ts";

closeAfterEach();

const MIB = 1024 * 1024;
const TEXT = "the same again and again, ";
/** Text and bytes, 1 MiB of each, and the same text again. */
const LONG = [{ text: TEXT, length: MIB }, { length: MIB }, { text: TEXT, length: MIB }];
const ENOUGH = { code: 4000, reason: "enough" };

describe("Chromium's WebSocket and our server", () => {
  const visit = visiting(installed("Chromium"));

  /** A server and a page of it. */
  async function visited(...given: Parameters<typeof conversing>) {
    const [options, otherwise = page, serveOptions] = given;
    const { server, first } = await conversing(options, otherwise, serveOptions);
    const url = `ws://127.0.0.1:${portOf(server)}/`;
    return { server, first, url, visitor: await visit(server) };
  }

  test.each([true, false])(
    "agree on a subprotocol, and talk; compressed: %s",
    async (perMessageDeflate) => {
      const { url, first, visitor } = await visited({ subprotocols: ["v1"], perMessageDeflate });
      const subprotocols = ["v2", "v1"];
      expect(await visitor.talk({ url, subprotocols, send: LONG, last: ENOUGH })).toEqual({
        opened: true,
        failed: false,
        protocol: "v1",
        extensions: perMessageDeflate ? expect.stringMatching(/^permessage-deflate/) : "",
        echoed: LONG.length,
        texts: [],
        ...ENOUGH,
        wasClean: true,
      });
      const { agreement, closed, bytes } = await first;
      expect(agreement.deflate !== undefined).toBe(perMessageDeflate);
      expect(await closed).toEqual([4000, "enough"]);
      for (const count of [bytes.read, bytes.written]) {
        if (perMessageDeflate) expect(count).toBeLessThan(MIB / 10);
        else expect(count).toBeGreaterThan(LONG.length * MIB);
      }
    },
  );

  test.each<Exclude<WebSocketOptions["perMessageDeflate"], undefined>>([
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true, serverMaxWindowBits: 9 },
    { clientMaxWindowBits: 9 },
    { serverMaxWindowBits: 9, clientMaxWindowBits: 10, serverNoContextTakeover: true },
  ])("talk, compressed with %j", async (perMessageDeflate) => {
    const { url, first, visitor } = await visited({ perMessageDeflate });
    const seen = await visitor.talk({ url, send: LONG, last: ENOUGH });
    expect(seen).toMatchObject({ echoed: LONG.length, ...ENOUGH });
    expect((await first).agreement.deflate).toMatchObject(perMessageDeflate as object);
  });

  test("talk over TLS", async () => {
    const { url, visitor } = await visited({ perMessageDeflate: true }, page, { tls: credentials });
    const seen = await visitor.talk({ url: url.replace(/^ws/, "wss"), send: LONG, last: ENOUGH });
    expect(seen).toMatchObject({ echoed: LONG.length, ...ENOUGH, wasClean: true });
  });

  test.each([
    [1000, ""],
    [1011, "an error of ours"],
    [4999, "the last of the codes"],
  ])("the server closes with %i", async (code, reason) => {
    const { url, first, visitor } = await visited();
    const seen = await visitor.talk({ url, last: `/close ${code} ${reason}` });
    expect(seen).toMatchObject({ opened: true, failed: false, code, reason, wasClean: true });
    expect((await (await first).closed)[0]).toBe(code);
  });

  test("a message over the limit closes with 1009", async () => {
    const { url, visitor } = await visited({ maxPayload: MIB - 1 });
    const seen = await visitor.talk({ url, send: LONG });
    expect(seen).toMatchObject({ opened: true, echoed: 0, code: 1009 });
  });

  test("a page that closes without a code is closed with 1005", async () => {
    const { url, first, visitor } = await visited();
    expect(await visitor.talk({ url, last: {} })).toMatchObject({ code: 1005, wasClean: true });
    expect(await (await first).closed).toEqual([1005, ""]);
  });

  test.each(["leave", "close"] as const)("a page that goes away (%s) is seen", async (way) => {
    const { url, server, first, visitor } = await visited();
    await visitor.begin({ url });
    const { closed } = await first;
    await visitor[way]();
    expect((await closed)[0]).toBe(1001);
    await server.close({ timeoutMs: 0 });
  });

  test("a server that dies is seen", async () => {
    const { url, visitor } = await visited();
    const seen = await visitor.talk({ url, last: "/die" });
    expect(seen).toMatchObject({ opened: true, code: 1006, wasClean: false });
  });

  test("a ping is answered", async () => {
    const { url, visitor } = await visited();
    expect(await visitor.talk({ url, last: "/ping" })).toMatchObject({ reason: "pong: there?" });
  });

  test("an origin is accepted, or refused with a 403", async () => {
    const { server, visitor } = await visited();
    const own = `http://127.0.0.1:${portOf(server)}`;
    const asked: string[] = [];
    for (const isWelcome of [true, false]) {
      const origins = (origin = "") => asked.push(origin) > 0 && isWelcome;
      const { server: other } = await conversing({ origins });
      const seen = await visitor.talk({ url: `ws://127.0.0.1:${portOf(other)}/`, last: ENOUGH });
      expect(seen).toMatchObject({ opened: isWelcome, failed: !isWelcome });
      expect(seen.code).toBe(isWelcome ? 4000 : 1006);
      await other.close({ timeoutMs: 0 });
    }
    expect(asked).toEqual([own, own]);
    expect(await visitor.complaint()).toContain("Unexpected response code: 403");
  });

  test.each([
    [{ subprotocols: ["v1"] }, "no response was received"],
    [{ subprotocols: ["v1"], requireSubprotocol: true }, "Unexpected response code: 400"],
  ])("without a subprotocol in common, by %j, the page fails: %s", async (options, complaint) => {
    const { url, server, visitor } = await visited(options);
    const seen = await visitor.talk({ url, subprotocols: ["v9"] });
    expect(seen).toMatchObject({ opened: false, failed: true, code: 1006 });
    expect(await visitor.complaint()).toContain(complaint);
    await server.close({ timeoutMs: 0 });
  });

  test.each([
    [{ "Sec-WebSocket-Protocol": "v9" }, "'v9' in response does not match"],
    [{ "Sec-WebSocket-Extensions": "x-other" }, "unsupported extension 'x-other'"],
    [{ "Sec-WebSocket-Accept": "bm8=" }, "Incorrect 'Sec-WebSocket-Accept'"],
  ])("a 101 with %j, which the page did not offer, fails: %s", async (fields, complaint) => {
    const server = await switchingWith(fields, Buffer.of(), page);
    const visitor = await visit(server);
    const url = `ws://127.0.0.1:${portOf(server)}/`;
    const subprotocols = "Sec-WebSocket-Protocol" in fields ? ["v1"] : [];
    const seen = await visitor.talk({ url, subprotocols });
    expect(seen).toMatchObject({ opened: false, failed: true, code: 1006 });
    expect(await visitor.complaint()).toContain(complaint);
    await server.close({ timeoutMs: 0 });
  });

  test("frames in the same write as the 101 arrive", async () => {
    // "hi", and a close with 4000 (RFC 6455 §5.2).
    const frames = Buffer.from([0x81, 2, 0x68, 0x69, 0x88, 2, 0x0f, 0xa0]);
    const server = await switchingWith({}, frames, page);
    const visitor = await visit(server);
    const seen = await visitor.talk({ url: `ws://127.0.0.1:${portOf(server)}/` });
    expect(seen).toMatchObject({ opened: true, texts: ["hi"], code: 4000 });
  });

  test("a page that is no WebSocket fails", async () => {
    const { visitor, server } = await visited();
    const plain = await serveHere(page);
    const seen = await visitor.talk({ url: `ws://127.0.0.1:${portOf(plain)}/` });
    expect(seen).toMatchObject({ opened: false, failed: true, code: 1006 });
    expect(await visitor.complaint()).toContain("Unexpected response code: 200");
    await Promise.all([plain.close({ timeoutMs: 0 }), server.close({ timeoutMs: 0 })]);
  });
});
