// commands → [console] → the terminal or a pipe: output, progress and the exit code

import picocolors from "picocolors";
import type { Screen } from "../render/report.ts";

const CLEAR_LINE = "\r\u001b[2K";

/** The streams of a process, or of a test. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export class Console {
  readonly streams: Streams;
  readonly screen: Screen;
  exitCode = 0;
  #hasProgress = false;

  /** @param hasColors Default: as picocolors finds, which obeys `NO_COLOR`. */
  constructor(streams: Streams, hasColors?: boolean) {
    this.streams = streams;
    const isTerminal = streams.stdout.isTTY === true;
    this.screen = {
      hasColors: hasColors ?? (isTerminal && picocolors.isColorSupported),
      columns: isTerminal ? Math.min(streams.stdout.columns ?? 80, 120) : undefined,
    };
  }

  print(text: string): void {
    this.streams.stdout.write(text);
  }

  /** A line of its own, beside the output. */
  note(line: string): void {
    this.done();
    this.streams.stderr.write(`${line}\n`);
  }

  /** Shows a step on a terminal, in place of the one before. */
  progress(step: string): void {
    const { stderr } = this.streams;
    if (stderr.isTTY !== true) return;
    this.#hasProgress = true;
    stderr.write(`${CLEAR_LINE}… ${step}`);
  }

  /** Removes the progress. */
  done(): void {
    if (this.#hasProgress) this.streams.stderr.write(CLEAR_LINE);
    this.#hasProgress = false;
  }

  exit(code: number): void {
    this.exitCode = code;
  }
}
