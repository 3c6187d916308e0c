// argv → [main] → server or client; sets the exit code

import { readFileSync } from "node:fs";
import picocolors from "picocolors";
import { readCommandLine, USAGE, UsageError } from "./command-line.ts";
import { converse } from "./conversation.ts";
import { serve } from "./serve.ts";
import { TracePrinter } from "./trace.ts";

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(args: readonly string[]): Promise<number> {
  const command = readCommandLine(args);
  if (command.do === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command.do === "serve") {
    // The build bundles src/page into this file.
    return serve(command, print, readFileSync(new URL("page.js", import.meta.url)));
  }
  const { url, name } = command;
  const trace = command.trace ? new TracePrinter(name ?? "you", { print }) : undefined;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  const { signal } = stop;
  const end = await converse({ url, name, trace, input: process.stdin, signal, print });
  print(picocolors.dim(`disconnected: ${end.code} ${end.reason}`.trimEnd()));
  return end.code === 1000 || end.code === 1001 ? 0 : 1;
}

// The reader of our output has exited, as `head` does.
process.stdout.on("error", () => process.exit(1));

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    const usage = error instanceof UsageError;
    process.stderr.write(`${picocolors.red(error.message)}\n${usage ? `\n${USAGE}` : ""}`);
    process.exitCode = usage ? 2 : 1;
  },
);
