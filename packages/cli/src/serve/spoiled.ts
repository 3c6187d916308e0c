// socket ↔ [spoiled] ↔ server: a socket on which the answer of a correct server is made wrong

import type net from "node:net";
import { Duplex } from "node:stream";
import type { Clock } from "@upgrade/core/io";
import type { Misbehavior, Step } from "./misbehaviors.ts";

type Done = (error?: Error | null) => void;

export class Spoiled extends Duplex {
  readonly #socket: net.Socket;
  readonly #kind: Misbehavior;
  readonly #clock: Clock;
  #head: string | undefined = "";
  #isSilent = false;
  #idle: unknown;

  constructor(socket: net.Socket, kind: Misbehavior, clock: Clock) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#kind = kind;
    this.#clock = clock;
    socket.on("data", (bytes: Buffer) => {
      this.#moved();
      if (!this.push(bytes)) socket.pause();
    });
    socket.on("end", () => {
      if (kind.closesOnFin === true) socket.resetAndDestroy();
      else this.push(null);
    });
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: Done): void {
    this.#moved();
    if (this.#isSilent) done();
    else if (this.#head === undefined) this.#socket.write(bytes, done);
    else void this.#play(this.#stepsFor(bytes)).then(() => done());
  }

  #stepsFor(bytes: Buffer): readonly Step[] {
    this.#head += bytes.toString("latin1");
    const whole = this.#head!;
    const end = whole.indexOf("\r\n\r\n") + 4;
    if (end === 3) return [];
    this.#head = undefined;
    const head = whole.slice(0, end);
    return [...(this.#kind.spoil?.(head) ?? [{ send: head }]), { send: whole.slice(end) }];
  }

  override _final(done: Done): void {
    if (this.#isSilent || this.#socket.destroyed) done();
    else this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#clock.clearTimer(this.#idle);
    if (!this.#isSilent) this.#socket.destroy();
    done(error);
  }

  async #play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.#isSilent || this.#socket.destroyed) return;
      if (typeof step === "object") await this.#take(step);
      else this.#stop(step);
    }
  }

  #take(step: Exclude<Step, string>): Promise<void> {
    return new Promise((resolve) => {
      if ("pauseMs" in step) this.#clock.setTimer(step.pauseMs, resolve);
      else if (step.send === "") resolve();
      else this.#socket.write(step.send, "latin1", () => resolve());
    });
  }

  #stop(step: "end" | "reset" | "silence"): void {
    this.#isSilent = true;
    if (step === "end") this.#socket.end();
    if (step === "reset") this.#socket.resetAndDestroy();
    // What the client sends is still taken.
    this.#socket.resume();
  }

  #moved(): void {
    const { cutAfterMs } = this.#kind;
    if (cutAfterMs === undefined) return;
    this.#clock.clearTimer(this.#idle);
    this.#idle = this.#clock.setTimer(cutAfterMs, () => this.#socket.destroy());
  }
}
