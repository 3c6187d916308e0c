import type net from "node:net";
import { ManualClock } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { tcpPair } from "./pairs.ts";

/** Our server on a socket, and the client's socket. */
export async function serveTcp(
  service: Service<net.Socket>,
  options: ServerOptions<net.Socket> = {},
) {
  const [far, near] = await tcpPair({ allowHalfOpen: true });
  const clock = new ManualClock();
  const { connection } = await serveOn(near, service, { clock, date: false, ...options });
  return { far, near, connection, clock };
}

/** Everything that arrives, and how it ends. */
export async function collect(socket: net.Socket) {
  let seen = "";
  socket.on("data", (chunk) => {
    seen += chunk.toString("latin1");
  });
  const how = await new Promise<string>((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { seen, how };
}
