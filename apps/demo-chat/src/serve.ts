// command → [serve] → server and round trip, then runs until stopped

import type { Socket } from "node:net";
import picocolors from "picocolors";
import type { Command } from "./command-line.ts";
import { roundTrip } from "./round-trip.ts";
import { type ChatServer, startChatServer } from "./server.ts";
import { Trace } from "./trace.ts";
import { worded } from "./wording.ts";

type Serve = Extract<Command, { readonly do: "serve" }>;
type Print = (line: string) => void;

const DEFAULT_PORT = 8080;

/** @returns The exit code. */
export async function serve(command: Serve, print: Print): Promise<number> {
  const { bold, dim, green, cyan } = picocolors;
  // The script's handshakes are traced on the clients' end, later ones on the server's.
  let tracing = false;
  const trace = (socket: Socket) =>
    tracing ? new Trace(`:${socket.remotePort}`, print) : undefined;
  let log: Print | undefined;
  const server = await listen(command, { trace, log: (line) => log?.(line) });
  print(`${bold("The chat is running.")} Open ${cyan(server.url)} in a browser.\n`);

  const difference = await showRoundTrip(server, command, print);
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
  log = (line) => print(dim(line));
  print(dim(`\n${await stopSignal()}: closing all connections.`));
  await server.close();
  return 0;
}

async function showRoundTrip(
  server: ChatServer,
  command: Serve,
  print: Print,
): Promise<string | undefined> {
  const { bold, dim, green, red } = picocolors;
  print(dim("Two terminal clients, over TCP:"));
  const difference = await roundTrip(new URL(server.url), {
    onEvent: (listener, event) => print(`  ${dim(`${listener.padEnd(5)} sees`)}  ${worded(event)}`),
    trace: (name) => (command.trace ? new Trace(name, print) : undefined),
  });
  if (difference === undefined) print(green("Everything as expected."));
  else print(red(`${bold("The round trip failed:")} ${difference}`));
  return difference;
}

async function listen(
  command: Serve,
  options: { trace: (socket: Socket) => Trace | undefined; log: Print },
): Promise<ChatServer> {
  const { host, port } = command;
  try {
    return await startChatServer({ ...options, host, port: port ?? DEFAULT_PORT });
  } catch (error) {
    if (port === undefined) return startChatServer({ ...options, host, port: 0 });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") throw new Error(`Cannot listen: ${message}`);
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
