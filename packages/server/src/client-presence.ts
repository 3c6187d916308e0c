// driver → exchange → [client presence] → service: whether the client can still read the response

interface Aborter {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

interface Platform {
  readonly AbortController: new () => Aborter;
}

/** What a service can learn about its client while it runs. */
export class ClientPresence {
  #aborter: Aborter | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  /** The client has ended its side. It may still read the response. */
  ended = false;

  /** Created on first use: most services never read it. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      const { AbortController } = globalThis as unknown as Platform;
      this.#aborter = new AbortController();
      if (this.#aborted !== undefined) this.#aborter.abort(this.#aborted.reason);
    }
    return this.#aborter.signal;
  }

  /** The response will not be read. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#aborter?.abort(reason);
  }
}
