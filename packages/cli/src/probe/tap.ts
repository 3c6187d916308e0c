// socket ↔ [tap] ↔ client: passes bytes on in both directions, and records them with their time

import type net from "node:net";
import { Duplex } from "node:stream";
import type { Clock } from "@upgrade/core/io";
import type { Ending } from "../facts.ts";
import type { Transcript } from "../trace/transcript.ts";

/** No more than this is recorded of each direction. */
const MAX_RECORDED_BYTES = 256 * 1024;

/** A chunk of one direction. */
export interface Piece {
  readonly at: number;
  readonly bytes: Buffer;
}

export class Tap extends Duplex {
  readonly sent: Piece[] = [];
  readonly received: Piece[] = [];
  /** How the other side ended. */
  ending: Ending = "open";
  readonly #socket: net.Socket;
  readonly #clock: Clock;
  readonly #transcript: Transcript | undefined;
  #recorded = 0;

  constructor(socket: net.Socket, clock: Clock, transcript?: Transcript) {
    super({ allowHalfOpen: true });
    this.#transcript = transcript;
    this.#socket = socket;
    this.#clock = clock;
    socket.on("data", (bytes: Buffer) => {
      this.#record(this.received, bytes);
      this.#transcript?.bytes("<", bytes);
      if (!this.push(bytes)) socket.pause();
    });
    socket.on("end", () => {
      this.#endsWith("ended");
      this.push(null);
    });
    socket.on("error", (error) => {
      this.#endsWith("reset");
      this.destroy(error);
    });
    socket.on("close", () => {
      if (!this.destroyed) this.#endsWith("reset");
      this.destroy();
    });
    socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(
    bytes: Buffer,
    _: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#record(this.sent, bytes);
    this.#transcript?.bytes(">", bytes);
    this.#socket.write(bytes, callback);
  }

  override _final(callback: () => void): void {
    this.#transcript?.end(">", "FIN");
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }

  // Emits `ending`, once.
  #endsWith(ending: Ending): void {
    if (this.ending !== "open") return;
    this.ending = ending;
    this.#transcript?.end("<", ending === "ended" ? "FIN" : "RST");
    this.emit("ending");
  }

  #record(pieces: Piece[], bytes: Buffer): void {
    this.#recorded += bytes.length;
    if (this.#recorded <= MAX_RECORDED_BYTES) pieces.push({ at: this.#clock.now(), bytes });
  }
}
