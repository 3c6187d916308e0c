// command → [serve] → server and round trip, then runs until stopped

import type { Socket } from "node:net";
import type { Trace } from "@upgrade/core/io";
import picocolors from "picocolors";
import type { Command } from "./command-line.ts";
import { type Log, logFile, logLine } from "./log.ts";
import { roundTrip } from "./round-trip.ts";
import { type ChatServer, startChatServer } from "./server.ts";
import { TracePrinter } from "./trace.ts";
import { worded } from "./wording.ts";

type Serve = Extract<Command, { readonly do: "serve" }>;
type Print = (line: string) => void;

const DEFAULT_PORT = 8080;

/**
 * @param script The bundled script of the page.
 * @returns The exit code.
 */
export async function serve(command: Serve, print: Print, script: Uint8Array): Promise<number> {
  const { bold, dim, green, cyan } = picocolors;
  // The script's handshakes are traced on the clients' end, later ones on the server's.
  let tracing = false;
  const explained = new Set<string>();
  const trace: Trace = ({ role, io }) =>
    tracing
      ? new TracePrinter(`:${(io as Socket).remotePort}`, { print, explained }).listener(role)
      : undefined;
  const record = command.log === undefined ? undefined : logFile(command.log);
  let shows = false;
  const log: Log = (entry) => {
    record?.(entry);
    const line = shows ? logLine(entry) : undefined;
    if (line !== undefined) print(dim(line));
  };
  const server = await listen(command, { script, trace, log });
  print(`${bold("The chat is running.")} Open ${cyan(server.url)} in a browser.\n`);

  const difference = await showRoundTrip(server, command, { print, explained });
  if (command.once || difference !== undefined) {
    await server.close();
    return difference === undefined ? 0 : 1;
  }
  await server.allLeft();
  print(
    `\nJoin from a second terminal:  ${green(`npm run demo -- --join ${server.url} --name carol`)}`,
  );
  print(dim("Ctrl-C stops it."));
  tracing = command.trace;
  shows = true;
  const signal = await stopSignal();
  print(dim(`\n${signal}: closing all connections.`));
  await server.close(signal === "SIGTERM" ? "restarting" : "stopping");
  return 0;
}

async function showRoundTrip(
  server: ChatServer,
  command: Serve,
  { print, explained }: { readonly print: Print; readonly explained: Set<string> },
): Promise<string | undefined> {
  const { bold, dim, green, red } = picocolors;
  print(dim("Two terminal clients, over TCP:"));
  const difference = await roundTrip(new URL(server.url), {
    onEvent: (listener, event) => print(`  ${dim(`${listener.padEnd(5)} sees`)}  ${worded(event)}`),
    trace: (name) => (command.trace ? new TracePrinter(name, { print, explained }) : undefined),
  });
  if (difference === undefined) print(green("Everything as expected."));
  else print(red(`${bold("The round trip failed:")} ${difference}`));
  return difference;
}

async function listen(
  command: Serve,
  options: { script: Uint8Array; trace: Trace; log: Log },
): Promise<ChatServer> {
  const { host, port } = command;
  try {
    return await startChatServer({ ...options, host, port: port ?? DEFAULT_PORT });
  } catch (error) {
    if (port === undefined) return startChatServer({ ...options, host, port: 0 });
    const { message, cause } = error as Error;
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== "EADDRINUSE") {
      throw new Error(`Cannot listen: ${message}`);
    }
    throw new Error(`Port ${port} of ${host} is in use. Omit --port to use a free one.`);
  }
}

/** Resolves with the first stop signal; a second one kills the process. */
function stopSignal(): Promise<string> {
  return new Promise((settle) => {
    const stop = (signal: string): void => {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      settle(signal);
    };
    process.on("SIGINT", stop).on("SIGTERM", stop);
  });
}
