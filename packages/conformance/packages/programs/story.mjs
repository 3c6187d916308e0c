// What a bundle must be able to do, with nothing but what every runtime has: both ends in memory.
import { connect, upgrade } from "@upgrade/client";
import { memoryPair, rewind } from "@upgrade/core/io";
import { fetchService, handshake, switching } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";

const text = new TextDecoder();
const bytes = (words) => new TextEncoder().encode(words);
const Host = "a.test";

/** What both ends did, in lines. */
export async function story() {
  const scenes = [webSocket, overWebStreams, refused, explained, tunnelRefused];
  const lines = [];
  for (const scene of scenes) lines.push(await scene());
  return lines.join("\n");
}

async function webSocket() {
  const [near, far] = memoryPair();
  const chat = websocket({ subprotocols: ["v2", "v1"], perMessageDeflate: true });
  const service = switching([
    [
      chat,
      async ({ io }) => {
        await io.write([bytes("welcome,")]);
        await io.write([await io.read()]);
        await io.closeWrite();
      },
    ],
  ]);
  void handshake(far, service);
  const result = await upgrade(near, { target: "/", protocol: chat, headers: { Host } });
  if (!result.switched) throw new Error(await result.response.body.text());
  const io = rewind(result.parts);
  await io.write([bytes(" and back again")]);
  let heard = "";
  for (let chunk = await io.read(); chunk !== null; chunk = await io.read()) {
    heard += text.decode(chunk);
  }
  const { protocol, deflate } = result.agreement;
  return `${heard}: ${protocol}, ${deflate === undefined ? "plain" : "compressed"}`;
}

async function overWebStreams() {
  const there = new TransformStream();
  const back = new TransformStream();
  const far = { readable: there.readable, writable: back.writable };
  const near = { readable: back.readable, writable: there.writable };
  void handshake(far, async (request) => {
    const { io } = await request.switchTo("echo", { firstBytes: "web " });
    await io.readable.pipeTo(io.writable);
  });
  const result = await upgrade(near, { target: "/", protocol: "echo", headers: { Host } });
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  const io = rewind(result.parts);
  const writer = io.writable.getWriter();
  const sent = writer.write(bytes("streams")).then(() => writer.close());
  let heard = "";
  const reader = io.readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    heard += text.decode(next.value);
  }
  await sent;
  return heard;
}

async function refused() {
  const [near, far] = memoryPair();
  const pages = fetchService((request) => new Response(`no ${new URL(request.url).pathname}`));
  void handshake(far, switching([["echo", () => {}]], pages));
  const result = await upgrade(near, { target: "/tea", protocol: "coffee", headers: { Host } });
  if (result.switched) throw new Error("switched to what was not offered");
  return `${result.response.status} ${await result.response.body.text()}`;
}

// A head that the scanner leaves to llhttp, so that both modules of WebAssembly run.
async function explained() {
  const [peer, io] = memoryPair();
  void handshake(io, () => ({ status: 200 }));
  await peer.write([bytes("GET / HTTP/1.1\r\nHost: a.test\r\nbad header: 1\r\n\r\n")]);
  return text.decode(await peer.read()).slice(0, 24);
}

async function tunnelRefused() {
  const [near, far] = memoryPair();
  void handshake(far, () => ({ status: 403 }));
  const tunnel = await connect(near, "b.test:443");
  return tunnel.switched ? "a tunnel" : `no tunnel: ${tunnel.response.status}`;
}
