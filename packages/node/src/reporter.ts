// failures → [reporter] → onError: what goes wrong outside of a connection

import type net from "node:net";
import { ignoreFailure } from "@upgrade/core/io";
import type { ServerOptions } from "@upgrade/server";

/** Calls `onError`, whatever it does. */
export class Reporter {
  readonly #onError: ServerOptions<net.Socket>["onError"];

  constructor(onError: ServerOptions<net.Socket>["onError"]) {
    this.#onError = onError;
  }

  report(error: unknown, phase: string): void {
    ignoreFailure(() => this.#onError?.(error, { phase }));
  }
}
