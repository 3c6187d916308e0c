// A command line in this process, and what it prints.

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
  readonly done: Promise<Ran>;
}

/** Where the output goes: a pipe, or a terminal of so many columns. */
export interface Place {
  readonly columns?: number;
  readonly colors?: boolean;
}

export function start(args: readonly string[], { columns, colors }: Place = {}): Running {
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
  const done = run(args, { stdin, stdout, stderr }, colors).then(async (exit) => {
    await new Promise((resolve) => setImmediate(resolve));
    return { exit, ...text };
  });
  return { stdin, stdout, stderr, done };
}

export const ran = (args: readonly string[], place?: Place): Promise<Ran> =>
  start(args, place).done;
