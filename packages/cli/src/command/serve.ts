// argv → [serve] → a server: the command `serve`

import { once } from "node:events";
import type net from "node:net";
import type { TraceEvent } from "@upgrade/server";
import { Command, Option } from "commander";
import { placeName } from "../probe/plan.ts";
import { endOf } from "../serve/end.ts";
import { MISBEHAVIORS } from "../serve/misbehaviors.ts";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";
import type { Console } from "./console.ts";
import { fileOf, portOf, tokenOf } from "./values.ts";

interface ServeOptions {
  readonly protocol?: readonly string[];
  readonly subprotocol?: readonly string[];
  readonly echo?: boolean;
  readonly misbehave?: string;
  readonly port?: string;
  readonly host?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function serveCommand(console: Console, signal: AbortSignal): Command {
  return new Command("serve")
    .description("an end to try a client or a proxy against")
    .addOption(
      new Option("-p, --protocol <token>", "may be repeated (default: websocket)").argParser(
        collect,
      ),
    )
    .addOption(
      new Option("--subprotocol <name>", "of WebSocket; may be repeated").argParser(collect),
    )
    .option("--echo", "send back what comes")
    .option("--misbehave <kind>", "answer wrongly on purpose; see below")
    .option("--port <port>", "default: any free one")
    .option("--host <address>", "default: 127.0.0.1")
    .option("--cert <file>", "serve with TLS: the certificate, in PEM")
    .option("--key <file>", "its key, in PEM")
    .addHelpText("after", `\nKinds of --misbehave:\n${kinds()}`)
    .action((options: ServeOptions) => serve(options, console, signal));
}

function kinds(): string {
  const names = Object.keys(MISBEHAVIORS);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return names.map((name) => `  ${name.padEnd(width)}${MISBEHAVIORS[name]!.says}`).join("\n");
}

async function serve(options: ServeOptions, console: Console, signal: AbortSignal): Promise<void> {
  const protocols = (options.protocol ?? ["websocket"]).map((one) => tokenOf(one, "--protocol"));
  const server = endOf({
    protocols,
    subprotocols: options.subprotocol ?? [],
    isEcho: options.echo ?? false,
    misbehavior: misbehaviorOf(options.misbehave),
    tls: tlsOf(options),
    onEvent: (event) => {
      const line = lineOf(event);
      if (line !== undefined) console.print(`${line}\n`);
    },
    onBytes: (bytes) => console.print(`  received ${bytes.length} bytes\n`),
  });
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const host = options.host ?? "127.0.0.1";
  server.listen(portOf(options.port ?? "0", "--port"), host);
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const scheme = protocols.includes("websocket") ? "ws" : "http";
  const secure = options.cert === undefined ? "" : "s";
  console.print(`listening on ${scheme}${secure}://${placeName({ host, port })}/\n`);
  if (!signal.aborted) await once(signal, "abort");
  for (const socket of sockets) socket.destroy();
  await once(server.close(), "close");
}

function misbehaviorOf(kind: string | undefined) {
  if (kind === undefined) return undefined;
  if (Object.hasOwn(MISBEHAVIORS, kind)) return MISBEHAVIORS[kind];
  const known = Object.keys(MISBEHAVIORS);
  const near = known.find((name) => name.includes(kind) || kind.includes(name)) ?? known[0];
  throw new UsageError(
    `--misbehave has no kind ${kind}: ${known.join(", ")}`,
    `--misbehave ${near}`,
  );
}

function tlsOf({ cert, key }: ServeOptions) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError("TLS needs both --cert and --key", "--cert cert.pem --key key.pem");
  }
  return { cert: fileOf(cert, "--cert"), key: fileOf(key, "--key") };
}

/** A line for the events that a person waits for. */
function lineOf(event: TraceEvent): string | undefined {
  switch (event.type) {
    case "request": {
      const proposed = event.headers.get("upgrade");
      const what = proposed === undefined ? "no upgrade" : `Upgrade: ${proposed}`;
      return `${event.method} ${event.target}, HTTP/${event.version}, ${what}`;
    }
    case "response":
      return `  answered ${event.status} ${event.reason}`;
    case "switched":
      return `  switched to ${event.protocol}`;
    case "closed":
      return event.reason.kind === "failed" ? `  failed: ${event.reason.error.message}` : undefined;
    default:
      return undefined;
  }
}
