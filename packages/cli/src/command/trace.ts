// argv → [trace] → both sides of a connection, on stdout: the command `trace`

import { once } from "node:events";
import net from "node:net";
import { Writable } from "node:stream";
import { Command } from "commander";
import { joinBytes } from "../connect/bytes.ts";
import { joinMessages } from "../connect/messages.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { judge } from "../judge/judge.ts";
import { isWebSocket, type Plan, placeName } from "../probe/plan.ts";
import { begun, propose, reach } from "../probe/probe.ts";
import { relay } from "../trace/relay.ts";
import { Transcript } from "../trace/transcript.ts";
import { UsageError } from "../usage-error.ts";
import type { Console } from "./console.ts";
import { type ConnectingOptions, planOf } from "./plan-of.ts";
import { connecting } from "./probe.ts";
import { portOf } from "./values.ts";

type TraceOptions = ConnectingOptions & {
  readonly listen?: string;
  readonly host?: string;
  readonly to?: string;
};

export function traceCommand(console: Console, signal: AbortSignal): Command {
  return connecting(new Command("trace"), "[url]")
    .description("print both sides of a connection, and the moment of the switch")
    .option("--listen <port>", "sit between a client and --to, instead of connecting to a URL")
    .option("--host <address>", "where to listen (default: 127.0.0.1)")
    .option("--to <place>", "host:port, or a URL: with https: or wss:, over TLS")
    .option("--show-secrets", "do not mask Authorization, Cookie and keys")
    .action((url: string | undefined, options: TraceOptions) => {
      if (options.listen !== undefined || options.to !== undefined) {
        return between(url, options, console, signal);
      }
      if (url !== undefined) return alone(url, options, console);
      throw new UsageError("trace needs a URL, or --listen and --to", TO_TYPE);
    });
}

const TO_TYPE = "upgrade trace --listen 9000 --to 127.0.0.1:8080";

function transcriptOf(console: Console, { clock, showsSecrets }: Plan, name = ""): Transcript {
  return new Transcript((line) => console.print(`${name}${line}\n`), clock, showsSecrets);
}

/** Is the client itself: stdin is sent after the switch. */
async function alone(url: string, options: TraceOptions, console: Console): Promise<void> {
  const planned = planOf(url, options);
  const plan = { ...planned, transcript: transcriptOf(console, planned) };
  const facts = begun(plan);
  const switched = await propose(plan, facts, () => {});
  if (switched === undefined) {
    const { says, change, exit } = judge(facts);
    console.note(`✗ ${says}.\n  Change: ${change}`);
    console.exit(exit);
    return;
  }
  // What comes back is in the transcript.
  const streams = { stdin: console.streams.stdin, stdout: nowhere() };
  const failure = await (isWebSocket(plan) ? joinMessages : joinBytes)(switched, streams);
  if (failure === undefined) return;
  console.note(`✗ ${failure}.`);
  console.exit(EXIT_CODES.after);
}

const nowhere = (): Writable => new Writable({ write: (_, __, done) => done() });

/** Sits between a client and a server. */
async function between(
  url: string | undefined,
  { listen, to, host = "127.0.0.1", ...options }: TraceOptions,
  console: Console,
  signal: AbortSignal,
): Promise<void> {
  if (url !== undefined || listen === undefined || to === undefined) {
    throw new UsageError("--listen and --to go together, without a URL", TO_TYPE);
  }
  const plan = planOf(to.includes("://") ? to : `http://${to}`, options);
  const sockets = new Set<net.Socket>();
  let count = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    sockets.add(client);
    client.once("close", () => sockets.delete(client));
    const transcript = transcriptOf(console, plan, `#${++count} `);
    void passed(client, plan, transcript);
  });
  server.listen(portOf(listen, "--listen"), host);
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  console.print(`listening on ${placeName({ host, port })}, to ${placeName(plan)}\n`);
  if (!signal.aborted) await once(signal, "abort");
  for (const socket of sockets) socket.destroy();
  await once(server.close(), "close");
}

async function passed(client: net.Socket, plan: Plan, transcript: Transcript): Promise<void> {
  client.on("error", () => {});
  const facts = begun(plan);
  const server = await reach(plan, facts);
  if (server !== undefined) return relay(client, server, transcript);
  const { says, change } = judge(facts);
  transcript.end("<", `${says}. Change: ${change}`);
  client.resetAndDestroy();
}
