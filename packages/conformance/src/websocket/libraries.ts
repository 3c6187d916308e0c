import type http from "node:http";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import crossws from "crossws/adapters/node";
import { closeLater } from "../pairs/loopback.ts";

/** A listener to node:http's event `upgrade`. */
export type Listener = (req: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A server of WebSockets that was written for node:http. */
export interface Library {
  readonly name: string;
  /**
   * A server that chooses the subprotocol `v1`, returns every message, greets on `/greet` with the URL
   * it was asked for, closes with 4001 when it reads "bye", refuses `/refused` with a 403, and reports
   * the code with which a WebSocket has closed.
   */
  listener(closed: (code: number) => void): Listener;
}

// faye-websocket has no types.
interface FayeSocket {
  readonly url: string;
  on(event: "message", listener: (event: { readonly data: string | Buffer }) => void): void;
  on(event: "open", listener: () => void): void;
  on(event: "close", listener: (event: { readonly code: number }) => void): void;
  send(data: string | Buffer): void;
  close(code: number, reason: string): void;
}
const FayeWebSocket = createRequire(import.meta.url)("faye-websocket") as new (
  req: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
  subprotocols: readonly string[],
) => FayeSocket;

const FORBIDDEN = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno";

export const LIBRARIES: readonly Library[] = [
  {
    name: "crossws",
    listener(closed) {
      const adapter = crossws({
        handleProtocols: (offered) => (offered.has("v1") ? "v1" : ""),
        hooks: {
          upgrade(request) {
            if (request.url.endsWith("/refused")) return new Response("no", { status: 403 });
            return undefined;
          },
          open(peer) {
            if (peer.request.url.endsWith("/greet")) peer.send(peer.request.url);
          },
          message(peer, { rawData }) {
            if (rawData === "bye") peer.close(4001, "bye");
            else peer.send(rawData);
          },
          close: (_, { code = 1005 }) => closed(code),
        },
      });
      closeLater(() => adapter.close());
      return (req, socket, head) => void adapter.handleUpgrade(req, socket, head);
    },
  },
  {
    name: "faye-websocket",
    listener: (closed) => (req, socket, head) => {
      if (req.url === "/refused") {
        socket.end(FORBIDDEN);
        return;
      }
      const webSocket = new FayeWebSocket(req, socket, head, ["v1"]);
      webSocket.on("open", () => {
        if (req.url === "/greet") webSocket.send(webSocket.url);
      });
      webSocket.on("message", ({ data }) => {
        if (data === "bye") webSocket.close(4001, "bye");
        else webSocket.send(data);
      });
      webSocket.on("close", ({ code }) => closed(code));
    },
  },
];
