// clock → [heartbeat] → WebSockets: a peer that is gone without a word is dropped

import type { Clock } from "@upgrade/core/io";
import type WebSocket from "ws";

/** Pings everybody in turn, and ends those who did not answer the ping before. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #answered = new Map<WebSocket, boolean>();
  #timer: unknown;

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#schedule();
  }

  watch(socket: WebSocket): void {
    this.#answered.set(socket, true);
    socket.on("pong", () => this.#answered.set(socket, true));
    socket.on("close", () => this.#answered.delete(socket));
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
  }

  // The system clock's timers keep no process alive.
  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#everyMs, () => {
      this.#beat();
      this.#schedule();
    });
  }

  #beat(): void {
    for (const [socket, answered] of this.#answered) {
      if (!answered) {
        socket.terminate();
        continue;
      }
      this.#answered.set(socket, false);
      socket.ping();
    }
  }
}
