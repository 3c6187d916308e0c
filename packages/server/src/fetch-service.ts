// service ← [fetch service] ← handler of hono, h3, srvx: Request → Response, as a service

import { LocalProtocolError } from "@upgrade/core";
import { checkOptions, inWords, isThenable, type Kinds } from "@upgrade/core/io";
import { RequestBody } from "./fetch-body.ts";
import { requestOf } from "./fetch-request.ts";
import { responseOf } from "./fetch-response.ts";
import type { FetchRequest, FetchResponse } from "./platform-types.ts";
import type { ServerRequest } from "./request.ts";
import type { ServerResponse, Service } from "./service.ts";

/** Answers a WHATWG `Request` with a `Response`: what hono, h3 and srvx call `fetch`. */
export type FetchHandler = (request: FetchRequest) => FetchResponse | Promise<FetchResponse>;

/** Options of {@link fetchService}: how the `url` of a request is made. */
export interface FetchServiceOptions {
  /** The scheme of a URL whose host is that of the request. Default `"http"`. */
  readonly scheme?: "http" | "https" | undefined;
  /**
   * Scheme, host and port of every URL, such as `"https://example.com"`, whatever the request says.
   * Default: the scheme, with the `Host` of the request, or else `localhost`; from a target that is
   * a whole URL, its own.
   */
  readonly origin?: string | undefined;
}

const FETCH_OPTIONS: Kinds<FetchServiceOptions> = {
  scheme: {
    says: '"http" or "https"',
    fits: (value) => value === "http" || value === "https",
  },
  origin: {
    says: 'scheme, host and port alone, like "https://example.com"',
    fits: isOrigin,
  },
};
// A WHATWG Request cannot have these methods. Nor TRACK, which is unknown to the parser.
const IMPOSSIBLE = new Set(["CONNECT", "TRACE"]);

/**
 * A service that calls a fetch handler: one of hono, h3 or srvx, or any function from a WHATWG
 * `Request` to a `Response`. It needs a platform that has both.
 *
 * The request's body is read only when the handler reads it, and not after the response has been
 * sent. The response's body is sent to its end, or canceled. CONNECT and TRACE, which no
 * `Request` can have, are answered with 501; a target or Host that makes no URL, with 400. If the
 * handler throws, or returns no `Response`, the client gets a 500 and `onError` the error, which is
 * `NO_RESPONSE`, or `INVALID_STATUS` for a `Response.error()` and for a 101. To switch protocols, make
 * the service the second argument of {@link switching}. See docs/guides/server.md.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`, also for a handler that is not a function.
 *
 * @example
 * ```ts
 * const service = fetchService(async (request) => new Response(`you asked for ${request.url}\n`));
 * net.createServer((socket) => void handshake(socket, service)).listen(8080, "127.0.0.1");
 * ```
 */
export function fetchService<IO = unknown>(
  handler: FetchHandler,
  options: FetchServiceOptions = {},
): Service<IO> {
  checkHandler(handler);
  checkOptions(options, FETCH_OPTIONS);
  const { scheme = "http", origin } = options;
  if (origin !== undefined && options.scheme !== undefined) {
    throw new LocalProtocolError("INVALID_OPTION", "origin has a scheme: omit the option scheme");
  }
  return (request) => {
    // RFC 9110 §15.6.2.
    if (IMPOSSIBLE.has(request.method)) return { status: 501 };
    const body = new RequestBody(request);
    const made = requestOf(request, body, scheme, origin);
    if (made === undefined) return badUrl(request);
    try {
      const result: unknown = handler(made);
      return isThenable(result) ? answer(result, body) : responseOf(result, body);
    } catch (error) {
      body.close();
      throw error;
    }
  };
}

interface Platform {
  readonly URL: new (text: string) => unknown;
}

function isOrigin(value: unknown): boolean {
  if (typeof value !== "string" || !/^https?:\/\/[^\s/?#@\\]+$/i.test(value)) return false;
  try {
    return new (globalThis as unknown as Platform).URL(value) !== undefined;
  } catch {
    return false;
  }
}

function checkHandler(handler: unknown): void {
  if (typeof handler === "function") return;
  const isApp = typeof (handler as { fetch?: unknown } | null | undefined)?.fetch === "function";
  const hint = isApp ? ": pass its fetch, as (request) => app.fetch(request)" : "";
  const came = inWords(handler);
  throw new LocalProtocolError("INVALID_OPTION", `handler is ${came}, not a function${hint}`);
}

async function answer(result: PromiseLike<unknown>, body: RequestBody): Promise<ServerResponse> {
  try {
    return responseOf(await result, body);
  } catch (error) {
    body.close();
    throw error;
  }
}

function badUrl({ target }: ServerRequest<unknown>): ServerResponse {
  return {
    status: 400,
    headers: { "Content-Type": "text/plain" },
    body: `The target and the Host of the request make no URL: ${target}\n`,
  };
}
