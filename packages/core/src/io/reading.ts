// bytes → transport → [reading] → events → side: the receiving half of a driver

import { ConnectionError, UpgradeError } from "../errors.ts";
import type { Event, Wait } from "../events.ts";
import { Awaiting } from "./awaiting.ts";
import { Draining } from "./draining.ts";
import type { Driver } from "./driver.ts";
import type { BodyDisposal, BodyOwner, Incoming } from "./incoming.ts";

/** Turns bytes into events, as far ahead as the state of the connection allows. */
export class Reading implements BodyOwner {
  /** The peer's message of this cycle. */
  incoming: Incoming | undefined;
  bytesRead = 0;
  readonly #driver: Driver;
  readonly #awaiting: Awaiting;
  #wait: Wait = "need-data";
  #advancing = false;
  #draining: Draining | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#awaiting = new Awaiting(driver.http, driver.deadlines);
  }

  data(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    this.#driver.http.receiveData(bytes);
    this.#awaiting.progress(bytes.length, this.incoming?.framing);
    this.advance();
  }

  /** Reads on as far as the state allows. To be called after anything that may have moved it. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#step()) {
        // Each step is one event, or the beginning of the next cycle.
      }
    } finally {
      this.#advancing = false;
    }
    this.regulate();
  }

  #step(): boolean {
    const driver = this.#driver;
    const { http } = driver;
    if (!driver.goesOn()) return false;
    const { cycleIsOver } = http;
    if (cycleIsOver ? this.#isHeldBack() : this.#bodyIsFull()) return false;
    if (cycleIsOver && this.#mayFollowAtOnce()) {
      this.#startNextCycle();
      return true;
    }
    try {
      // Also between cycles: what came unasked behind an answer is no answer to the next request (L20).
      const next = http.nextEvent();
      if (typeof next === "object") this.#dispatch(next);
      else this.#wait = next;
      if (cycleIsOver && http.cycleIsOver) this.#startNextCycle();
      return typeof next === "object" || cycleIsOver;
    } catch (error) {
      // An error without a code is the transport's fault, such as a chunk that was detached.
      if (error instanceof UpgradeError) driver.fail(error);
      else driver.gone(error);
      return false;
    }
  }

  // L12: a client that asks and reads no answer is asked to read first; its next request waits.
  #isHeldBack(): boolean {
    const { http, writing } = this.#driver;
    if (http.role === "client" || !writing.isPressed) return false;
    this.#wait = "paused";
    return true;
  }

  // Between two requests a server is told of nothing but the client's end.
  #mayFollowAtOnce(): boolean {
    const { http } = this.#driver;
    return http.role === "server" && !http.endReceived;
  }

  #startNextCycle(): void {
    this.#driver.http.startNextCycle();
    this.incoming = undefined;
    this.#driver.side.nextCycle();
  }

  #dispatch(event: Event): void {
    const { side } = this.#driver;
    switch (event.type) {
      case "request":
      case "response":
      case "informational-response":
        side.receive(event);
        if (!this.#driver.http.persists) this.#driver.noteLastCycle();
        break;
      case "data":
        if (this.#draining === undefined) this.incoming!.push(event.bytes);
        else this.#drained(this.#draining.take(event.bytes.length));
        break;
      case "end-of-message":
        this.incoming?.end(event.trailers);
        this.#endDraining("drained");
        side.receive(event);
        break;
      case "connection-closed":
        // What follows from it is in the states already.
        break;
    }
  }

  /** Reads as far ahead as shows that the peer is gone, and not a byte of the next protocol. */
  regulate(): void {
    const { http, life, limits, side, transport } = this.#driver;
    if (life.phase !== "http") return;
    const { theirState, endReceived } = http;
    const notOurs = theirState === "might-switch-protocol" || theirState === "switched-protocol";
    const ahead = this.#wait === "paused" && http.bufferedBytes >= limits.readAheadBytes;
    const reading = !endReceived && !notOurs && !ahead && !this.#bodyIsFull();
    if (reading) transport.resume();
    else transport.pause();
    this.#awaiting.update(reading, side.isIdle, this.#driver.requests);
  }

  #bodyIsFull(): boolean {
    const { incoming } = this;
    if (incoming === undefined) return false;
    if (incoming.isGivenUp) return true;
    // Nothing more can come, and what has come may be cut: that is told now, not to a later reader.
    if (this.#driver.http.endReceived) return false;
    // At least one piece of a body that nobody waits for is read, or it would never go on.
    return incoming.queuedBytes >= Math.max(1, this.#driver.limits.readAheadBytes);
  }

  bodyWanted(): void {
    this.advance();
  }

  bodyTaken(): void {
    if (!this.#bodyIsFull()) this.advance();
  }

  discardBody(): Promise<BodyDisposal> {
    const { incoming } = this;
    const draining = this.drain();
    if (draining !== undefined) return draining.done;
    return Promise.resolve(incoming?.isComplete === true ? "drained" : "closed");
  }

  /** Reads the rest of the peer's body and throws it away, within the limits, if there is any. */
  drain(): Draining | undefined {
    if (this.#draining !== undefined) return this.#draining;
    const { incoming } = this;
    const { deadlines, life, limits } = this.#driver;
    if (incoming === undefined || incoming.isComplete || !life.isLive) return undefined;
    incoming.discard();
    const draining = new Draining(limits, deadlines);
    this.#draining = draining;
    this.advance();
    return draining;
  }

  /** The drain deadline has passed. */
  drainedTooLong(): void {
    this.#drained(new ConnectionError("DRAIN_TIMEOUT", "", { phase: "drain" }));
  }

  #drained(error: ConnectionError | undefined): void {
    if (error === undefined) return;
    this.incoming!.isGivenUp = true;
    this.#endDraining("closed");
    this.#driver.side.receive({ type: "drain-failed", error });
  }

  #endDraining(disposal: BodyDisposal): void {
    this.#draining?.end(disposal);
    this.#draining = undefined;
  }

  /** All that is left of the exchange is a body that has no reader. */
  get isUnread(): boolean {
    const { ourState } = this.#driver.http;
    const isSent = ourState === "done" || ourState === "must-close";
    return isSent && this.incoming?.isComplete === false && !this.incoming.isRead;
  }

  /** The body in hand will not be completed. */
  fail(why: () => UpgradeError): void {
    if (this.incoming?.isComplete === false) this.incoming.fail(why());
    this.#endDraining("closed");
  }
}
