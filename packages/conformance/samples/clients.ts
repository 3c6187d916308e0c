import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Cast, Story } from "../src/samples/story.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";

async function* answered(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  await server.readHead();
  yield "the request has arrived";
  await server.send(`${OK}he`);
  yield "half of the response has arrived";
  await server.send("llo");
}

async function* uploaded(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  expect(await server.readHead()).toMatch(/Expect: 100-continue/);
  yield "the head has arrived";
  await server.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
  await server.readUntil("0\r\n\r\n");
  yield "the body has arrived";
  await server.send(`${OK}hello`);
}

async function* switched(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  await server.readHead();
  yield "the proposal has arrived";
  await server.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
}

async function* wrongAccept(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  await server.readHead();
  yield "the proposal has arrived";
  await server.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  await server.readToLast();
}

async function* speaks(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  const [, key] = /Sec-WebSocket-Key: (.*)\r\n/.exec(await server.readHead())!;
  yield "the proposal has arrived";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const head = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  await server.send(`${head}Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n\x81\x05early`);
  yield "it has switched";
  // A masked text frame.
  expect((await server.read(11)).slice(0, 2)).toBe("\x81\x85");
  await cast.stage.until("the early frame", () => cast.stage.printed !== "");
}

async function* refused(cast: Cast) {
  const server = await cast.accept();
  yield "the server is connected";
  await server.readHead();
  yield "the proposal has arrived";
  await server.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
}

const CONNECTED = `
  import net from "node:net";
  import { handshake } from "@upgrade/client";
  const { sender, connection } = await handshake(net.connect(8080, "127.0.0.1"));`;

const FROM_UNDICI = "docs/coming-from/undici.md: There and here";
/** Stories of undici itself, whose index requires Node 22. CI runs the tests on the newest Node, too. */
const UNDICI: readonly Story[] =
  Number.parseInt(process.versions.node, 10) < 22
    ? []
    : [{ sample: FROM_UNDICI, asks: "8080", prints: "early", play: switched }];
const WORKERD = `
  import net from "node:net";
  import { StandInSocket } from "../../src/pairs/worker-socket.ts";
  const connect = (address, options) => {
    const [host, port] = address.split(":");
    return new StandInSocket(net.connect({ host, port: Number(port), ...options }));
  };`;

export const CLIENTS: readonly Story[] = [
  ...UNDICI,
  { sample: `${FROM_UNDICI} (2)`, asks: "8080", prints: "early", play: switched },
  { sample: `${FROM_UNDICI} (2)`, asks: "8080", prints: "403 no\n", play: refused },
  {
    sample: "docs/coming-from/hyper.md: There and here",
    asks: "8080",
    after: "console.log(response.status, Buffer.from(readBuf).toString()); io.destroy();",
    prints: "101 early\n",
    play: switched,
  },
  {
    sample: "docs/runtimes/workers.md: On Workers",
    asks: "8080",
    given: WORKERD,
    prints: "early\n",
    play: switched,
  },
  {
    sample: "docs/runtimes/workers.md: On Workers",
    asks: "8080",
    given: WORKERD,
    prints: "403 no\n",
    play: refused,
  },
  { sample: "packages/node/README.md: @upgrade/node (2)", asks: "8080", play: switched },
  { sample: "docs/guides/node.md: Connecting", asks: "8080", play: switched },
  { sample: "packages/node/src/open.ts: open", asks: "8080", play: answered },
  {
    sample: "docs/guides/client.md: The client",
    asks: "8080",
    prints: "200 text/plain\nhello\n",
    play: answered,
  },
  {
    sample: "packages/client/src/handshake.ts: handshake",
    asks: "8080",
    prints: "200 hello\n",
    play: answered,
  },
  {
    sample: "packages/client/src/handshake.ts: prepareHandshake",
    asks: "8080",
    prints: "200 hello\n",
    play: answered,
  },
  {
    sample: "packages/client/src/upgrade.ts: upgrade",
    asks: "8080",
    after: "if (result.switched) result.io.destroy();",
    play: switched,
  },
  {
    sample: "docs/guides/client.md: Responses",
    asks: "8080",
    given: `${CONNECTED} async function* film() { yield new Uint8Array(5); } const video = film();`,
    after: "await response.body.text(); await connection.close();",
    prints: "102\n100\n",
    play: uploaded,
  },
  {
    sample: "docs/guides/client.md: What went wrong",
    asks: "8080",
    given: `${CONNECTED}
      const request = { method: "GET", target: "/", headers: { Host: "a.test" } };
      function again() { console.log("again"); }`,
    after: "await connection.close();",
    play: answered,
  },
  {
    sample: "packages/client/README.md: @upgrade/client",
    asks: "8080",
    after: "if (result.switched) result.io.destroy();",
    play: switched,
  },
  {
    sample: "packages/client/README.md: @upgrade/client",
    asks: "8080",
    prints: "403 no\n",
    play: refused,
  },
  {
    sample: "docs/guides/websocket.md: A client",
    asks: "8080",
    throws: "the response has no Sec-WebSocket-Accept",
    play: wrongAccept,
  },
  { sample: "docs/guides/websocket.md: A client", asks: "8080", prints: "early\n", play: speaks },
  {
    sample: "docs/guides/websocket.md: A client",
    asks: "8080",
    prints: "403 no\n",
    play: refused,
  },
  {
    sample: "docs/guides/client.md: Taking it apart",
    asks: "8080",
    given: CONNECTED,
    after: "await connection.close();",
    prints: "403 no\n",
    play: refused,
  },
];
