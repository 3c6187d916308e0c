// events → [draining]: reads and discards the rest of an unwanted body, within limits

import { ConnectionError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { Deferred } from "../transports/deferred.ts";
import type { Deadlines } from "./deadlines.ts";
import type { BodyDisposal } from "./incoming.ts";

/** A body being drained. */
export class Draining {
  // Created on demand: the outcome is rarely awaited.
  #done: Deferred<BodyDisposal> | undefined;
  #disposal: BodyDisposal | undefined;
  readonly #deadlines: Deadlines;
  #left: number;

  constructor(limits: Limits, deadlines: Deadlines) {
    this.#left = limits.maxDrainBytes;
    this.#deadlines = deadlines;
    deadlines.start("drain", limits.drainMs);
  }

  get done(): Promise<BodyDisposal> {
    this.#done ??= new Deferred();
    if (this.#disposal !== undefined) this.#done.resolve(this.#disposal);
    return this.#done.promise;
  }

  /** Counts `length` more bytes. Returns an error when there are too many. */
  take(length: number): ConnectionError | undefined {
    this.#left -= length;
    return this.#left >= 0
      ? undefined
      : new ConnectionError("DRAIN_TOO_LARGE", "", { phase: "drain" });
  }

  end(disposal: BodyDisposal): void {
    this.#deadlines.stop("drain");
    this.#disposal = disposal;
    this.#done?.resolve(disposal);
  }
}
