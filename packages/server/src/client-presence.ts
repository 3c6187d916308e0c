// driver → exchange → [client presence] → service: whether anyone will read the answer

interface Aborter {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

interface Platform {
  readonly AbortController: new () => Aborter;
}

/** What a service can learn of its client while it works. */
export class ClientPresence {
  #aborter: Aborter | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  /** The client has ended its side. It may still read the answer. */
  ended = false;

  /** Made when it is first asked for: most services never look. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      const { AbortController } = globalThis as unknown as Platform;
      this.#aborter = new AbortController();
      if (this.#aborted !== undefined) this.#aborter.abort(this.#aborted.reason);
    }
    return this.#aborter.signal;
  }

  /** The answer will not be read. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#aborter?.abort(reason);
  }
}
