// The peer of every client: one fixed response per request.

import { serveSockets } from "./loopback.ts";
import { HELLO_ANSWER } from "./messages.ts";

/** All requests on a connection are as long as its first. */
export function servePeer(): Promise<number> {
  return serveSockets((socket) => {
    let length = 0;
    let received = 0;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      if (length === 0) length = chunk.indexOf("\r\n\r\n") + 4;
      received += chunk.length;
      const whole = Math.floor(received / length);
      received -= whole * length;
      if (whole > 0) socket.write(HELLO_ANSWER.repeat(whole), "latin1");
    });
  });
}
