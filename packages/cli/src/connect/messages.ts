// stdin → [messages] → WebSocket → stdout: a text message for each line

import { createInterface } from "node:readline";
import { adopt, type WebSocketAgreement } from "@upgrade/websocket";
import type { Streams } from "../command/console.ts";
import type { Switched } from "../probe/exchange.ts";
import { CLASSES, type WebSocket } from "../web-socket.ts";

const NORMAL = 1000;
/** Ends of a connection that are no failure: normal, going away, no code. */
const GOOD = new Set([NORMAL, 1001, 1005]);

/**
 * Resolves when the WebSocket has closed: with nothing, or with what broke. A binary message is
 * printed in base64. The end of stdin closes.
 */
export function joinMessages(
  switched: Switched,
  { stdin, stdout }: Pick<Streams, "stdin" | "stdout">,
): Promise<string | undefined> {
  const agreement = switched.agreement as WebSocketAgreement;
  const socket = adopt<WebSocket>(switched.parts, agreement, CLASSES);
  const lines = createInterface({ input: stdin });
  return new Promise((resolve) => {
    let failure: string | undefined;
    socket.on("error", (error) => {
      failure = `the connection broke: ${error.message}`;
      // Its close frame need not be answered.
      socket.terminate();
    });
    socket.on("message", (message, isBinary) => {
      const bytes = message as Buffer;
      stdout.write(`${isBinary ? bytes.toString("base64") : bytes.toString()}\n`);
    });
    socket.on("close", (code, reason) => {
      lines.close();
      stdin.pause();
      const why = String(reason) === "" ? "" : `: ${reason}`;
      resolve(failure ?? (GOOD.has(code) ? undefined : `the WebSocket closed with ${code}${why}`));
    });
    lines.on("line", (line) => socket.send(line, () => {}));
    lines.on("close", () => socket.close(NORMAL));
  });
}
