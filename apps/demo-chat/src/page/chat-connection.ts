// page ↔ [chat connection] ↔ WebSocket: keeps the conversation going, and messages until they are sent

import type { Clock } from "@upgrade/core/io";
import { type ChatAction, type ChatEvent, readEvent } from "../protocol.ts";

/** The parts of a browser's WebSocket that we use. */
export interface PageSocket {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  send(text: string): void;
  close(): void;
}

/** What the user should know. */
export type Status =
  | { readonly is: "connecting" }
  | { readonly is: "open" }
  /** The next attempt is at `at`, by the clock. */
  | { readonly is: "waiting"; readonly why: string; readonly at: number }
  | { readonly is: "closed"; readonly why: string };

export interface ChatConnectionOptions {
  readonly connect: (name: string) => Promise<PageSocket>;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onStatus: (status: Status) => void;
  readonly onEvent: (event: ChatEvent) => void;
  /** What has not come back yet, oldest first. */
  readonly onPending: (texts: readonly string[]) => void;
}

/** After so long without a message the page asks whether the server is there. */
export const QUIET_MS = 3_000;
/** And after so long without an answer the line is dead. */
export const ANSWER_MS = 3_000;
/** A handshake that takes longer has failed. */
export const OPEN_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

// Codes after which coming back would end the same way (RFC 6455 §7.4.1; 4400 is this chat's).
const FINAL_CODES: readonly number[] = [1002, 1003, 1007, 1008, 1009, 1010, 4400];

export class ChatConnection {
  readonly #options: ChatConnectionOptions;
  readonly #pending: string[] = [];
  #name = "";
  #you: string | undefined;
  #socket: PageSocket | undefined;
  #attempts = 0;
  #timer: unknown;
  #isWaiting = false;
  #retryAt = 0;
  /** Why the server refused the current attempt, if it said so. */
  #refusal: { readonly why: string; readonly isFinal: boolean } | undefined;

  constructor(options: ChatConnectionOptions) {
    this.#options = options;
  }

  /** The name that the server gave; undefined before the welcome. */
  get you(): string | undefined {
    return this.#you;
  }

  join(name: string): void {
    this.#name = name;
    this.#attempts = 0;
    void this.#connect();
  }

  /** Sends now, or as soon as there is a connection. */
  say(text: string): void {
    this.#pending.push(text);
    this.#options.onPending(this.#pending);
    if (this.#you !== undefined) this.#send({ type: "message", text });
  }

  /** Ends a wait: the network is back. */
  retryNow(): void {
    if (this.#isWaiting) void this.#connect();
  }

  /** The network is gone: does not wait for an answer that cannot come. */
  checkNow(): void {
    if (this.#you !== undefined) this.#ask();
  }

  /** What the trace says about the refusal of the last attempt. */
  refused(why: string, isFinal: boolean): void {
    this.#refusal = { why, isFinal };
    // The trace has a connection of its own, and may be later than the end of the attempt.
    if (!this.#isWaiting) return;
    if (isFinal) this.#stop(why);
    else this.#options.onStatus({ is: "waiting", why, at: this.#retryAt });
  }

  async #connect(): Promise<void> {
    const { connect, onStatus } = this.#options;
    this.#isWaiting = false;
    this.#refusal = undefined;
    this.#setTimer(OPEN_MS, () => this.#lost("the server does not answer"));
    onStatus({ is: "connecting" });
    const socket = await connect(this.#name);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#receive(String(data));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    });
  }

  #receive(json: string): void {
    this.#setTimer(QUIET_MS, () => this.#ask());
    const event = readEvent(json);
    if (event === undefined || event.type === "pong") return;
    if (event.type === "welcome") this.#welcome(event.you ?? this.#name);
    if (event.type === "message" && event.from === this.#you && event.text === this.#pending[0]) {
      this.#pending.shift();
      this.#options.onPending(this.#pending);
    }
    this.#options.onEvent(event);
  }

  #welcome(you: string): void {
    this.#you = you;
    this.#attempts = 0;
    this.#options.onStatus({ is: "open" });
    for (const text of this.#pending) this.#send({ type: "message", text });
  }

  #ask(): void {
    this.#send({ type: "ping" });
    this.#setTimer(ANSWER_MS, () => this.#lost("the line is dead"));
  }

  // A dead line would report its close after minutes.
  #lost(why: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#wait(why);
  }

  #closed(code: number, reason: string): void {
    this.#socket = undefined;
    const wasIn = this.#you !== undefined;
    const refusal = wasIn ? undefined : this.#refusal;
    const said = reason === "" ? "the connection was lost" : reason;
    const why = refusal?.why ?? (wasIn ? said : "the server cannot be reached");
    if (refusal?.isFinal === true || FINAL_CODES.includes(code)) this.#stop(why);
    else this.#wait(why);
  }

  #stop(why: string): void {
    this.#you = undefined;
    this.#isWaiting = false;
    this.#options.clock.clearTimer(this.#timer);
    this.#options.onStatus({ is: "closed", why });
  }

  #wait(why: string): void {
    this.#you = undefined;
    const { clock, random, onStatus } = this.#options;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts++);
    // After a restart, not everyone comes back at the same moment.
    const ms = Math.round(longest * (0.5 + random() / 2));
    this.#isWaiting = true;
    this.#setTimer(ms, () => void this.#connect());
    this.#retryAt = clock.now() + ms;
    onStatus({ is: "waiting", why, at: this.#retryAt });
  }

  #send(action: ChatAction): void {
    this.#socket?.send(JSON.stringify(action));
  }

  #setTimer(ms: number, callback: () => void): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(ms, callback);
  }
}
