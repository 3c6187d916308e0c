// events → [switched] → parts: what a request and its response agreed on

import type { Headers } from "./headers.ts";
import type { Version } from "./version.ts";

/** The head of the request that proposed the switch. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
}

/** The head of the response that accepted it. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
}

/** Why and to what the connection switched. */
export interface Switched {
  readonly kind: "upgrade" | "connect";
  /** What the 101 names, verbatim; for a tunnel the authority of the CONNECT. */
  readonly protocol: string;
  readonly request: RequestHead;
  readonly response: ResponseHead;
}

/** The switch that a request and its response agreed on. */
export function switchedBy(request: RequestHead, response: ResponseHead): Switched {
  const { method, target, version, headers } = request;
  const kind = method === "CONNECT" ? "connect" : "upgrade";
  // A 101 without Upgrade is no switch.
  const protocol = kind === "connect" ? target : response.headers.get("upgrade")!;
  return { kind, protocol, request: { method, target, version, headers }, response };
}
