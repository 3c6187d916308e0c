// argv → [probe] → report: the command `probe`

import { Command, Option } from "commander";
import { judge } from "../judge/judge.ts";
import { probe } from "../probe/probe.ts";
import { toJson } from "../render/json.ts";
import { report } from "../render/report.ts";
import { collect } from "./collect.ts";
import type { Console } from "./console.ts";
import { type ConnectingOptions, planOf } from "./plan-of.ts";

/** Options of every command that connects. */
export function connecting(command: Command, url = "<url>"): Command {
  return command
    .argument(url, "ws:, wss:, http:, https: or unix: with a path")
    .addOption(
      new Option(
        "-p, --protocol <token>",
        "what to propose; may be repeated (default: websocket)",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--subprotocol <name>",
        "a subprotocol of WebSocket to offer; may be repeated",
      ).argParser(collect),
    )
    .addOption(
      new Option("-H, --header <line>", '"Name: value"; may be repeated').argParser(collect),
    )
    .option("-X, --method <method>", "default: GET")
    .option("--target <path>", "what to ask for (default: the path of the URL; of unix:, /)")
    .option("-d, --body <text>", "the body of the request")
    .option("--proxy <url>", "a proxy for CONNECT (default: HTTPS_PROXY or HTTP_PROXY)")
    .option("--no-proxy", "no proxy, whatever the environment says")
    .option("-k, --insecure", "go on if the certificate is not trusted")
    .option("--ca <file>", "a further authority, in PEM")
    .option("--cert <file>", "our certificate, in PEM")
    .option("--key <file>", "its key, in PEM")
    .option("-t, --timeout <seconds>", "for each step (default: 10)");
}

export function probeCommand(console: Console): Command {
  return connecting(new Command("probe"))
    .description("try an upgrade, and say which hop and which header broke it")
    .option("--idle <seconds>", "also be silent for so long after the switch (default: 0)")
    .option("--echo", "the other end sends back what it gets: also try early bytes and half-close")
    .option("--show-secrets", "do not mask Authorization, Cookie and keys")
    .option("--json", "print one JSON object")
    .action(async (url: string, options: ConnectingOptions & { json?: boolean }) => {
      const plan = planOf(url, options);
      const facts = await probe(plan, (step) => console.progress(step));
      console.done();
      const verdict = judge(facts);
      console.print(options.json ? toJson(facts, verdict) : report(facts, verdict, console.screen));
      console.exit(verdict.exit);
    });
}
