import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { rewind, handshake as serve } from "@upgrade/server";
import { afterEach, expect, test } from "vitest";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { REQUEST } from "../../src/switching.ts";

afterEach(destroyPairs);

/**
 * Does what http-proxy does with the socket of an upgrade: asks the upstream server, writes its
 * response verbatim, and pipes both ways.
 */
function proxied(socket: net.Socket, port: number, request: http.RequestOptions): void {
  const outgoing = http.request({ ...request, port, host: "127.0.0.1" });
  outgoing.on("upgrade", (response, upstream, head) => {
    const { rawHeaders } = response;
    const lines = ["HTTP/1.1 101 Switching Protocols"];
    for (let i = 0; i < rawHeaders.length; i += 2)
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
    upstream.unshift(head);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.pipe(socket).pipe(upstream);
  });
  outgoing.end();
}

test("an io taken over can be passed to a proxy that writes its own 101", async () => {
  const upstream = http.createServer();
  upstream.on("upgrade", (_, socket: net.Socket, head: Buffer) => {
    socket.write(
      "HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: chat\r\nX-Of: upstream\r\n\r\nhello ",
    );
    socket.write(`[${head}]`);
    socket.on("data", (bytes) => socket.write(`<${bytes}>`));
    socket.on("end", () => socket.end());
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as net.AddressInfo;
  const [far, near] = await tcpPair({ allowHalfOpen: true });
  const peer = new ScriptedPeer(far);
  const { connection } = await serve(near, async (request) => {
    const socket = rewind(await request.takeOver());
    const headers = Object.fromEntries(request.headers);
    proxied(socket, port, { path: request.target, method: request.method, headers });
  });
  await peer.send(`${REQUEST.upgrade}early`);
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nX-Of: upstream\r\n/);
  expect(await peer.readUntil("<early>")).toBe("hello []<early>");
  await peer.send("ping");
  expect(await peer.readUntil(">")).toBe("<ping>");
  await peer.end();
  expect(await peer.readToEnd()).toBe("");
  expect(await connection.closed).toMatchObject({ kind: "taken-apart" });
  upstream.close();
});
