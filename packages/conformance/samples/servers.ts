import { expect } from "vitest";
import type { Cast, Story } from "../src/sample-story.ts";
import type { ScriptedPeer } from "../src/scripted-peer.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const SWITCH = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: ";
const HELLO =
  "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async function* answers(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(GET.slice(0, 10));
  yield "half of the request is here";
  await client.send(GET.slice(10));
  yield "the request is here";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  await client.readUntil("hello");
  yield "it is answered";
}

async function* echoes(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`${SWITCH}echo\r\n\r\nearly`);
  yield "the proposal is here";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  expect(await client.read(5)).toBe("early");
  yield "it has switched";
  await client.send("more");
  expect(await client.read(4)).toBe("more");
  yield "bytes came back";
}

// One masked text frame, "hi", and what comes back.
const FRAME = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);

const speaks = (cast: Cast) => speaking(cast, () => cast.dial());
const speaksOnOne = (cast: Cast) => speaking(cast, () => cast.accept());

async function* speaking(_: Cast, connect: () => Promise<ScriptedPeer>) {
  const client = await connect();
  yield "the client is connected";
  await client.send(SWITCH + HELLO);
  yield "the proposal is here";
  expect(await client.readHead()).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  yield "it has switched";
  await client.send(FRAME);
  expect(await client.read(4)).toBe("\x81\x02hi");
  yield "a frame came back";
}

export const SERVERS: readonly Story[] = [
  {
    sample: "docs/guides/server.md: The server",
    serves: "8080",
    given: `async function lookUp(): Promise<string | undefined> { return "hello"; }`,
    play: answers,
  },
  { sample: "packages/server/README.md: @upgrade/server", serves: "8080", play: echoes },
  {
    sample: "docs/guides/websocket.md: A server, with ws doing the handshake",
    serves: "8080",
    play: speaks,
  },
  {
    sample: "docs/guides/websocket.md: A server, with the 101 written here",
    // Its socket is one that it has made itself; what it does with that is the same.
    asks: "8080",
    given: `
      import net from "node:net";
      const socket = net.connect(8080, "127.0.0.1");
      function speakFrames(io: net.Socket, readBuf: Uint8Array) {
        io.on("error", () => {}).on("end", () => io.end());
        io.write(readBuf);
        io.on("data", () => io.write(Buffer.from([0x81, 2, 0x68, 0x69])));
      }`,
    play: speaksOnOne,
  },
];
