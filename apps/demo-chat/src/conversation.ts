// terminal ↔ [conversation] ↔ chat: what you type is said, what others say is printed

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type ChatEnd, joinChat } from "./terminal-client.ts";
import type { Trace } from "./trace.ts";
import { worded } from "./wording.ts";

/** Talks until one of the two ends is closed, and tells how it ended. */
export async function converse(options: {
  readonly url: URL;
  readonly name: string | undefined;
  readonly trace: Trace | undefined;
  readonly input: Readable;
  /** Says goodbye. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}): Promise<ChatEnd> {
  const { name, trace, input, print } = options;
  const client = await joinChat(options.url, { name, trace });
  // The first line is a name; where the server did not take it, the next one is.
  let named = name !== undefined;
  let hasPlace = named;
  const lines = createInterface({ input });
  lines.on("line", (line) => {
    if (line.trim() === "") return;
    if (named) client.say(line);
    else client.hello(line);
    named = true;
  });
  lines.on("close", () => void client.leave());
  if (options.signal.aborted) lines.close();
  options.signal.addEventListener("abort", () => lines.close(), { once: true });
  for await (const event of client) {
    if (event.type === "welcome") hasPlace = event.you !== null;
    if (event.type === "error") named = hasPlace;
    print(worded(event));
  }
  lines.close();
  return client.ended;
}
