// client → [forwarded] → upstream: who sent the request (RFC 7239)

import { canonicalAddress } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";

/** What is known of the client of a request. */
export interface RequestClient {
  /** Its IP address; undefined if it has none, such as over a Unix socket. */
  readonly address?: string | undefined;
  /** How it reached this proxy. */
  readonly proto: "http" | "https";
}

/** `remoteAddress` and `encrypted` of the client's socket, if it has them. */
export function clientOfSocket({ connection }: ServerRequest<unknown>): RequestClient {
  const io = Object(connection.io) as { remoteAddress?: unknown; encrypted?: unknown };
  const { remoteAddress, encrypted } = io;
  return {
    address: typeof remoteAddress === "string" ? canonicalAddress(remoteAddress) : undefined,
    proto: encrypted === true ? "https" : "http",
  };
}

/** Which fields name the client. */
export type ForwardedFields = "forwarded" | "x-forwarded";

/** The fields of both kinds, in lower case. */
export const FORWARDED_NAMES: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/**
 * The lines that name the client.
 *
 * @param trusted The headers of a client whose own lines are continued.
 */
export function forwardedLines(
  fields: ForwardedFields,
  { address, proto }: RequestClient,
  host: string,
  trusted: ServerRequest<unknown>["headers"] | undefined,
): [name: string, value: string][] {
  const after = (name: string, value: string): [string, string] => {
    const before = trusted?.get(name);
    return [name, before === undefined ? value : `${before}, ${value}`];
  };
  if (fields === "forwarded") {
    // RFC 7239 §6: an IPv6 address is in brackets, and then quoted.
    const node =
      address === undefined ? "unknown" : address.includes(":") ? `[${address}]` : address;
    const about = host === "" ? "" : `;host=${quoted(host)}`;
    return [after("Forwarded", `for=${quoted(node)}${about};proto=${proto}`)];
  }
  const lines = [after("X-Forwarded-For", address ?? "unknown")];
  // What the first proxy saw is what the client asked for.
  for (const [name, value] of [
    ["X-Forwarded-Host", host],
    ["X-Forwarded-Proto", proto],
  ] as const) {
    const first = trusted?.get(name) ?? value;
    if (first !== "") lines.push([name, first]);
  }
  return lines;
}

// RFC 7239 §4: a value that is not a token is a quoted-string. A host has neither quotes nor
// backslashes.
function quoted(value: string): string {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(value) ? value : `"${value}"`;
}
