// argv → [connect] → stdin, stdout: the command `connect`

import { Command } from "commander";
import { joinBytes } from "../connect/bytes.ts";
import { joinMessages } from "../connect/messages.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { judge } from "../judge/judge.ts";
import { begun, propose } from "../probe/probe.ts";
import { report } from "../render/report.ts";
import { UsageError } from "../usage-error.ts";
import type { Console } from "./console.ts";
import { type ConnectingOptions, planOf } from "./plan-of.ts";
import { connecting } from "./probe.ts";

type ConnectOptions = ConnectingOptions & { readonly websocket?: boolean };

export function connectCommand(console: Console): Command {
  return connecting(new Command("connect"))
    .description("switch, then be a pipe: stdin to the other end, and back to stdout")
    .option("--websocket", "a message for each line (default for ws: and wss:)")
    .option("--show-secrets", "do not mask Authorization, Cookie and keys in a failure")
    .action((url: string, options: ConnectOptions) => join(url, options, console));
}

async function join(url: string, options: ConnectOptions, console: Console): Promise<void> {
  const byMessages = options.websocket ?? (options.protocol === undefined && /^wss?:/i.test(url));
  if (!byMessages && options.protocol === undefined) {
    throw new UsageError(
      "connect needs to know what to speak",
      `upgrade connect --protocol TOKEN ${url}, or upgrade connect --websocket ${url}`,
    );
  }
  const plan = planOf(url, byMessages ? { ...options, protocol: ["websocket"] } : options);
  const facts = begun(plan);
  const switched = await propose(plan, facts, (step) => console.progress(step));
  console.done();
  if (switched === undefined) {
    const verdict = judge(facts);
    // stdout is for what the other end sends.
    console.note(report(facts, verdict, console.screen).trimEnd());
    console.exit(verdict.exit);
    return;
  }
  const failure = await (byMessages ? joinMessages : joinBytes)(switched, console.streams);
  if (failure === undefined) return;
  console.note(`✗ ${failure}.`);
  console.exit(EXIT_CODES.after);
}
