// trace of the packages → [trace] → terminal: what crossed the wire, and what each part is for

import type { Parts, TraceEvent, TraceListener } from "@upgrade/core/io";
import picocolors from "picocolors";
import { fieldMeaning, type Meaning, STATUSES } from "./wire/meanings.ts";
import { type TracedEvent, wireEvent } from "./wire/wire-event.ts";
import { printable } from "./wording.ts";

type Colors = ReturnType<typeof picocolors.createColors>;
type Head = Extract<TracedEvent, { readonly headers: unknown }>;

/** How much of a message is shown. */
const MAX_LINES = 40;
const MAX_LINE_LENGTH = 160;
/** Explanations are folded here. */
const WIDTH = 84;

export interface PrinterOptions {
  readonly print: (line: string) => void;
  /** What was explained already: nothing is explained twice. */
  readonly explained?: Set<string> | undefined;
  readonly colors?: Colors | undefined;
}

/** Prints the trace of one end of a connection. */
export class TracePrinter {
  readonly #label: string;
  readonly #print: (line: string) => void;
  readonly #explained: Set<string>;
  readonly #colors: Colors;
  #states = "client idle, server idle";

  constructor(label: string, options: PrinterOptions) {
    this.#label = label.padEnd(5);
    this.#print = options.print;
    this.#explained = options.explained ?? new Set();
    this.#colors = options.colors ?? picocolors;
  }

  /** What gets the events of a connection whose end is this one. */
  listener(role: "client" | "server"): TraceListener {
    return (event) => this.#show(event, role);
  }

  /** The bytes that were read but do not belong to HTTP. */
  early({ readBuf }: Parts<unknown>): void {
    for (const line of escapedLines(readBuf)) this.#print(this.#indent + cut(line));
  }

  #show(traced: TraceEvent, role: "client" | "server"): void {
    const event = wireEvent(traced);
    if (event === undefined) return;
    const { yellow, bold } = this.#colors;
    if ("headers" in event) this.#head(event, role);
    else if (event.type === "switched") {
      this.#line(yellow("⇄"), bold(`both ends agreed: ${event.protocol} comes next`));
    } else if (event.type === "refused") {
      this.#line(yellow("⇄"), bold(`refused with ${event.status}: this stays HTTP`));
    } else if (event.type === "taken") {
      this.#line(yellow("⇄"), bold(`the socket changes hands; ${held(event.readBuf)}`));
    } else this.#note(event);
    this.#showStates(event);
  }

  #note(event: Exclude<TracedEvent, Head>): void {
    const { dim } = this.#colors;
    if (event.type === "moved") {
      this.#line(dim("·"), dim(`the connection: ${event.from} → ${event.to} (${event.cause})`));
    } else if (event.type === "deadline") {
      this.#line(dim("·"), `the deadline ${event.name} passed`);
    } else if (event.type === "closed") {
      const { kind, why } = event.reason;
      this.#line(dim("·"), dim(`HTTP is over: ${why === undefined ? kind : `${kind}, ${why}`}`));
    } else if (event.type === "io-closed") {
      const { bytesRead, bytesWritten } = event;
      this.#line(dim("·"), dim(`the socket closed: ${bytesRead} bytes in, ${bytesWritten} out`));
    }
  }

  #head(head: Head, role: "client" | "server"): void {
    const { green, cyan } = this.#colors;
    const isRequest = head.type === "request";
    const arrow = (role === "client") === isRequest ? green("→") : cyan("←");
    const version = `HTTP/${head.version}`;
    const start = isRequest
      ? `${head.method} ${head.target} ${version}`
      : `${version} ${head.status} ${head.reason}`;
    this.#line(arrow, cut(printable(start)));
    if (!isRequest) this.#explain(`${head.status}`, STATUSES[head.status]);
    for (const [name, value] of head.headers.slice(0, MAX_LINES)) {
      this.#print(this.#indent + cut(printable(`${name}: ${value}`)));
      const of = isRequest ? "request" : "response";
      this.#explain(`${of} ${name.toLowerCase()}`, fieldMeaning(name, of));
    }
    const hidden = head.headers.length - MAX_LINES;
    if (hidden > 0) this.#print(`${this.#indent}… and ${hidden} more lines`);
  }

  #explain(key: string, meaning: Meaning | undefined): void {
    if (meaning === undefined || this.#explained.has(key)) return;
    this.#explained.add(key);
    const { says, rule } = meaning;
    for (const line of folded(rule === undefined ? says : `${says} (${rule})`)) {
      this.#print(this.#colors.dim(`${this.#indent}  ${line}`));
    }
  }

  #showStates({ states }: TracedEvent): void {
    const now = `client ${states.client}, server ${states.server}`;
    if (now === this.#states) return;
    this.#states = now;
    this.#line(this.#colors.dim("·"), this.#colors.dim(now));
  }

  #line(sign: string, text: string): void {
    this.#print(`${this.#colors.dim(this.#label)} ${sign} ${text}`);
  }

  get #indent(): string {
    return " ".repeat(this.#label.length + 3);
  }
}

function held(bytes: number): string {
  if (bytes === 0) return "readBuf is empty";
  return `readBuf holds ${bytes === 1 ? "1 byte" : `${bytes} bytes`}`;
}

/** Splits a sentence into lines. */
function folded(text: string): string[] {
  return text.match(new RegExp(`.{1,${WIDTH}}(?: |$)`, "g"))!.map((line) => line.trimEnd());
}

/** Splits bytes into lines at CRLF, escaped to printable ASCII. */
export function escapedLines(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lines = text.match(/.*?\r\n|.+$/gs) ?? [];
  return lines.map((line) => line.replace(/[^ -~]|\\/g, escaped));
}

const NAMED = new Map([
  ["\r", "\\r"],
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(2, "0");
  return NAMED.get(character) ?? `\\x${code}`;
}

function cut(line: string): string {
  if (line.length <= MAX_LINE_LENGTH) return line;
  return `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length} characters)`;
}
