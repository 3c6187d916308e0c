// terminal ↔ [conversation] ↔ chat: sends typed lines, prints events

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type ChatEnd, joinChat } from "./terminal-client.ts";
import type { TracePrinter } from "./trace.ts";
import { worded } from "./wording.ts";

/** Chats until either end closes. Resolves with how it ended. */
export async function converse(options: {
  readonly url: URL;
  readonly name: string | undefined;
  readonly trace: TracePrinter | undefined;
  readonly input: Readable;
  /** Leaves the chat when aborted. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}): Promise<ChatEnd> {
  const { name, trace, input, print } = options;
  const client = await joinChat(options.url, { name, trace });
  // The first line is the name; if the server rejects it, so is the next one.
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
