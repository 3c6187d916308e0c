// With Bun's own types its sockets of node:net and node:tls are an io, and its streams are bodies.

import net from "node:net";
import type tls from "node:tls";
import { handshake as connectTo, rewind, upgrade } from "@upgrade/client";
import { handshake } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";

export async function ask(socket: net.Socket, signal: AbortSignal): Promise<Response> {
  const { sender } = await connectTo(socket);
  const body = Bun.file("body").stream();
  const request = { method: "POST", target: "/", headers: new Headers(), body };
  const response = await sender.sendRequest(request, { signal });
  return new Response(response.body.stream(), { status: response.status });
}

export async function propose(socket: tls.TLSSocket): Promise<tls.TLSSocket | undefined> {
  const protocol = websocket({ subprotocols: ["chat"] });
  const result = await upgrade(socket, { target: "/", protocol });
  if (!result.switched) return undefined;
  const subprotocol: string = result.agreement.protocol;
  console.log(subprotocol);
  return rewind(result.parts);
}

export const server = net.createServer((socket) => {
  void handshake(socket, ({ body }) => ({ status: 200, body: body.stream() }));
});
