// serve → [server] → application: a server that listens, and how it closes

import type net from "node:net";
import { ConnectionError } from "@upgrade/core";
import { Deferred, handled, INSPECT, type Inspect, shown } from "@upgrade/core/io";
import type { ListenOptions } from "./listen-options.ts";
import type { CloseServerOptions, LiveConnections } from "./live-connections.ts";

/** A server that listens. */
export class Server {
  /** Where it listens: a path, or an address with its port. */
  readonly address: net.AddressInfo | string;
  /**
   * The address for clients on this machine, as `open` takes it: `http://127.0.0.1:8080/`,
   * `https://…`, or `unix:/run/a.sock`. A server on all addresses has `localhost` here.
   */
  readonly url: string;
  readonly #listener: net.Server;
  readonly #live: LiveConnections;
  readonly #closed = new Deferred<void>();
  #isClosing = false;

  /** @internal Created by `serve`. */
  constructor(listener: net.Server, live: LiveConnections, options: ListenOptions) {
    this.#listener = listener;
    this.#live = live;
    this.address = listener.address()!;
    this.url = urlOf(this.address, options);
  }

  /** The number of open connections, switched ones included, until their sockets close. */
  get connections(): number {
    return this.#live.size;
  }

  /** Resolves when the server has closed and no connection is left. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Stops listening, and closes every connection gracefully: at once if idle, otherwise after the
   * current exchange. Resolves when no connection is left, at the latest after `timeoutMs`. A later
   * call replaces the options of an earlier one.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a clock that throws;
   *   nothing is closed.
   */
  close(options: CloseServerOptions = {}): Promise<void> {
    try {
      const aborted = (): ConnectionError =>
        new ConnectionError("CLOSE_TIMEOUT", "the server has closed");
      const empty = this.#live.close(options, aborted);
      if (!this.#isClosing) {
        this.#isClosing = true;
        this.#listener.close(() => void empty.then(() => this.#closed.resolve()));
      }
      return this.closed;
    } catch (error) {
      return handled(Promise.reject(error));
    }
  }

  /** Closes gracefully, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { url, connections } = this;
    return shown("Server", { url, connections }, depth, options, inspect);
  }
}

const ALL_ADDRESSES = new Set(["0.0.0.0", "::"]);

function urlOf(address: net.AddressInfo | string, { tls }: ListenOptions): string {
  if (typeof address === "string") return `unix:${address}`;
  const { address: host, family, port } = address;
  const bracketed = family === "IPv6" ? `[${host}]` : host;
  const name = ALL_ADDRESSES.has(host) ? "localhost" : bracketed;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}/`;
}
