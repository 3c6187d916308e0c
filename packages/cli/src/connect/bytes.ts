// stdin → [bytes] → parts of a switch → stdout: a pipe in both directions, half-close kept

import { rewind } from "@upgrade/client";
import type { Streams } from "../command/console.ts";
import type { Switched } from "../probe/exchange.ts";

/**
 * Resolves when both sides have ended: with nothing, or with what broke. After the other side has
 * ended, a pipe on stdin is still sent to its end; a terminal is not waited for.
 */
export function joinBytes(
  switched: Switched,
  { stdin, stdout }: Pick<Streams, "stdin" | "stdout">,
): Promise<string | undefined> {
  const io = rewind(switched.parts);
  return new Promise((resolve) => {
    const settle = (failure?: string): void => {
      stdin.unpipe(io);
      stdin.pause();
      io.destroy();
      resolve(failure);
    };
    io.on("error", (error) => settle(`the connection broke: ${error.message}`));
    io.on("close", () => {
      settle(io.readableEnded ? undefined : "the connection was reset by the other side");
    });
    io.on("data", (bytes: Buffer) => {
      if (stdout.write(bytes)) return;
      io.pause();
      stdout.once("drain", () => io.resume());
    });
    io.on("end", () => {
      const isTerminal = (stdin as { isTTY?: boolean }).isTTY === true;
      if (isTerminal || io.writableFinished) settle();
    });
    io.on("finish", () => {
      if (io.readableEnded) settle();
    });
    // Ends our side when stdin ends, and goes on reading.
    stdin.pipe(io);
  });
}
