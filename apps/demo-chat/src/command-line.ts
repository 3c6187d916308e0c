// argv → [command line] → what to do

import { parseArgs } from "node:util";
import { cleanName, MAX_NAME_LENGTH } from "./protocol.ts";

export const USAGE = `usage: npm run demo -- [options]

  Starts a chat server on 127.0.0.1, runs a checked round trip, and keeps running.

  --port <number>   port to listen on (default: 8080, or a free port if it is in use)
  --host <address>  address to listen on (default: 127.0.0.1)
  --once            exit after the round trip, with code 0 if it succeeded
  --trace           print every handshake, header by header, the switch, and readBuf
  --log <file>      append what happens to a file, one JSON object a line

  --join <url>      join a running chat instead, for example http://127.0.0.1:8080/
  --name <name>     your name in it (default: the first line you type)

  --help            print this help
`;

export type Command =
  | { readonly do: "help" }
  | {
      readonly do: "serve";
      readonly host: string;
      /** Undefined: 8080, or a free port. */
      readonly port: number | undefined;
      readonly once: boolean;
      readonly trace: boolean;
      /** The file for the log. */
      readonly log: string | undefined;
    }
  | {
      readonly do: "join";
      readonly url: URL;
      readonly name: string | undefined;
      readonly trace: boolean;
    };

/** An invalid command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws {UsageError} Describes the mistake in one line. */
export function readCommandLine(args: readonly string[]): Command {
  const { join, name, port, host, log, once = false, trace = false, help } = parse(args);
  if (help === true) return { do: "help" };
  if (join === undefined) {
    if (name !== undefined) throw new UsageError("--name requires --join");
    return { do: "serve", host: host ?? "127.0.0.1", port: readPort(port), once, trace, log };
  }
  if (once || [port, host, log].some((option) => option !== undefined)) {
    throw new UsageError("--join can only be combined with --name and --trace");
  }
  return { do: "join", url: readUrl(join), name: readName(name), trace };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string" },
        host: { type: "string" },
        once: { type: "boolean" },
        trace: { type: "boolean" },
        log: { type: "string" },
        join: { type: "string" },
        name: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // The first sentence describes the mistake; the others are about parseArgs options.
    const [sentence] = String((error as Error).message).split(/\.\s|\n/);
    throw new UsageError(sentence);
  }
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port takes a number from 0 to 65535, not ${JSON.stringify(text)}`);
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:") return url;
  throw new UsageError(
    `--join takes an address that begins with http://, not ${JSON.stringify(text)}`,
  );
}

function readName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = cleanName(text);
  if (name !== undefined) return name;
  throw new UsageError(`--name takes 1 to ${MAX_NAME_LENGTH} printable characters`);
}
