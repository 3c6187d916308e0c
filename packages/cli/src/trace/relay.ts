// client ↔ [relay] ↔ server: passes the bytes of a connection on, and tells what they are

import type net from "node:net";
import type { Direction, Transcript } from "./transcript.ts";

/** Joins two sockets; half-close is kept. Resolves when both have closed. */
export async function relay(
  client: net.Socket,
  server: net.Socket,
  transcript: Transcript,
): Promise<void> {
  await Promise.all([pass(client, server, ">", transcript), pass(server, client, "<", transcript)]);
}

function pass(
  from: net.Socket,
  to: net.Socket,
  direction: Direction,
  transcript: Transcript,
): Promise<void> {
  return new Promise((resolve) => {
    from.on("data", (bytes: Buffer) => {
      transcript.bytes(direction, bytes);
      if (to.write(bytes)) return;
      from.pause();
      to.once("drain", () => from.resume());
    });
    from.on("end", () => {
      transcript.end(direction, "FIN");
      to.end();
    });
    from.on("error", (error: NodeJS.ErrnoException) => {
      transcript.end(direction, error.code ?? error.message);
      to.resetAndDestroy();
    });
    from.on("close", () => {
      // Without a FIN of its own it was cut.
      if (!from.readableEnded) to.destroy();
      resolve();
    });
  });
}
