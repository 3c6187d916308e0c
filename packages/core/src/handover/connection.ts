// driver ↔ [connection] ↔ application: how it ends, and taking it apart; the same for both roles

import { brand, ConnectionError, LocalProtocolError } from "../base/errors.ts";
import { INSPECT, type Inspect, shown } from "../base/inspect.ts";
import { BOOLEAN, checkOptions, DURATION, type Kinds, SIGNAL } from "../base/options.ts";
import type { Driver } from "../driver/driver.ts";
import type { CloseReason, HttpEnd } from "../driver/ending.ts";
import { listen, type SignalLike } from "../driver/listening.ts";
import type { Tracing } from "../driver/tracing.ts";
import type { Phase } from "../lifecycle/phases.ts";
import type { Switched } from "../message/switched.ts";
import type { State } from "../state/states.ts";
import { joined } from "../transports/batch.ts";
import { handled } from "../transports/deferred.ts";
import { type ForcedParts, type Parts, TakenParts } from "./parts.ts";

/** How long a graceful close may take. */
export interface CloseOptions {
  /** Milliseconds until the close becomes an abort; 0 means never. Default: the option `closeMs`. */
  readonly timeoutMs?: number | undefined;
  /** Aborts early. */
  readonly signal?: SignalLike | undefined;
}

const CLOSE_OPTIONS: Kinds<CloseOptions> = { timeoutMs: DURATION, signal: SIGNAL };
const INTO_PARTS_OPTIONS = { force: BOOLEAN };

/** Counters of a connection. */
export interface ConnectionStats {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly requests: number;
}

/** The proposal was refused, so there are no parts. See `response` for the reason. */
export class SwitchRefused extends ConnectionError {
  static override readonly brand: string = "SwitchRefused";
  /** The status of the refusal. */
  override readonly status: number;
  /** The refusal; on the client its body can be read. Not enumerable, so consoles do not print it. */
  declare readonly response: unknown;

  constructor(status: number, response: unknown) {
    super("SWITCH_REFUSED", `status ${status}`);
    this.status = status;
    // A service's own response holds its values unredacted, including those of Set-Cookie.
    Object.defineProperty(this, "response", { value: response });
  }
}
brand(SwitchRefused);

/**
 * One HTTP/1.1 connection over an io of type `IO`.
 *
 * It runs by itself; there is no need to poll it. Its methods choose how it ends: {@link run} shuts
 * the io down, {@link pollWithoutShutdown} leaves it open. With neither, a normal end shuts the io
 * down, and a switched connection waits `claimMs` for its parts to be taken.
 */
export class Connection<IO> {
  readonly #driver: Driver;
  readonly #io: IO;
  /** @internal */
  static readonly ioOf = <IO>(connection: Connection<IO>): IO => connection.#io;
  /** @internal Of a connection, if it is traced. */
  static readonly tracingOf = (connection: Connection<unknown>): Tracing | undefined =>
    connection.#driver.tracing;
  #withoutShutdown: Promise<Parts<IO>> | undefined;

  /** @internal Created by the handshakes. */
  constructor(driver: Driver, io: IO) {
    this.#driver = driver;
    this.#io = io;
  }

  /**
   * Resolves when HTTP has ended cleanly and the io is shut down, or when the connection has
   * switched (its io is then left open).
   *
   * @throws The error in {@link closeReason}, if HTTP failed.
   */
  run(): Promise<void> {
    return this.#driver.ending.run();
  }

  /**
   * Resolves when HTTP has ended or switched, with the io still open, or as soon as a proposal is
   * refused; HTTP then continues, and this may be called again.
   *
   * @throws {LocalProtocolError} `READ_PENDING`: HTTP ended with a pending read that can never be
   *   withdrawn. The io is then shut down, as it would be without this call.
   * @throws The error in {@link closeReason}, if HTTP failed.
   */
  pollWithoutShutdown(): Promise<HttpEnd> {
    return this.#driver.ending.poll();
  }

  /**
   * Takes the connection apart, now.
   *
   * @param options.force Takes it apart in any state, whatever is in flight. Requests, bodies and
   *   services then fail with `TAKEN_APART`; `unsent` holds what was not yet written to the io,
   *   `late` what a withdrawn read still delivers.
   * @throws {LocalProtocolError} `STILL_WRITING`: some of our bytes are unsent, or an exchange is in
   *   progress; `READ_PENDING`: a read cannot be withdrawn, or may already hold bytes (an idle
   *   WHATWG pair; call {@link withoutShutdown} and then `close()` to take it apart exactly);
   *   `ALREADY_TAKEN`; `INVALID_OPTION`. The connection is unchanged.
   */
  intoParts(options: { readonly force: true }): ForcedParts<IO>;
  intoParts(options?: { readonly force?: false }): Parts<IO>;
  intoParts(options: { readonly force?: boolean } = {}): Parts<IO> {
    checkOptions(options, INTO_PARTS_OPTIONS);
    const { switched } = this.#driver;
    const over = this.#driver.ending.isOver;
    return takeParts(
      this.#driver,
      this.#io,
      "intoParts",
      over ? switched : undefined,
      options.force,
    );
  }

  /**
   * {@link pollWithoutShutdown} followed by {@link intoParts}. Parts without `switched` mean that
   * HTTP ended without a switch, and closing the io is up to the caller. Repeated calls return the
   * same promise.
   *
   * @throws {SwitchRefused} The proposal was refused; HTTP continues.
   * @throws {LocalProtocolError} See {@link pollWithoutShutdown}.
   * @throws The error in {@link closeReason}, if HTTP failed.
   */
  withoutShutdown(): Promise<Parts<IO>> {
    this.#withoutShutdown ??= handled(this.#takeAtEnd());
    return this.#withoutShutdown;
  }

  async #takeAtEnd(): Promise<Parts<IO>> {
    const end = await this.#driver.ending.poll();
    if (end.kind === "refused") {
      this.#withoutShutdown = undefined;
      throw new SwitchRefused(end.status, this.#driver.refusal);
    }
    const { switched } = this.#driver;
    const offered = end.kind === "switched" ? switched : undefined;
    return takeParts(this.#driver, this.#io, "withoutShutdown", offered, false);
  }

  /**
   * Closes gracefully: at once if idle, otherwise after the current exchange, without waiting for a
   * body that has no reader. Resolves when the connection is over; every call returns the same
   * promise. When the deadline passes or the signal aborts, it becomes an abort and still resolves.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a signal that throws;
   *   nothing is closed.
   */
  close(options: CloseOptions = {}): Promise<CloseReason> {
    const driver = this.#driver;
    try {
      checkOptions(options, CLOSE_OPTIONS);
      const { signal, timeoutMs = driver.limits.closeMs } = options;
      if (signal === undefined) return driver.close(timeoutMs);
      const stopListening = listen(signal, (reason) => {
        // If the signal has already aborted, this runs before the close below.
        void driver.close(timeoutMs);
        this.abort(reason);
      });
      const closed = driver.close(timeoutMs);
      void closed.then(stopListening);
      return closed;
    } catch (error) {
      return handled(Promise.reject(error));
    }
  }

  /** Ends now; the peer sees a failure. Does nothing once the parts are taken. */
  abort(reason?: unknown): void {
    this.#driver.abort(reason);
  }

  /** Resolves when the connection is over: its io shut down, gone, or taken. Never rejects. */
  get closed(): Promise<CloseReason> {
    return this.#driver.ending.closed;
  }

  /** Why the connection ended or cannot be reused; undefined until known. */
  get closeReason(): CloseReason | undefined {
    return this.#driver.reason;
  }

  /**
   * The io, for what it says of the peer, such as `remoteAddress`. It is the connection's until its
   * parts are taken: do not read it, write to it, or close it.
   */
  get io(): IO {
    return this.#io;
  }

  /** The phase of the connection as a whole. */
  get phase(): Phase {
    return this.#driver.phase;
  }

  /** The states of both roles, in h11's terms. */
  get state(): { readonly client: State; readonly server: State } {
    return this.#driver.http.states;
  }

  get stats(): ConnectionStats {
    const { reading, requests, writing } = this.#driver;
    return { bytesRead: reading.bytesRead, bytesWritten: writing.handed, requests };
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { role } = this.#driver.http;
    const { phase, state, stats, closeReason } = this;
    const facts = { role, phase, state, stats, closeReason };
    return shown("Connection", facts, depth, options, inspect);
  }

  /** Closes gracefully, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Takes the parts for `owner`. They can be taken only once.
 *
 * @throws {LocalProtocolError} See {@link Connection.intoParts}.
 */
export function takeParts<IO>(
  driver: Driver,
  io: IO,
  owner: string,
  switched: Switched | undefined,
  force = false,
): Parts<IO> | ForcedParts<IO> {
  driver.ending.assertUnclaimed();
  if (!force && !isTakeable(driver)) throw new LocalProtocolError("STILL_WRITING");
  if (driver.phase !== "down" && !driver.transport.withdraw(force)) {
    throw new LocalProtocolError("READ_PENDING");
  }
  driver.ending.claim(owner);
  const unsent = driver.writing.take();
  const readBuf = driver.http.takeReadBuf();
  const readEnded = driver.http.endReceived;
  driver.release(owner);
  driver.tracing?.taken(owner, readBuf.length);
  const parts = new TakenParts(io, readBuf, readEnded, switched, driver.tracing);
  if (!force) return parts;
  return Object.assign(parts, { unsent: joined(unsent), late: driver.transport.late() });
}

// After a switch, after the end, or idle: no exchange is in progress and all our bytes are out.
function isTakeable(driver: Driver): boolean {
  const { isLive, phase } = driver;
  if (phase === "kept-open" || phase === "down") return true;
  return isLive && driver.side.isIdle && driver.writing.isFlushed;
}
