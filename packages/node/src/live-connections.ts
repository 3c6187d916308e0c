// serve → [live connections] → close: every open socket, those of switched connections included

import type net from "node:net";
import { type ConnectionError, resolveLimits } from "@upgrade/core";
import {
  abortIo,
  type Clock,
  Connection,
  checkOptions,
  Deferred,
  DURATION,
  type Kinds,
  systemClock,
} from "@upgrade/core/io";
import type { ServerHandshake, ServerOptions } from "@upgrade/server";
import type { Reporter } from "./reporter.ts";
import { startTimer } from "./timer.ts";

/** How a server closes. */
export interface CloseServerOptions {
  /**
   * Milliseconds until everything still open is aborted; 0 means never. Default: the server's
   * option `closeMs`.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * What happens to connections that have switched, or that were taken over: `"wait"` (the default)
   * until they end by themselves, or `"abort"` at once.
   */
  readonly upgraded?: "wait" | "abort" | undefined;
}

const CLOSE_OPTIONS: Kinds<CloseServerOptions> = {
  timeoutMs: DURATION,
  upgraded: {
    says: '"wait" or "abort"',
    fits: (value) => value === "wait" || value === "abort",
  },
};

type Accept = (io: net.Socket) => Promise<ServerHandshake<net.Socket>>;

/** The open sockets of a server, and the connections on them. */
export class LiveConnections {
  // Over TLS these are the sockets below.
  readonly #sockets = new Set<net.Socket>();
  readonly #connections = new Map<net.Socket, Connection<net.Socket>>();
  readonly #clock: Clock;
  readonly #closeMs: number;
  #closing: Required<CloseServerOptions> | undefined;
  #stopTimer = (): void => {};
  readonly #empty = new Deferred<void>();
  // One for all sockets.
  readonly #onClose: (this: net.Socket) => void;

  private constructor(clock: Clock, closeMs: number) {
    this.#clock = clock;
    this.#closeMs = closeMs;
    const remove = this.#remove.bind(this);
    this.#onClose = function () {
      remove(this);
    };
  }

  /** None yet, with the clock and the `closeMs` of these options. */
  static of(options: ServerOptions<never>): LiveConnections {
    const { clock = systemClock, closeMs = resolveLimits().closeMs } = options;
    return new LiveConnections(clock, closeMs);
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Counts a socket until it closes. */
  add(socket: net.Socket): void {
    if (socket.destroyed) return;
    this.#sockets.add(socket);
    socket.on("close", this.#onClose);
  }

  /** Speaks HTTP on the io: a socket that was added, or TLS on one. */
  accept(io: net.Socket, accept: Accept, reporter: Reporter): void {
    accept(io).then(
      ({ connection }) => this.#serve(io, connection),
      (error) => {
        abortIo(io, error);
        reporter.report(error, "handshake");
      },
    );
  }

  #serve(io: net.Socket, connection: Connection<net.Socket>): void {
    if (io.destroyed) return;
    this.#connections.set(io, connection);
    if (!this.#sockets.has(io)) io.on("close", this.#onClose);
    if (this.#closing !== undefined) void this.#end(io, connection, this.#closing);
  }

  #remove(socket: net.Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) {
      Connection.tracingOf(connection)?.ioClosed(socket.bytesRead, socket.bytesWritten);
    }
    this.#sockets.delete(socket);
    this.#connections.delete(socket);
    if (this.#closing !== undefined) this.#settleIfEmpty();
  }

  /**
   * Closes gracefully. Resolves when no socket is left. A later call replaces the deadline.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a clock that throws;
   *   nothing is closed.
   */
  close(options: CloseServerOptions, abortReason: () => ConnectionError): Promise<void> {
    checkOptions(options, CLOSE_OPTIONS);
    const { timeoutMs = this.#closeMs, upgraded = "wait" } = options;
    const late = (): void => this.#abort(abortReason());
    const stop = timeoutMs > 0 ? startTimer(this.#clock, timeoutMs, late) : () => {};
    this.#stopTimer();
    this.#stopTimer = stop;
    this.#closing = { timeoutMs, upgraded };
    for (const [io, connection] of [...this.#connections]) {
      void this.#end(io, connection, this.#closing);
    }
    this.#settleIfEmpty();
    return this.#empty.promise;
  }

  async #end(
    io: net.Socket,
    connection: Connection<net.Socket>,
    { timeoutMs, upgraded }: Required<CloseServerOptions>,
  ): Promise<void> {
    const { kind } = await connection.close({ timeoutMs });
    if (kind !== "switched" && kind !== "taken-apart") return;
    if (upgraded === "abort") abortIo(io, undefined);
  }

  #abort(reason: ConnectionError): void {
    for (const [io, connection] of [...this.#connections]) {
      connection.abort(reason);
      abortIo(io, reason);
    }
    for (const socket of [...this.#sockets]) abortIo(socket, reason);
  }

  #settleIfEmpty(): void {
    if (this.size > 0) return;
    this.#stopTimer();
    this.#empty.resolve();
  }
}
