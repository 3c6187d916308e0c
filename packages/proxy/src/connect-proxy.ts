// client ↔ [CONNECT proxy] ↔ destination: who may go where, and the tunnel

import { ConnectionError, LocalProtocolError } from "@upgrade/core";
import {
  type Clock,
  canonicalAddress,
  type Io,
  ignoreFailure,
  type SignalLike,
  systemClock,
  tunnel,
} from "@upgrade/core/io";
import type { ServerRequest, ServerResponse, ServiceResult } from "@upgrade/server";
import { account } from "./accounts.ts";
import { Attempt, orAborted } from "./attempt.ts";
import {
  type ConnectProxyOptions,
  checkConnectProxy,
  type Destination,
  type User,
} from "./connect-options.ts";
import { failureResponse, ownResponse } from "./failure.ts";

/** A service that opens tunnels. */
export type ConnectProxy = <IO>(request: ServerRequest<IO>) => Promise<ServiceResult>;

/**
 * A service for CONNECT: asks who the client is, finds where its destination leads, asks whether it
 * may go there, connects, and only then answers with a 200. See docs/guides/proxies.md.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 */
export function connectProxy(options: ConnectProxyOptions): ConnectProxy {
  const gate = new Gate(options);
  return (request) => gate.answer(request);
}

type Request = ServerRequest<unknown>;

/** A connection that may be tunneled to. */
interface Reached {
  readonly io: Io;
  readonly destination: Destination;
  readonly user: User;
}

class Gate {
  readonly #options: ConnectProxyOptions;
  readonly #name: string;
  readonly #clock: Clock;

  constructor(options: ConnectProxyOptions) {
    checkConnectProxy(options);
    this.#options = options;
    this.#name = options.name ?? "proxy";
    this.#clock = options.clock ?? systemClock;
  }

  async answer(request: Request): Promise<ServiceResult> {
    if (request.proposal?.kind !== "connect") {
      const { otherwise } = this.#options;
      return otherwise === undefined
        ? { status: 405, headers: { Allow: "CONNECT" } }
        : otherwise(request);
    }
    const attempt = new Attempt(request.signal, this.#clock);
    try {
      const reached = await this.#reach(request, attempt);
      if ("status" in reached) return reached;
      await this.#join(request, reached);
      return undefined;
    } catch (error) {
      const { aborted } = request.signal as unknown as SignalLike;
      if (!aborted) ignoreFailure(() => this.#options.onError?.(error, request));
      return failureResponse(error, this.#name);
    } finally {
      attempt.stop();
    }
  }

  async #reach(request: Request, attempt: Attempt): Promise<Reached | ServerResponse> {
    const { authenticate, allow, challenge = 'Basic realm="proxy"' } = this.#options;
    const user = await authenticate?.(request.headers.get("proxy-authorization"), request);
    if (authenticate !== undefined && user === undefined) {
      return { status: 407, headers: { "Proxy-Authenticate": challenge } };
    }
    const { host = "", port = 0 } = request.proposal!;
    const address = canonicalAddress(host);
    if (address === undefined && !isName(host)) return this.#refusal(400, "http_request_error");
    this.#limit(attempt);
    const addresses = address === undefined ? await this.#resolve(host, attempt) : [address];
    const destination = { host, port, addresses };
    const decision = await allow(destination, user, request);
    if (decision === false) return this.#refusal(403, "http_request_denied");
    // Only true is a yes: a promise of a promise, or any other value, is not.
    if (decision !== true) return decision;
    return { io: await this.#dial(destination, attempt), destination, user };
  }

  #refusal(...[status, type]: [400, "http_request_error"] | [403, "http_request_denied"]) {
    return ownResponse(status, type, this.#name);
  }

  #limit(attempt: Attempt): void {
    const { connectMs = 10_000 } = this.#options;
    attempt.limit(connectMs, "OPEN_TIMEOUT", "connectMs");
  }

  async #resolve(host: string, attempt: Attempt): Promise<readonly string[] | undefined> {
    const { resolve } = this.#options;
    if (resolve === undefined) return undefined;
    const { signal } = attempt;
    const found = await attempt.awaited("resolve", () => resolve(host, { signal }));
    if (found.length === 0) {
      const cause = Object.assign(new Error("it has no address"), { code: "ENOTFOUND" });
      throw new ConnectionError("TRANSPORT_FAILED", host, { cause, sent: "nothing" });
    }
    return found.map((one) => {
      const address = canonicalAddress(one);
      if (address !== undefined) return address;
      throw new LocalProtocolError("INVALID_OPTION", "resolve must return IP addresses");
    });
  }

  // What is dialed is what was allowed: an address, unless no one knows it.
  async #dial({ host, port, addresses = [host] }: Destination, attempt: Attempt): Promise<Io> {
    const { dial } = this.#options;
    const { signal } = attempt;
    let failure: unknown;
    for (const one of addresses) {
      try {
        return await attempt.dialed(() => dial({ host: one, port }, { signal }));
      } catch (error) {
        failure = error;
        if (signal.aborted) break;
      }
    }
    throw failure;
  }

  async #join(request: Request, { io, destination, user }: Reached): Promise<void> {
    const { tunnelIdleMs: idleMs, signal, tap: tapOf, onTunnel } = this.#options;
    const tap = orAborted(io, () => tapOf?.(destination, request));
    const options = { clock: this.#clock, idleMs, signal, tap };
    const end = await tunnel(request.switchTo(), io, options);
    const { target } = request;
    account(onTunnel, { request, where: target, protocol: target, user }, end);
  }
}

// What a resolver takes for a name and nothing else: with a number at its end it may be an address in
// a spelling that no one else reads the same way.
function isName(host: string): boolean {
  return (
    /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host) && !/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(host)
  );
}
