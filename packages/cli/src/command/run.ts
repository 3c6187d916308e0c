// argv → [run] → exit code: the commands, and what is said about a command line that is wrong

import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { EXIT_CODES, EXIT_MEANINGS, type ExitClass } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";
import { connectCommand } from "./connect.ts";
import { Console, type Streams } from "./console.ts";
import { probeCommand } from "./probe.ts";
import { serveCommand } from "./serve.ts";
import { traceCommand } from "./trace.ts";

export interface RunOptions {
  /** Default: as picocolors finds, which obeys `NO_COLOR`. */
  readonly hasColors?: boolean | undefined;
  /** Ends `serve` and `trace --listen`. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a command line without the name of the program. Resolves with the exit code. */
export async function run(
  args: readonly string[],
  streams: Streams,
  { hasColors, signal = new AbortController().signal }: RunOptions = {},
): Promise<number> {
  const console = new Console(streams, hasColors);
  const program = programOf(console, signal);
  try {
    await program.parseAsync([...args], { from: "user" });
    return console.exitCode;
  } catch (error) {
    return failed(error, console);
  }
}

function programOf(console: Console, signal: AbortSignal): Command {
  const program = new Command("upgrade")
    .description("Says which hop and which header broke an upgrade of HTTP/1.1")
    .addHelpText("after", `\nExit codes:\n${exitCodes()}`)
    .showSuggestionAfterError();
  program
    .addCommand(probeCommand(console))
    .addCommand(connectCommand(console))
    .addCommand(serveCommand(console, signal))
    .addCommand(traceCommand(console, signal));
  for (const one of [program, ...program.commands]) {
    one.exitOverride().configureOutput({
      writeOut: (text) => console.print(text),
      writeErr: (text) => void console.streams.stderr.write(text),
    });
  }
  return program;
}

function exitCodes(): string {
  return Object.entries(EXIT_CODES)
    .map(([name, code]) => `  ${code}  ${EXIT_MEANINGS[name as ExitClass]}`)
    .join("\n");
}

function failed(error: unknown, console: Console): number {
  const colors = picocolors.createColors(console.screen.hasColors);
  if (error instanceof UsageError) {
    console.note(colors.red(`✗ ${error.message}.`));
    if (error.instead !== undefined) console.note(`  Type: ${error.instead}`);
    return EXIT_CODES.usage;
  }
  if (error instanceof CommanderError) {
    // It has printed what is wrong, or the help.
    return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  }
  console.note(colors.red(`✗ ${(error as Error).message ?? error}`));
  return EXIT_CODES.internal;
}
