// argv → [run] → exit code: the commands, and what is said about a command line that is wrong

import { Command, CommanderError } from "commander";
import picocolors from "picocolors";
import { EXIT_CODES, EXIT_MEANINGS, type ExitClass } from "../exit-codes.ts";
import { UsageError } from "../usage-error.ts";
import { Console, type Streams } from "./console.ts";
import { probeCommand } from "./probe.ts";

/** Runs a command line without the name of the program. Resolves with the exit code. */
export async function run(
  args: readonly string[],
  streams: Streams,
  hasColors?: boolean,
): Promise<number> {
  const console = new Console(streams, hasColors);
  const program = programOf(console);
  try {
    await program.parseAsync([...args], { from: "user" });
    return console.exitCode;
  } catch (error) {
    return failed(error, console);
  }
}

function programOf(console: Console): Command {
  const program = new Command("upgrade")
    .description("Says which hop and which header broke an upgrade of HTTP/1.1")
    .addHelpText("after", `\nExit codes:\n${exitCodes()}`)
    .showSuggestionAfterError();
  for (const command of [probeCommand(console)]) program.addCommand(command);
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
