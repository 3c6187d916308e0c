// client ↔ [forwarding] ↔ upstream: what of a message is passed on, and what is added

import type { ClientRequest, ClientResponse, InterimResponse } from "@upgrade/client";
import { endToEnd, endToEndTrailers, Headers, RemoteProtocolError } from "@upgrade/core";
import { listMembers } from "@upgrade/core/io";
import type { ServerRequest, ServerResponse } from "@upgrade/server";
import {
  clientOfSocket,
  FORWARDED_NAMES,
  type ForwardedFields,
  forwardedLines,
  type RequestClient,
} from "./forwarded.ts";

/** What a proxy adds to the messages that it forwards, and what it lets through. */
export interface ForwardingOptions {
  /**
   * The protocols that are relayed, as in `["websocket"]`: a proposal, a 101 and a 426 keep these
   * alone. Default: none. With `h2c` in it, clients reach the upstream past every rule of the proxy.
   */
  readonly protocols?: readonly string[] | undefined;
  /** The name of this proxy in `Via`, in both directions. Default: `Via` is not added. */
  readonly via?: string | undefined;
  /**
   * Tells the upstream of the client: `"forwarded"` in the field of RFC 7239, `"x-forwarded"` in
   * `X-Forwarded-For`, `-Host` and `-Proto`. What the client itself sent in any of these is removed,
   * since anyone can write it. Default: nothing is added, and nothing is removed.
   */
  readonly forwarded?: ForwardedFields | undefined;
  /** Keep what the client sent in those fields: all clients are proxies of yours. Default false. */
  readonly trustForwarded?: boolean | undefined;
  /** Who sent a request. Default: what its socket says. */
  readonly clientOf?: ((request: ServerRequest<unknown>) => RequestClient) | undefined;
  /** The `Host` for the upstream. Default: the client's. */
  readonly host?: string | undefined;
}

/** A request as it is sent to the upstream. */
export function requestToForward(
  request: ServerRequest<unknown>,
  options: ForwardingOptions,
  authority: string,
): ClientRequest {
  const { method, body } = request;
  const { target, named } = originForm(method, request.target);
  const host = options.host ?? named ?? request.headers.get("host") ?? authority;
  const headers = requestHeaders(request, options, host);
  return { method, target, headers, body, trailers: trailersOf(request) };
}

function requestHeaders(
  request: ServerRequest<unknown>,
  { protocols = [], via, forwarded, trustForwarded, clientOf }: ForwardingOptions,
  host: string,
): Headers {
  const { version, headers } = request;
  const kept: (readonly [string, string])[] = [];
  // An Upgrade in HTTP/1.0 proposes nothing.
  for (const [name, value] of endToEnd(headers, request.proposal !== undefined && protocols)) {
    const lower = name.toLowerCase();
    if (lower === "host") kept.push([name, host]);
    else if (lower === "max-forwards") kept.push([name, fewerForwards(request.method, value)]);
    else if (isDropped(lower)) continue;
    else kept.push([name, value]);
  }
  if (!headers.has("host")) kept.unshift(["Host", host]);
  // RFC 9110 §10.1.4: TE concerns one connection. This proxy forwards trailers, so it asks for them.
  if (version === "1.1" && asksForTrailers(headers)) {
    kept.push(["Connection", "TE"], ["TE", "trailers"]);
  }
  if (forwarded !== undefined) {
    const asked = headers.get("host") ?? "";
    const client = (clientOf ?? clientOfSocket)(request);
    kept.push(...forwardedLines(forwarded, client, asked, trustForwarded ? headers : undefined));
  }
  if (via !== undefined) kept.push(["Via", `${version} ${via}`]);
  return Headers.from(kept);

  function isDropped(name: string): boolean {
    // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored.
    if (name === "expect") return version === "1.0";
    return forwarded !== undefined && FORWARDED_NAMES.has(name);
  }
}

function asksForTrailers(headers: Headers): boolean {
  return listMembers(headers.get("te") ?? "").some((one) => /^trailers(?:[\t ]*;|$)/i.test(one));
}

// RFC 9110 §7.6.2. It counts for OPTIONS only: TRACE is not forwarded.
function fewerForwards(method: string, value: string): string {
  return method === "OPTIONS" && /^[1-9][0-9]{0,8}$/.test(value) ? `${Number(value) - 1}` : value;
}

/** Whether this proxy is the last recipient of a request (RFC 9110 §7.6.2). */
export function endsHere({ method, headers }: ServerRequest<unknown>): boolean {
  return method === "OPTIONS" && /^0+$/.test(headers.get("max-forwards") ?? "");
}

// RFC 9112 §3.2.2: in absolute form the target names the host, whatever Host says. An upstream gets
// the origin form, so that there is one name only.
function originForm(method: string, target: string): { target: string; named?: string } {
  const [, named, path = ""] = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)(.*)$/i.exec(target) ?? [];
  if (named === undefined) return { target };
  // RFC 9112 §3.2.4: OPTIONS without a path is about the server as a whole.
  if (path === "") return { target: method === "OPTIONS" ? "*" : "/", named };
  return { target: path.startsWith("/") ? path : `/${path}`, named };
}

/** A final response as it is sent to the client. */
export function responseToForward(
  response: ClientResponse,
  { protocols = [], via }: ForwardingOptions,
): ServerResponse {
  const { status, reason, body, version } = response;
  const headers = responseHeaders(response, protocols, via && `${version} ${via}`);
  if (status === 426 && !headers.has("upgrade")) {
    throw new RemoteProtocolError("BAD_SWITCH", "its 426 requires a protocol that is not relayed");
  }
  return { status, reason, headers, body, trailers: trailersOf(response) };
}

/** The headers of a 101 for the client. */
export function switchHeaders(
  response: ClientResponse,
  { protocols = [], via }: ForwardingOptions,
): Headers {
  return responseHeaders(response, protocols, via && `${response.version} ${via}`);
}

/** The headers of an interim response for the client. */
export function interimHeaders(response: InterimResponse): Headers {
  return responseHeaders(response, [], undefined);
}

function responseHeaders(
  { status, headers }: InterimResponse,
  protocols: readonly string[],
  via: string | undefined,
): Headers {
  const kept = [...endToEnd(headers, protocols)];
  // RFC 9112 §6.3: some servers send a length where there is no body to count.
  const isBodiless = status < 200 || status === 204;
  const lines = isBodiless ? kept.filter(([name]) => !/^content-length$/i.test(name)) : kept;
  if (via !== undefined) lines.push(["Via", via]);
  return Headers.from(lines);
}

// Only chunks have trailers.
function trailersOf({ framing, trailers }: ServerRequest<unknown> | ClientResponse) {
  return framing.kind === "chunked" ? trailers.then(endToEndTrailers) : undefined;
}
