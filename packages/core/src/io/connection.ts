// driver ↔ [connection] ↔ application: how it ends, and taking it apart; the same on both sides

import { brand, ConnectionError, LocalProtocolError } from "../errors.ts";
import { INSPECT, type Inspect, shown } from "../inspect.ts";
import type { Phase } from "../lifecycle/phases.ts";
import { BOOLEAN, checkOptions, DURATION, type Kinds, SIGNAL } from "../options.ts";
import type { State } from "../state/states.ts";
import { handled } from "./deferred.ts";
import type { Driver } from "./driver.ts";
import type { CloseReason, HttpEnd } from "./ending.ts";
import { listen, type SignalLike } from "./listening.ts";
import { joined } from "./outbox.ts";
import { type ForcedParts, type Parts, type Switched, TakenParts } from "./parts.ts";

/** How long a graceful close may take. */
export interface CloseOptions {
  /** Milliseconds until it becomes an abort; 0 for never. Default: the option `closeMs`. */
  readonly timeoutMs?: number | undefined;
  /** Aborts it earlier. */
  readonly signal?: SignalLike | undefined;
}

const CLOSE_OPTIONS: Kinds<CloseOptions> = { timeoutMs: DURATION, signal: SIGNAL };
const INTO_PARTS_OPTIONS = { force: BOOLEAN };

/** What went over a connection so far. */
export interface ConnectionStats {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly requests: number;
}

/** The proposal was refused, so there are no parts. The response says why. */
export class SwitchRefused extends ConnectionError {
  static override readonly brand: string = "SwitchRefused";
  /** The status of the refusal. */
  override readonly status: number;
  /** The refusal; on the client its body can be read. A console does not show it. */
  declare readonly response: unknown;

  constructor(status: number, response: unknown) {
    super("SWITCH_REFUSED", `status ${status}`);
    this.status = status;
    // A service's own response has its values as they are, those of Set-Cookie too.
    Object.defineProperty(this, "response", { value: response });
  }
}
brand(SwitchRefused);

/**
 * One HTTP/1.1 connection over an io of type `IO`.
 *
 * It works from the moment it is made; nobody has to poll it. What is chosen here is how it ends:
 * {@link run} shuts the io down, {@link pollWithoutShutdown} leaves it open. With neither, a normal
 * end shuts the io down, and a switched connection waits `claimMs` for whoever takes its parts.
 */
export class Connection<IO> {
  readonly #driver: Driver;
  readonly #io: IO;
  #withoutShutdown: Promise<Parts<IO>> | undefined;

  /** @internal Made by the handshakes. */
  constructor(driver: Driver, io: IO) {
    this.#driver = driver;
    this.#io = io;
  }

  /**
   * Resolves when HTTP has ended well and the io is shut down, or when the connection has switched
   * (its io is never shut down).
   *
   * @throws The error in {@link closeReason}, if HTTP failed.
   */
  run(): Promise<void> {
    return this.#driver.ending.run();
  }

  /**
   * Resolves when HTTP has ended or has switched, with the io still open, or as soon as a proposal
   * is refused; HTTP goes on then, and this may be called again.
   *
   * @throws {LocalProtocolError} `READ_PENDING`: HTTP has ended with a read pending that can never be
   *   withdrawn. The io is shut down then, as if nobody had asked.
   * @throws The error in {@link closeReason}, if HTTP failed.
   */
  pollWithoutShutdown(): Promise<HttpEnd> {
    return this.#driver.ending.poll();
  }

  /**
   * Takes the connection apart, now.
   *
   * @param options.force In any state, whatever is in flight. Requests, bodies and services then
   *   fail with `TAKEN_APART`; `unsent` has what was said and not handed to the io, `late` what the
   *   io had handed over and we had not seen.
   * @throws {LocalProtocolError} `STILL_WRITING`: bytes of ours are unsent, or an exchange is in
   *   hand; `READ_PENDING`: a read cannot be withdrawn, or not without a doubt whether it has its
   *   bytes already (a WHATWG pair that is idle; `close()` behind {@link withoutShutdown} takes it
   *   apart exactly); `ALREADY_TAKEN`; `INVALID_OPTION`. Nothing has changed then.
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
   * {@link pollWithoutShutdown} and {@link intoParts}. Parts without `switched` mean that HTTP
   * simply ended, and closing the io is yours. Called twice it gives the same promise.
   *
   * @throws {SwitchRefused} The proposal was refused: HTTP goes on as if nobody had asked.
   * @throws {LocalProtocolError} As {@link pollWithoutShutdown}.
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
   * Ends gracefully: at once while idle, else after the exchange in hand, whose body is not waited
   * for if it has no reader. Resolves when it is over, each call with the same promise; past the deadline, or on the signal, it becomes an abort and resolves all the same.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a signal that throws:
   *   nothing is closed then.
   */
  close(options: CloseOptions = {}): Promise<CloseReason> {
    const driver = this.#driver;
    try {
      checkOptions(options, CLOSE_OPTIONS);
      const { signal, timeoutMs = driver.limits.closeMs } = options;
      if (signal === undefined) return driver.close(timeoutMs);
      const stopListening = listen(signal, (reason) => {
        // If it has aborted already, this comes first.
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

  /** Ends now, so that the peer sees a failure. Does nothing once the parts are taken. */
  abort(reason?: unknown): void {
    this.#driver.abort(reason);
  }

  /** Resolves, and never rejects, when the connection is over: its io shut down, gone, or taken. */
  get closed(): Promise<CloseReason> {
    return this.#driver.ending.closed;
  }

  /** Why it ended, or cannot be used again; undefined while neither is known. */
  get closeReason(): CloseReason | undefined {
    return this.#driver.ending.reason;
  }

  /** Where the connection stands as a whole. */
  get phase(): Phase {
    return this.#driver.life.phase;
  }

  /** Where both roles stand, in h11's words. */
  get state(): { readonly client: State; readonly server: State } {
    return this.#driver.http.states;
  }

  get stats(): ConnectionStats {
    const { reading, requests, writing } = this.#driver;
    return { bytesRead: reading.bytesRead, bytesWritten: writing.outbox.handed, requests };
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { role } = this.#driver.http;
    const { phase, state, stats, closeReason } = this;
    const facts = { role, phase, state, stats, closeReason };
    return shown("Connection", facts, depth, options, inspect);
  }

  /** `await using`: a graceful close. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Takes the parts for `owner`. The first owner is the only one.
 *
 * @throws {LocalProtocolError} As {@link Connection.intoParts}.
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
  const { phase } = driver.life;
  if (phase !== "down" && !driver.transport.withdraw(force)) {
    throw new LocalProtocolError("READ_PENDING");
  }
  driver.ending.claim(owner);
  const unsent = driver.writing.outbox.take();
  const readBuf = driver.http.takeReadBuf();
  const readEnded = driver.http.endReceived;
  driver.release(owner);
  const parts = new TakenParts(io, readBuf, readEnded, switched);
  if (!force) return parts;
  return Object.assign(parts, { unsent: joined(unsent), late: driver.transport.late() });
}

// Behind a switch, behind the end, or idle: no exchange is in hand and all of ours is out.
function isTakeable(driver: Driver): boolean {
  const { isLive, phase } = driver.life;
  if (phase === "kept-open" || phase === "down") return true;
  return isLive && driver.side.isIdle && driver.writing.isFlushed;
}
