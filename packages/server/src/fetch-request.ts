// request → [fetch request] → handler: a WHATWG Request of what was received

import type { RequestBody } from "./fetch-body.ts";
import type { FetchRequest } from "./platform-types.ts";
import type { ServerRequest } from "./request.ts";

interface RequestInit {
  readonly method: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly signal: AbortSignal;
  readonly body?: unknown;
  readonly duplex?: "half";
}

interface Platform {
  readonly Request: new (url: string, init: RequestInit) => FetchRequest;
  readonly URL: new (text: string) => { readonly href: string };
}

/** The Request; undefined if the target and the Host make no URL. */
export function requestOf(
  request: ServerRequest<unknown>,
  body: RequestBody,
  scheme: string,
  origin: string | undefined,
): FetchRequest | undefined {
  const { Request, URL } = globalThis as unknown as Platform;
  let url: string;
  try {
    url = new URL(urlOf(request, scheme, origin)).href;
  } catch {
    return undefined;
  }
  const { method, signal } = request;
  const { stream } = body;
  const init: RequestInit = { method, headers: linesOf(request), signal };
  return new Request(url, stream === null ? init : { ...init, body: stream, duplex: "half" });
}

/** The target URI (RFC 9112 §3.3). */
function urlOf(
  { target, headers }: ServerRequest<unknown>,
  scheme: string,
  origin: string | undefined,
): string {
  const [, base, path] = /^(?:([^/?*]+:\/\/[^/?]*))?(.*)$/s.exec(target)!;
  // A request of HTTP/1.0 may have no Host, and that of HTTP/1.1 an empty one.
  const own = base ?? `${scheme}://${headers.get("host") || "localhost"}`;
  // The asterisk stands for the server as a whole: its URI has no path.
  return (origin ?? own) + (path === "*" ? "" : path);
}

// Fetch joins lines with a comma, which would change cookies (RFC 9113 §8.2.3).
function linesOf({ headers }: ServerRequest<unknown>): Iterable<readonly [string, string]> {
  const cookies = headers.getAll("cookie");
  if (cookies.length < 2) return headers;
  const others = [...headers].filter(([name]) => name.toLowerCase() !== "cookie");
  return [...others, ["Cookie", cookies.join("; ")]];
}
