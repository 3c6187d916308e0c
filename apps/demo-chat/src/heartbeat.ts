// clock → [heartbeat] → WebSockets: drops peers that have gone silently

import type { Clock } from "@upgrade/core/io";
import type WebSocket from "ws";

/** Pings every peer, and drops those that did not answer the previous ping. */
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

  // Timers of the system clock do not keep the process alive.
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
