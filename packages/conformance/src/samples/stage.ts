import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { SAMPLES, SOURCES, STAGE } from "./samples.ts";

interface Report {
  readonly ready?: boolean;
  readonly listening?: boolean;
  readonly open?: number;
  readonly accepted?: number;
  readonly printed?: string;
  readonly settled?: string;
  readonly run?: number;
  readonly unhandled?: string;
}

/** A bound for what should happen at once. It is not waited out. */
const BOUND_MS = 15_000;

let stages = 0;

/** A process in which samples run, and what it has reported. */
export class Stage {
  printed = "";
  /** Sockets that the samples have open. */
  open = 0;
  /** Connections that the samples have accepted. */
  accepted = 0;
  isListening = false;
  /** How the module ended: "" or its error. */
  settled: string | undefined;
  readonly unhandled: string[] = [];
  #isReady = false;
  #exit: string | undefined;
  #runs = 0;
  readonly #name = `${process.pid}-${stages++}`;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];

  constructor() {
    const execArgv = ["--conditions=@upgrade/source", `--import=${SOURCES}`, "--no-warnings"];
    this.#child = fork(STAGE, [], { execArgv, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child.on("message", (report) => this.#take(report as Report));
    this.#child.on("exit", (code, signal) => {
      this.#exit = `the process ended: ${code ?? signal}`;
      this.#wake();
    });
  }

  /** Imports a module in place of the previous one, without waiting for it to settle. */
  async run(source: string): Promise<void> {
    await this.until("the stage", () => this.#isReady);
    mkdirSync(SAMPLES, { recursive: true });
    const file = new URL(`${this.#name}-${this.#runs++}.ts`, SAMPLES);
    writeFileSync(file, source);
    this.settled = undefined;
    this.isListening = false;
    this.printed = "";
    this.#child.send({ file: file.href, run: this.#runs });
  }

  /** Waits for an event; fails at a bound with what was expected. */
  async until(wanted: string, met: () => boolean): Promise<void> {
    let isLate = false;
    const bound = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, BOUND_MS);
    try {
      while (!met()) {
        if (this.#exit !== undefined) throw new Error(`${wanted}: ${this.#exit}`);
        if (isLate) throw new Error(`${wanted}: timed out; ${this.#report()}`);
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
    } finally {
      clearTimeout(bound);
    }
  }

  #report(): string {
    const { open, settled, unhandled } = this;
    return `${open} sockets are open; the module: ${settled ?? "unsettled"}; ${unhandled.join()}`;
  }

  end(): void {
    this.#child.kill();
    for (let run = 0; run < this.#runs; run++) {
      rmSync(new URL(`${this.#name}-${run}.ts`, SAMPLES), { force: true });
    }
  }

  #take(report: Report): void {
    if (report.ready !== undefined) this.#isReady = true;
    if (report.listening !== undefined) this.isListening = true;
    if (report.open !== undefined) this.open = report.open;
    if (report.accepted !== undefined) this.accepted = report.accepted;
    if (report.printed !== undefined) this.printed += report.printed;
    if (report.run === this.#runs) this.settled = report.settled;
    if (report.unhandled !== undefined) this.unhandled.push(report.unhandled);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
