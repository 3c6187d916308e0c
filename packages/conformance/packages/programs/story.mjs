// What a bundle must be able to do, with nothing but what every runtime has: both ends in memory.
import { connect, upgrade } from "@upgrade/client";
import { memoryPair, rewind } from "@upgrade/core/io";
import { reverseProxy } from "@upgrade/proxy";
import { fetchService, handshake, switching } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";

const text = new TextDecoder();
const bytes = (words) => new TextEncoder().encode(words);
const headers = { Host: "a.test" };

/** What both ends did, in lines. */
export async function story() {
  const scenes = [webSocket, overWebStreams, throughProxy, refused, explained, tunnelRefused];
  const lines = [];
  for (const scene of scenes) lines.push(await scene());
  return lines.join("\n");
}

/** The near end of a connection to a service. */
function served(service) {
  const [near, far] = memoryPair();
  void handshake(far, service);
  return near;
}

/** Proposes a protocol that must be accepted. */
async function switched(io, protocol) {
  const result = await upgrade(io, { target: "/", protocol, headers });
  if (!result.switched) throw new Error(await result.response.body.text());
  return result;
}

async function allOf(io) {
  let heard = "";
  for (let chunk = await io.read(); chunk !== null; chunk = await io.read()) {
    heard += text.decode(chunk);
  }
  return heard;
}

/** Greets, repeats one chunk, and ends its side. */
const speakAfter = (greeting) => async (parts) => {
  const io = rewind(parts);
  await io.write([bytes(greeting), await io.read()]);
  await io.closeWrite();
};

async function webSocket() {
  const chat = websocket({ subprotocols: ["v2", "v1"], perMessageDeflate: true });
  const { parts, agreement } = await switched(
    served(switching([[chat, speakAfter("welcome,")]])),
    chat,
  );
  const io = rewind(parts);
  await io.write([bytes(" and back again")]);
  const how = agreement.deflate === undefined ? "plain" : "compressed";
  return `${await allOf(io)}: ${agreement.protocol}, ${how}`;
}

async function overWebStreams() {
  const there = new TransformStream();
  const back = new TransformStream();
  void handshake({ readable: there.readable, writable: back.writable }, async (request) => {
    const { io } = await request.switchTo("echo", { firstBytes: "web " });
    await io.readable.pipeTo(io.writable);
  });
  const near = { readable: back.readable, writable: there.writable };
  const { readable, writable } = rewind((await switched(near, "echo")).parts);
  const writer = writable.getWriter();
  const sent = writer.write(bytes("streams")).then(() => writer.close());
  const heard = await new Response(readable).text();
  await sent;
  return heard;
}

async function throughProxy() {
  const origin = switching([["echo", speakAfter("relayed: ")]]);
  const proxy = reverseProxy({ dial: () => served(origin), protocols: ["echo"] });
  const io = rewind((await switched(served(proxy), "echo")).parts);
  await io.write([bytes("both ways")]);
  return allOf(io);
}

async function refused() {
  const pages = fetchService((request) => new Response(`no ${new URL(request.url).pathname}`));
  const io = served(switching([["echo", () => {}]], pages));
  const result = await upgrade(io, { target: "/tea", protocol: "coffee", headers });
  if (result.switched) throw new Error("switched to what was not offered");
  return `${result.response.status} ${await result.response.body.text()}`;
}

// A head that the scanner leaves to llhttp, so that both modules of WebAssembly run.
async function explained() {
  const io = served(() => ({ status: 200 }));
  await io.write([bytes("GET / HTTP/1.1\r\nHost: a.test\r\nbad header: 1\r\n\r\n")]);
  return text.decode(await io.read()).slice(0, 24);
}

async function tunnelRefused() {
  const tunnel = await connect(
    served(() => ({ status: 403 })),
    "b.test:443",
  );
  return tunnel.switched ? "a tunnel" : `no tunnel: ${tunnel.response.status}`;
}
