// client ↔ [reverse proxy] ↔ upstream: one request, one response, or one switch

import {
  type InterimResponse,
  prepareHandshake,
  type SwitchAccepted,
  upgrade,
} from "@upgrade/client";
import { LocalProtocolError, RemoteProtocolError, UpgradeError } from "@upgrade/core";
import {
  abortIo,
  type Clock,
  type Io,
  ignoreFailure,
  type SignalLike,
  systemClock,
  type TunnelOptions,
  tunnel,
} from "@upgrade/core/io";
import type { ServerRequest, ServerResponse } from "@upgrade/server";
import { account } from "./accounts.ts";
import { Attempt, orAborted } from "./attempt.ts";
import { failureResponse } from "./failure.ts";
import {
  endsHere,
  interimHeaders,
  requestToForward,
  responseToForward,
  switchHeaders,
} from "./forwarding.ts";
import { checkReverseProxy, type ReverseProxyOptions } from "./options.ts";
import type { Signal } from "./platform-types.ts";
import { closeWhenIdle, Pool, type Upstream } from "./pool.ts";

/** A service that passes requests on to upstreams. */
export interface ReverseProxy {
  <IO>(request: ServerRequest<IO>): Promise<ServerResponse | undefined>;
  /** Closes the idle connections, and keeps none from now on. */
  close(): Promise<void>;
}

/**
 * A service that passes each request on to an upstream: any method and body, and proposals to switch
 * to the `protocols` that are named. See docs/guides/connect-proxy.md.
 *
 * An upstream that fails is a 502 for the client, one that is late a 504, with `Proxy-Status`.
 * CONNECT and TRACE are not for a reverse proxy: 501.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 */
export function reverseProxy(options: ReverseProxyOptions): ReverseProxy {
  const relay = new Relay(options);
  return Object.assign(<IO>(request: ServerRequest<IO>) => relay.answer(request), {
    close: () => relay.close(),
  });
}

type Request = ServerRequest<unknown>;

// RFC 9110 §9.2.2: a proxy must not repeat any other.
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

class Relay {
  readonly #options: ReverseProxyOptions;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #begin: ReturnType<typeof prepareHandshake>;
  readonly #pool: Pool;
  readonly #tunnel: TunnelOptions;

  constructor(options: ReverseProxyOptions) {
    checkReverseProxy(options);
    this.#options = options;
    const { name, via, clock = systemClock, maxIdle = 16, tunnelIdleMs } = options;
    this.#name = name ?? via ?? "proxy";
    this.#clock = clock;
    this.#begin = prepareHandshake({ clock, idleMs: 4_000, ...options.upstream });
    this.#pool = new Pool(maxIdle);
    this.#tunnel = { clock, idleMs: tunnelIdleMs };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async answer(request: Request): Promise<ServerResponse | undefined> {
    const { method, signal } = request;
    if (method === "CONNECT" || method === "TRACE") return { status: 501 };
    // RFC 9110 §7.6.2
    if (endsHere(request)) return { status: 204 };
    const attempt = new Attempt(signal, this.#clock);
    try {
      const { origin = "" } = this.#options;
      const chosen = typeof origin === "string" ? origin : await origin(request);
      if (typeof chosen !== "string") return chosen;
      return this.#proposes(request)
        ? await this.#propose(chosen, request, attempt)
        : await this.#exchange(chosen, request, attempt);
    } catch (error) {
      return this.#failed(error, request);
    } finally {
      attempt.stop();
    }
  }

  #proposes({ proposal }: Request): boolean {
    const { protocols = [] } = this.#options;
    return protocols.some((protocol) => proposal?.offers(protocol) === true);
  }

  #failed(error: unknown, request: Request): ServerResponse {
    // The client's own body was at fault: its server knows the answer.
    if (error instanceof LocalProtocolError && error.code === "BODY_FAILED") throw error.cause;
    if (!(request.signal as Signal & SignalLike).aborted)
      ignoreFailure(() => this.#options.onError?.(error, request));
    return failureResponse(error, this.#name);
  }

  async #exchange(origin: string, request: Request, attempt: Attempt): Promise<ServerResponse> {
    for (;;) {
      const idle = this.#pool.take(origin);
      const upstream = idle ?? (await this.#begin(await this.#dial(origin, attempt)));
      try {
        return await this.#ask(upstream, origin, request, attempt);
      } catch (error) {
        upstream.connection.abort(error);
        if (idle === undefined || !mayRepeat(error, request)) throw error;
      }
    }
  }

  #dial(origin: string, attempt: Attempt): Promise<Io> {
    const { dial, connectMs = 10_000 } = this.#options;
    attempt.limit(connectMs, "OPEN_TIMEOUT", "connectMs");
    return attempt.dialed(() => dial(origin, { signal: attempt.signal }));
  }

  async #ask(
    upstream: Upstream,
    origin: string,
    request: Request,
    attempt: Attempt,
  ): Promise<ServerResponse> {
    this.#awaitAnswer(request, attempt);
    const response = await upstream.sender.sendRequest(this.#forward(request, origin), {
      signal: attempt.signal,
      onInterim: (interim) => passOn(interim, request),
    });
    const forwarded = responseToForward(response, this.#options);
    void this.#pool.keep(origin, upstream);
    return forwarded;
  }

  #forward(request: Request, origin: string) {
    return requestToForward(request, this.#options, authorityOf(origin));
  }

  // An upstream that waits for the rest of a request is not late.
  #awaitAnswer(request: Request, attempt: Attempt): void {
    const { answerMs = 60_000 } = this.#options;
    attempt.limit(0, "ANSWER_TIMEOUT", "");
    const complete = (): void => attempt.limit(answerMs, "ANSWER_TIMEOUT", "answerMs");
    request.trailers.then(complete, () => {});
  }

  async #propose(
    origin: string,
    request: Request,
    attempt: Attempt,
  ): Promise<ServerResponse | undefined> {
    // First what may throw: an io that was dialed must have an owner.
    const proposal = this.#forward(request, origin);
    const io = await this.#dial(origin, attempt);
    this.#awaitAnswer(request, attempt);
    const result = await upgrade(io, proposal, {
      clock: this.#clock,
      ...this.#options.upstream,
      signal: attempt.signal,
      onInterim: (interim) => passOn(interim, request),
    });
    if (result.switched) {
      await this.#join(origin, request, result);
      return undefined;
    }
    try {
      const forwarded = responseToForward(result.response, this.#options);
      void closeWhenIdle(result);
      return forwarded;
    } catch (error) {
      result.connection.abort(error);
      throw error;
    }
  }

  async #join(origin: string, request: Request, accepted: SwitchAccepted<Io>): Promise<void> {
    const { protocol, parts, response } = accepted;
    // RFC 9110 §7.8 allows several at once, one on top of the other. Each was offered, not the stack.
    if (request.proposal?.offers(protocol) !== true) {
      abortIo(parts.io, undefined);
      throw new RemoteProtocolError("BAD_SWITCH", `it switches to ${protocol}`);
    }
    const tap = orAborted(parts.io, () => this.#options.tap?.(request, protocol));
    const headers = switchHeaders(response, this.#options);
    const client = request.switchTo(protocol, { reason: response.reason, headers });
    const end = await tunnel(client, parts, { ...this.#tunnel, tap });
    account(this.#options.onTunnel, { request, where: origin, protocol }, end);
  }
}

function passOn(interim: InterimResponse, request: Request): void {
  request.sendInterim(interim.status, interimHeaders(interim));
}

// Never one of which the upstream may have seen anything.
function mayRepeat(error: unknown, { method }: Request): boolean {
  return error instanceof UpgradeError && error.retrySafe && IDEMPOTENT.has(method);
}

// For a client without Host: what the origin's URL names.
function authorityOf(origin: string): string {
  return /^(?:https?|wss?):\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(origin)?.[1] ?? "";
}
