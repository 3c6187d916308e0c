// A command line in this process, and what it prints.

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { run } from "../src/command/run.ts";

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly error: string;
}

export interface Running {
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Resolves when the output has something like this. */
  readonly shows: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Like Ctrl-C. */
  readonly stop: () => void;
  readonly done: Promise<Ran>;
}

async function shown(
  stdout: PassThrough,
  find: () => RegExpExecArray | null,
): Promise<RegExpExecArray> {
  for (;;) {
    const found = find();
    if (found !== null) return found;
    await once(stdout, "data");
  }
}

/** Where the output goes: a pipe, or a terminal of so many columns. */
export interface Place {
  readonly columns?: number;
  readonly colors?: boolean;
}

export function start(args: readonly string[], { columns, colors }: Place = {}): Running {
  const stop = new AbortController();
  const stdin = new PassThrough();
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const stdout = Object.assign(new PassThrough(), terminal);
  const stderr = Object.assign(new PassThrough(), terminal);
  const text = { out: "", error: "" };
  stdout.on("data", (bytes) => {
    text.out += bytes;
  });
  stderr.on("data", (bytes) => {
    text.error += bytes;
  });
  const done = run(
    args,
    { stdin, stdout, stderr },
    { hasColors: colors, signal: stop.signal },
  ).then(async (exit) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { exit, ...text };
  });
  const shows = (pattern: RegExp) => shown(stdout, () => pattern.exec(text.out));
  return { stdin, stdout, stderr, shows, stop: () => stop.abort(), done };
}

export const ran = (args: readonly string[], place?: Place): Promise<Ran> =>
  start(args, place).done;
