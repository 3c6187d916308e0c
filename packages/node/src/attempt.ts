// open → [attempt]: the sockets of one attempt to connect, none of which outlives a failure

import type net from "node:net";
import { ConnectionError, type UpgradeError } from "@upgrade/core";
import { abortIo, type Clock, guard, listen, type SignalLike, systemClock } from "@upgrade/core/io";
import { startTimer } from "./timer.ts";

/** When an attempt ends without success. */
export interface Limits {
  readonly signal?: SignalLike | undefined;
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

export class Attempt {
  readonly #sockets: net.Socket[] = [];
  #failure: UpgradeError | undefined;
  #stops: (() => void)[] = [];

  /**
   * @param name Where it leads, for errors.
   * @throws {ConnectionError} `CANCELED`: the signal has already aborted.
   * @throws {LocalProtocolError} `CALLBACK_FAILED`: the signal or the clock threw.
   */
  constructor(name: string, { signal, timeoutMs = 0, clock = systemClock }: Limits) {
    if (signal !== undefined) {
      const cancel = (cause: unknown): void => {
        this.fail(new ConnectionError("CANCELED", name, { cause, sent: "nothing" }));
      };
      this.#stops.push(listen(signal, cancel));
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (timeoutMs > 0) {
      const details = { sent: "nothing" } as const;
      const late = (): void => {
        this.fail(new ConnectionError("OPEN_TIMEOUT", name, details));
      };
      try {
        this.#stops.push(startTimer(clock, timeoutMs, late));
      } catch (error) {
        this.stop();
        throw error;
      }
    }
  }

  /** Resolves with the socket when it is open. Rejects with what it fails with. */
  opened<Socket extends net.Socket>(
    socket: Socket,
    event: "connect" | "secureConnect",
  ): Promise<Socket> {
    this.#sockets.push(socket);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        socket.off(event, open).off("error", fail).off("close", closed);
        guard(socket);
      };
      const open = (): void => {
        stop();
        resolve(socket);
      };
      const fail = (error: unknown): void => {
        stop();
        reject(error);
      };
      const closed = (): void => fail(new Error("it closed the connection before it was open"));
      socket.on(event, open).on("error", fail).on("close", closed);
    });
  }

  /**
   * Ends the attempt with success.
   *
   * @throws {ConnectionError} It has ended without, in this very turn.
   */
  succeed<Socket>(socket: Socket): Socket {
    if (this.#failure !== undefined) throw this.#failure;
    this.#sockets.length = 0;
    return socket;
  }

  /** Ends the attempt without success. The first error is the reason. */
  fail(error: UpgradeError): UpgradeError {
    this.#failure ??= error;
    this.stop();
    for (const socket of this.#sockets.splice(0).reverse()) abortIo(socket, this.#failure);
    return this.#failure;
  }

  /** It has ended: no signal and no deadline counts any more. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
