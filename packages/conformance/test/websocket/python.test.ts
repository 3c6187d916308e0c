import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { WebSocketOptions } from "@upgrade/websocket";
import { describe, expect, test } from "vitest";
import { installed } from "../../src/installed.ts";
import { closeAfterEach, portOf } from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";
import { conversing, switchingWith } from "../../src/websocket/conversing.ts";
import { converse, dialed } from "../../src/websocket/ends.ts";
import { NEWEST } from "../../src/websocket/versions.ts";

closeAfterEach();

const MIB = 1024 * 1024;

/** What Python's client shall do. */
interface Talk {
  readonly url: string;
  readonly subprotocols?: readonly string[];
  readonly origin?: string;
  readonly compression?: "deflate" | null;
  /** Send 1 MiB of text, and of bytes, and the text again. */
  readonly talks?: boolean;
  /** After that: text to send, or a close; otherwise it waits. */
  readonly text?: string;
  readonly code?: number;
  readonly reason?: string;
}

// Both the client of Debian 12, websockets 10, and the newer one of websockets 14.
const CLIENT = `
import asyncio, json, sys, websockets

async def talk(url, talks=False, text=None, code=None, reason="", **options):
    async with websockets.connect(url, max_size=None, **options) as socket:
        phrase = ("the same again and again, " * 50000)[: 1024 * 1024]
        for message in [phrase, bytes([7]) * len(phrase), phrase] if talks else []:
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping(b"there?"))
        if text is not None:
            await socket.send(text)
        if code is not None:
            await socket.close(code, reason)
        await socket.wait_closed()
        return dict(subprotocol=socket.subprotocol, code=socket.close_code, reason=socket.close_reason)

async def main():
    try:
        seen = await asyncio.wait_for(talk(**json.loads(sys.argv[1])), 20)
    except websockets.exceptions.InvalidHandshake as error:
        status = getattr(error, "status_code", None) or getattr(error, "response", None)
        seen = dict(status=getattr(status, "status_code", status), error=str(error))
    print(json.dumps(seen))

asyncio.run(main())
`;

const SERVER = `
import asyncio, websockets

async def echo(socket):
    try:
        async for message in socket:
            if message == "bye":
                await socket.close(4001, "bye")
            else:
                await socket.send(message)
    except websockets.ConnectionClosed:
        pass

async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, subprotocols=["v1"], max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.Future()

asyncio.run(main())
`;

describe("the client of Python's websockets and our server", () => {
  const python = installed("Python's websockets");

  async function talk(given: Talk): Promise<unknown> {
    const { stdout } = await promisify(execFile)(python(), ["-c", CLIENT, JSON.stringify(given)]);
    return JSON.parse(stdout);
  }

  async function serving(options: WebSocketOptions & { readonly maxPayload?: number } = {}) {
    const { server, first } = await conversing(options);
    return { server, first, url: `ws://127.0.0.1:${portOf(server)}/` };
  }

  test.each([
    [true, "deflate"],
    [true, null],
    [false, "deflate"],
  ] as const)(
    "agree on a subprotocol, and talk; compressed: %j by us, %j by it",
    async (perMessageDeflate, compression) => {
      const { url, first, server } = await serving({ subprotocols: ["v1"], perMessageDeflate });
      const talks = { url, talks: true, subprotocols: ["v2", "v1"], compression };
      const close = { code: 4000, reason: "enough" };
      expect(await talk({ ...talks, ...close })).toEqual({ subprotocol: "v1", ...close });
      const { agreement, closed, bytes } = await first;
      expect(await closed).toEqual([4000, "enough"]);
      const isCompressed = perMessageDeflate && compression !== null;
      expect(agreement.deflate !== undefined).toBe(isCompressed);
      for (const count of [bytes.read, bytes.written]) {
        if (isCompressed) expect(count).toBeLessThan(MIB / 10);
        else expect(count).toBeGreaterThan(3 * MIB);
      }
      await server.close({ timeoutMs: 0 });
    },
  );

  test.each<Exclude<WebSocketOptions["perMessageDeflate"], undefined>>([
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  ])("talk, compressed with %j", async (perMessageDeflate) => {
    const { url, first } = await serving({ perMessageDeflate });
    expect(await talk({ url, talks: true, code: 1000 })).toMatchObject({ code: 1000 });
    expect((await first).agreement.deflate).toMatchObject(perMessageDeflate as object);
  });

  test.each([
    [1000, ""],
    [1011, "an error of ours"],
    [4999, "the last of the codes"],
  ])("the server closes with %i", async (code, reason) => {
    const { url, first } = await serving();
    expect(await talk({ url, text: `/close ${code} ${reason}` })).toMatchObject({ code, reason });
    expect((await (await first).closed)[0]).toBe(code);
  });

  test("a server that dies is seen", async () => {
    const { url } = await serving();
    expect(await talk({ url, text: "/die" })).toMatchObject({ code: 1006 });
  });

  test("an origin is accepted, or refused with a 403", async () => {
    const { url } = await serving({ origins: ["https://a.test"] });
    const close = { code: 1000 };
    expect(await talk({ url, origin: "https://a.test", ...close })).toMatchObject(close);
    expect(await talk({ url, origin: "https://b.test" })).toMatchObject({ status: 403 });
  });

  test("without a subprotocol in common it is refused with a 400, if one is required", async () => {
    const options = { subprotocols: ["v1"], requireSubprotocol: true };
    const { url } = await serving(options);
    expect(await talk({ url, subprotocols: ["v9"] })).toMatchObject({ status: 400 });
    const { url: lenient } = await serving({ subprotocols: ["v1"] });
    const seen = await talk({ url: lenient, subprotocols: ["v9"], code: 1000 });
    expect(seen).toMatchObject({ subprotocol: null, code: 1000 });
  });

  test("a subprotocol that it did not offer fails", async () => {
    const server = await switchingWith({ "Sec-WebSocket-Protocol": "v9" });
    const url = `ws://127.0.0.1:${portOf(server)}/`;
    expect(await talk({ url, subprotocols: ["v1"] })).toMatchObject({
      error: expect.stringContaining("v9"),
    });
    await server.close({ timeoutMs: 0 });
  });
});

describe("the server of Python's websockets and our client", () => {
  const python = installed("Python's websockets");

  async function serving(): Promise<number> {
    const child = spawn(python(), ["-c", SERVER], { stdio: ["ignore", "pipe", "inherit"] });
    closeLater(() => child.kill());
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return Number(line);
  }

  test.each([true, false])("talk; compressed: %s", async (deflate) => {
    const options = { subprotocols: ["v1"], perMessageDeflate: deflate };
    const { socket, agreement } = await dialed(NEWEST, await serving(), options);
    expect([agreement.protocol, agreement.deflate !== undefined]).toEqual(["v1", deflate]);
    await converse(socket);
  });

  test("a message of 1 MiB comes back, and the server closes", async () => {
    const options = { subprotocols: ["v1"], perMessageDeflate: true };
    const { socket } = await dialed(NEWEST, await serving(), options);
    const sent = "the same again and again, ".repeat(50_000).slice(0, MIB);
    socket.send(sent);
    expect(String((await once(socket, "message"))[0]) === sent).toBe(true);
    socket.send("bye");
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4001, "bye"]);
  });
});
