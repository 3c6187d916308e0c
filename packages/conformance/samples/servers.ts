import { expect } from "vitest";
import type { Cast, Story } from "../src/samples/story.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const SWITCH = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: ";
const HELLO =
  "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async function* answers(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(GET.slice(0, 10));
  yield "half of the request has arrived";
  await client.send(GET.slice(10));
  yield "the request has arrived";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  await client.readUntil("hello");
  yield "it is answered";
}

async function* asked(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(GET.slice(0, 10));
  yield "half of the request has arrived";
  await client.send(GET.slice(10));
  yield "the request has arrived";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  await client.readUntil("you asked for http://a.test/\n");
  yield "it is answered";
}

async function* traced(cast: Cast) {
  yield* answers(cast);
  for (const type of ["request", "response", "end-of-message"]) {
    await cast.stage.until(type, () => cast.stage.printed.includes(`${type} `));
  }
}

async function* echoes(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(`${SWITCH}echo\r\n\r\nearly`);
  yield "the proposal has arrived";
  expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  expect(await client.read(5)).toBe("early");
  yield "it has switched";
  await client.send("more");
  expect(await client.read(4)).toBe("more");
  yield "bytes came back";
}

const CHILD = `
  process.on("message", ({ key, readBuf }, socket) => {
    if (socket === undefined) return; // its client has gone
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 x\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");
    socket.write(Buffer.from(readBuf, "base64"));
    socket.pipe(socket);
  });`;

// One masked text frame, "hi", and what comes back.
const FRAME = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);

async function* speaks(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(SWITCH + HELLO);
  yield "the proposal has arrived";
  expect(await client.readHead()).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  yield "it has switched";
  await client.send(FRAME);
  expect(await client.read(4)).toBe("\x81\x02hi");
  yield "a frame came back";
}

// A Deno.Conn over a socket of Node.
const DENO = `
  import net from "node:net";
  import { on } from "node:events";
  import { StandInConn } from "../../src/pairs/deno-conn.ts";
  const Deno = {
    async *listen({ port }) {
      const server = net.createServer({ allowHalfOpen: true }).listen(port, "127.0.0.1");
      for await (const [socket] of on(server, "connection")) yield new StandInConn(socket);
    },
  };`;

const BEFORE = "docs/guides/server.md: Before the handshake, and beside it";

const APPLICATION = `
  import { pipeline } from "node:stream";
  const app = { fetch: async () => new Response("hello") };
  const speak = ({ io, readBuf }) => {
    io.write(readBuf);
    pipeline(io, io, () => {});
  };`;

async function* greeted(cast: Cast) {
  const client = await cast.dial();
  yield "the client is connected";
  await client.send(SWITCH + HELLO);
  yield "the proposal has arrived";
  expect(await client.readHead()).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  expect(await client.read(7)).toBe("\x81\x05hello");
  yield "the greeting has arrived";
}

const HANDED = "docs/guides/node.md: Software for node:http on our server";
const ADOPTED = "docs/guides/node.md: Our protocols on a server of node:http";
const SERVE = `import { serve } from "@upgrade/node";`;

const FROM_NODE = "docs/coming-from/node-http-upgrade.md: There and here";
const FROM_WS = "docs/coming-from/ws.md: There and here";

export const SERVERS: readonly Story[] = [
  { sample: FROM_NODE, serves: "8080", play: answers },
  { sample: FROM_NODE, serves: "8080", play: echoes },
  { sample: `${FROM_NODE} (2)`, serves: "8080", play: answers },
  { sample: `${FROM_NODE} (2)`, serves: "8080", play: echoes },
  { sample: FROM_WS, serves: "8080", play: speaks },
  { sample: `${FROM_WS} (2)`, serves: "8080", play: speaks },
  { sample: "docs/runtimes/bun.md: On Bun", serves: "8080", play: answers },
  { sample: "docs/runtimes/bun.md: On Bun", serves: "8080", play: echoes },
  { sample: "docs/runtimes/deno.md: On Deno", serves: "8080", given: DENO, play: answers },
  { sample: "docs/runtimes/deno.md: On Deno", serves: "8080", given: DENO, play: echoes },
  {
    sample: "docs/guides/server.md: The server",
    serves: "8080",
    given: `async function lookUp(): Promise<string | undefined> { return "hello"; }`,
    play: answers,
  },
  { sample: "docs/guides/server.md: The server (2)", serves: "8080", play: answers },
  {
    sample: "docs/transports.md: On workerd",
    serves: "8080",
    // A workerd socket is a WHATWG pair, too.
    after: `
      import net from "node:net";
      import { Duplex } from "node:stream";
      queueMicrotask(async () => {
        const { default: worker } = await import(import.meta.url);
        net.createServer((socket) => void worker.connect(Duplex.toWeb(socket))).listen(8080);
      });`,
    play: answers,
  },
  {
    sample: BEFORE,
    serves: "8080",
    given: `
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["--eval", ${JSON.stringify(CHILD)}], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      process.once("message", () => child.disconnect());`,
    after: `${SERVE} await serve(service, { port: 8080 });`,
    play: echoes,
  },
  {
    sample: "docs/guides/server.md: Handlers of hono, h3 and srvx",
    serves: "8080",
    given: APPLICATION,
    play: answers,
  },
  { sample: "docs/guides/tracing.md: Watching connections", serves: "8080", play: traced },
  { sample: "docs/guides/tracing.md: Logs", serves: "8080", play: answers },
  {
    sample: "docs/guides/server.md: Handlers of hono, h3 and srvx",
    serves: "8080",
    given: APPLICATION,
    play: echoes,
  },
  {
    sample: "packages/server/src/fetch-service.ts: fetchService",
    serves: "8080",
    given: `import { handshake } from "@upgrade/server";`,
    play: asked,
  },
  {
    sample: "packages/server/src/handshake.ts: handshake",
    serves: "8080",
    play: answers,
  },
  {
    sample: "packages/server/src/handshake.ts: prepareHandshake",
    serves: "8080",
    play: answers,
  },
  { sample: "packages/node/README.md: @upgrade/node", serves: "8080", play: echoes },
  {
    sample: "packages/node/src/hand-over.ts: handOver",
    serves: "8080",
    given: SERVE,
    play: greeted,
  },
  { sample: "packages/node/src/serve-upgrades.ts: serveUpgrades", serves: "8080", play: echoes },
  { sample: "packages/node/src/serve-upgrades.ts: serveUpgrades", serves: "8080", play: answers },
  { sample: "docs/guides/node.md: Listening", serves: "8080", play: answers },
  { sample: HANDED, serves: "8080", play: speaks },
  { sample: `${HANDED} (2)`, serves: "8080", play: answers },
  { sample: `${HANDED} (2)`, serves: "8080", play: echoes },
  { sample: ADOPTED, serves: "8080", play: answers },
  { sample: ADOPTED, serves: "8080", play: echoes },
  { sample: "packages/node/src/leave-to.ts: leaveTo", serves: "8080", given: SERVE, play: answers },
  { sample: "packages/node/src/serve.ts: serve", serves: "8080", play: answers },
  { sample: "packages/server/README.md: @upgrade/server", serves: "8080", play: echoes },
  { sample: "docs/guides/websocket.md: A server", serves: "8080", play: speaks },
  {
    sample: "docs/guides/websocket.md: With other frames, or with first bytes",
    serves: "8080",
    given: `
      function speakFrames(io: net.Socket, readBuf: Uint8Array) {
        io.on("error", () => {}).on("end", () => io.end());
        io.write(readBuf);
        io.on("data", () => {});
      }`,
    after: `${SERVE} await serve(service, { port: 8080 });`,
    play: speaks,
  },
];
