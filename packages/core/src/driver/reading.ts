// bytes → transport → [reading] → events → side: the receiving half of a driver

import { ConnectionError, UpgradeError } from "../base/errors.ts";
import type { Event, Wait } from "../message/events.ts";
import { Awaiting } from "./awaiting.ts";
import { Draining } from "./draining.ts";
import type { BodyDisposal, Incoming } from "./incoming.ts";

/** Turns bytes into events, as far ahead as the state of the connection allows. */
export class Reading extends Awaiting {
  /** The peer's message of this cycle. */
  incoming: Incoming | undefined;
  bytesRead = 0;
  #wait: Wait = "need-data";
  #advancing = false;
  #draining: Draining | undefined;

  data(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    this.driver.http.receiveData(bytes);
    this.progress(bytes.length, this.incoming?.framing);
    this.advance();
  }

  /** Reads on as far as the state allows. Call it after anything that may have changed the state. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      let mayContinue = true;
      while (mayContinue && this.driver.phase === "http") mayContinue = this.#step();
    } finally {
      this.#advancing = false;
    }
    this.regulate();
  }

  // Handles one event or starts the next cycle. Returns false if nothing more can be read now.
  #step(): boolean {
    const { http } = this.driver;
    switch (http.now.stage[http.role]) {
      case "open":
        if (this.incoming !== undefined && this.#bodyIsFull(this.incoming)) return false;
        return this.#read();
      case "cycle-over":
        return this.#startNextCycle();
      case "switched":
        this.driver.switch();
        return false;
      case "ended":
        this.driver.end();
        return false;
    }
  }

  #read(): boolean {
    const driver = this.driver;
    try {
      const next = driver.http.nextEvent();
      if (typeof next === "object") this.#dispatch(next);
      else this.#wait = next;
      return typeof next === "object";
    } catch (error) {
      // Any other error is the transport's fault, such as a detached chunk.
      if (error instanceof UpgradeError) driver.fail(error);
      else driver.gone(error);
      return false;
    }
  }

  #startNextCycle(): boolean {
    const { http, side, writing } = this.driver;
    // L12: the next request waits while the client does not read its responses.
    if (http.role === "server" && writing.isBackedUp) {
      this.#wait = "paused";
      return false;
    }
    // Between two messages only the client's end concerns a server; for a client, unsolicited bytes
    // after a response do not answer the next request (L20). Either may end the connection.
    if (http.role === "client" || this.driver.peerEnded) {
      this.#read();
      if (this.driver.phase !== "http" || !http.cycleIsOver) return true;
    }
    http.startNextCycle();
    this.incoming = undefined;
    side.nextCycle();
    return true;
  }

  #dispatch(event: Event): void {
    const { http, side, tracing } = this.driver;
    tracing?.received(event);
    switch (event.type) {
      case "request":
      case "response":
      case "interim-response":
        side.receive(event);
        if (!http.persists) this.driver.noteLastCycle();
        break;
      case "data":
        if (this.#draining === undefined) this.incoming!.push(event.bytes);
        else this.#failDrain(this.#draining.take(event.bytes.length));
        break;
      case "end-of-message":
        this.incoming?.end(event.trailers);
        this.#endDraining("drained");
        side.receive(event);
        break;
      case "connection-closed":
        // The states already reflect it.
        break;
    }
  }

  /** Reads far enough ahead to notice that the peer is gone, but no byte of the next protocol. */
  regulate(): void {
    const { http, limits, peerEnded, phase, requests, side, transport } = this.driver;
    if (phase !== "http") return;
    const { theirState } = http;
    const notOurs = theirState === "might-switch-protocol" || theirState === "switched-protocol";
    const ahead = this.#wait === "paused" && http.bufferedBytes >= limits.readAheadBytes;
    const full = this.incoming !== undefined && this.#bodyIsFull(this.incoming);
    const reading = !peerEnded && !notOurs && !ahead && !full;
    if (reading) transport.resume();
    else transport.pause();
    this.update(reading, theirState, side.isIdle, requests);
  }

  // Called for a message of which some is still to come.
  #bodyIsFull(incoming: Incoming): boolean {
    if (incoming.isAbandoned) return true;
    // Nothing more can arrive, and the body may be truncated: report that now, not to a later reader.
    if (this.driver.peerEnded) return false;
    // Read at least one chunk of a body without a reader, or it would never make progress.
    return incoming.queuedBytes >= Math.max(1, this.driver.limits.readAheadBytes);
  }

  /** A reader waits for bytes of the body that have not arrived. */
  bodyWanted(): void {
    this.driver.side.receive({ type: "body-wanted" });
    this.advance();
  }

  /** Bytes of the body were taken from the queue. */
  bodyTaken(): void {
    if (this.incoming === undefined || !this.#bodyIsFull(this.incoming)) this.advance();
  }

  /** The rest of the body is not wanted. Resolves with how it ended. */
  discardBody(): Promise<BodyDisposal> {
    const { incoming } = this;
    const draining = this.drain();
    if (draining !== undefined) return draining.done;
    const { isComplete = false, length } = incoming ?? {};
    return Promise.resolve(isComplete || length === 0 ? "drained" : "closed");
  }

  /** Reads and discards the rest of the peer's body, if any, within the limits. */
  drain(): Draining | undefined {
    if (this.#draining !== undefined) return this.#draining;
    const { incoming } = this;
    const { deadlines, isLive, limits } = this.driver;
    if (incoming === undefined || incoming.isComplete || !isLive) return undefined;
    // The end of a message without a body follows its head at once.
    if (incoming.framing.kind === "none") return undefined;
    incoming.discard();
    const draining = new Draining(limits, deadlines);
    this.#draining = draining;
    this.advance();
    return draining;
  }

  /** The drain deadline has passed. */
  drainTimedOut(): void {
    this.#failDrain(new ConnectionError("DRAIN_TIMEOUT", "", { phase: "drain" }));
  }

  #failDrain(error: ConnectionError | undefined): void {
    if (error === undefined) return;
    this.incoming!.isAbandoned = true;
    this.#endDraining("closed");
    this.driver.side.receive({ type: "drain-failed", error });
  }

  #endDraining(disposal: BodyDisposal): void {
    this.#draining?.end(disposal);
    this.#draining = undefined;
  }

  /** All that remains of the exchange is a body without a reader. */
  get isUnread(): boolean {
    const { ourState } = this.driver.http;
    const isSent = ourState === "done" || ourState === "must-close";
    return isSent && this.incoming?.isComplete === false && !this.incoming.isRead;
  }

  /** The current body will not be completed. */
  fail(why: () => UpgradeError): void {
    if (this.incoming?.isComplete === false) this.incoming.fail(why());
    this.#endDraining("closed");
  }
}
