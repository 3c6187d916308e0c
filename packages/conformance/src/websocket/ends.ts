import { once } from "node:events";
import net from "node:net";
import { type SwitchAccepted, upgrade } from "@upgrade/client";
import { handshake, type Service, switching } from "@upgrade/server";
import {
  adopt,
  type WebSocketAgreement,
  type WebSocketOptions,
  type WebSocketProtocol,
  websocket,
} from "@upgrade/websocket";
import type { WebSocket } from "ws";
import { closeLater, open, portOf } from "../pairs/loopback.ts";
import type { Ws } from "./versions.ts";

/** Our server, which returns every message with ws; also what it agreed on. */
export async function echoing(
  { WebSocket, PerMessageDeflate }: Ws,
  options: WebSocketOptions = {},
): Promise<{ port: number; url: string; agreements: WebSocketAgreement[] }> {
  const agreements: WebSocketAgreement[] = [];
  const service: Service<net.Socket> = switching([
    [
      websocket(options),
      (parts, agreement) => {
        agreements.push(agreement);
        const socket = adopt(parts, agreement, { WebSocket, PerMessageDeflate });
        socket.on("error", () => {});
        socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      },
    ],
  ]);
  const server = net.createServer((socket) => {
    closeLater(() => socket.destroy());
    void handshake(socket, service);
  });
  const port = await portOf(server);
  return { port, url: `ws://127.0.0.1:${port}/`, agreements };
}

/** A server of ws, which returns every message. */
export async function echoingWs(
  { WebSocket }: Ws,
  options: ConstructorParameters<Ws["WebSocket"]["Server"]>[0] = {},
): Promise<number> {
  const server = new WebSocket.Server({ host: "127.0.0.1", port: 0, ...options });
  closeLater(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, "listening");
  return (server.address() as net.AddressInfo).port;
}

/** Our client, switched. */
export async function switched(
  port: number,
  protocol: WebSocketProtocol,
): Promise<SwitchAccepted<net.Socket, WebSocketAgreement>> {
  const headers = { Host: `127.0.0.1:${port}` };
  const result = await upgrade(open(port), { target: "/", headers, protocol });
  if (result.switched) return result;
  throw new Error(`${result.response.status} ${await result.response.body.text()}`);
}

/** Our client, adopted by ws. */
export async function dialed(
  ws: Ws,
  port: number,
  options: WebSocketOptions = {},
): Promise<{ socket: WebSocket; agreement: WebSocketAgreement }> {
  const { parts, agreement } = await switched(port, websocket(options));
  const { WebSocket, PerMessageDeflate } = ws;
  return { socket: adopt(parts, agreement, { WebSocket, PerMessageDeflate }), agreement };
}

const LONG = "long enough to be compressed, ".repeat(200);

/** Sends texts and bytes, and expects them back; then a ping; then closes. */
export async function converse(socket: WebSocket): Promise<void> {
  // The same text again: it is shorter if the window is kept.
  for (const sent of ["hi", LONG, LONG, Buffer.from([0, 255]), Buffer.alloc(70_000, 7)]) {
    const answer = once(socket, "message");
    socket.send(sent);
    const [data, isBinary] = (await answer) as [Buffer, boolean];
    const received = isBinary ? data : String(data);
    if (
      !Buffer.from(received).equals(Buffer.from(sent)) ||
      isBinary !== (typeof sent !== "string")
    ) {
      throw new Error(`sent ${sent.length}, received ${received.length}; binary: ${isBinary}`);
    }
  }
  const pong = once(socket, "pong");
  socket.ping("still there?");
  if (String((await pong)[0]) !== "still there?") throw new Error("another pong");
  const closed = once(socket, "close");
  socket.close(4000, "enough");
  const [code, reason] = (await closed) as [number, Buffer];
  if (code !== 4000 || String(reason) !== "enough") throw new Error(`closed: ${code} ${reason}`);
}
