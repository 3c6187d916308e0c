// events → [switched] → parts: what a request and its response agreed on

import type { RequestEvent, ResponseEvent } from "./events.ts";

/** Why and to what the connection switched. */
export interface Switched {
  readonly kind: "upgrade" | "connect";
  /** What the 101 names, verbatim; for a tunnel the authority of the CONNECT. */
  readonly protocol: string;
  /** The head of the request that proposed the switch. */
  readonly request: Pick<RequestEvent, "method" | "target" | "version" | "headers">;
  /** The head of the response that accepted it. */
  readonly response: Pick<ResponseEvent, "status" | "reason" | "headers">;
}

/** The switch that a request and its response agreed on. */
export function switchedBy(
  { method, target, version, headers }: RequestEvent,
  response: ResponseEvent,
): Switched {
  const kind = method === "CONNECT" ? "connect" : "upgrade";
  // A 101 without Upgrade is no switch.
  const protocol = kind === "connect" ? target : response.headers.get("upgrade")!;
  const { status, reason } = response;
  return {
    kind,
    protocol,
    request: { method, target, version, headers },
    response: { status, reason, headers: response.headers },
  };
}
