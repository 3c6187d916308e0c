// node:http → [earlier responses] → adopt upgrade: what node:http still sends before a proposal

import type http from "node:http";
import type net from "node:net";

// No public members tell which response a socket sends, and that it is full.
interface HttpSocket {
  readonly _httpMessage?: http.ServerResponse | null;
  _paused?: boolean;
}

/**
 * Resolves when node:http has sent its responses on a socket whose proposal it has reported, or when
 * the socket has closed. It no longer listens to the socket, so what it did for them is done here.
 */
export async function responsesSent(socket: net.Socket): Promise<void> {
  const own = socket as HttpSocket;
  if (sentOn(socket) === undefined) return;
  const drain = (): void => {
    const response = sentOn(socket);
    if (response?.writableNeedDrain) response.emit("drain");
  };
  const { timeout = 0 } = socket;
  if (own._paused) unpause(socket);
  socket.on("drain", drain);
  for (let sent = sentOn(socket); sent !== undefined; sent = sentOn(socket)) await closed(sent);
  socket.off("drain", drain);
  // After its last response, node:http limits how long the connection may be idle.
  if (!socket.destroyed) socket.setTimeout(timeout);
}

/**
 * It was paused because it is full. node:http would let it flow again, without a reader, when it has
 * room, and never start the reads that it has stopped.
 */
function unpause(socket: net.Socket): void {
  (socket as HttpSocket)._paused = false;
  // Ends the read that the stream believes to be pending.
  socket.push("");
}

/** The response that node:http sends; the next one takes its place when it has been sent. */
function sentOn(socket: net.Socket): http.ServerResponse | undefined {
  return socket.destroyed ? undefined : ((socket as HttpSocket)._httpMessage ?? undefined);
}

function closed(response: http.ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once("close", resolve));
}
