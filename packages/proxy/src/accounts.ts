// tunnel → [accounts] → audit: who reached what, how much went each way, and how it ended

import type { ConnectionError } from "@upgrade/core";
import { ignoreFailure, type TunnelEnd } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";

/** A tunnel that has ended. */
export interface TunnelAccount {
  /** The request that opened it: who, as `connection.io` and the headers say. */
  readonly request: ServerRequest<unknown>;
  /** Where it led: the origin of an upgrade, `host:port` of a CONNECT. */
  readonly where: string;
  /** The protocol that was switched to; for CONNECT, the authority. */
  readonly protocol: string;
  /** Bytes from the client. */
  readonly up: number;
  /** Bytes to the client. */
  readonly down: number;
  /** What ended it. */
  readonly endedBy: "client" | "upstream" | "signal" | "idle";
  /** Why it failed, if it did not end by itself. */
  readonly error?: ConnectionError | undefined;
}

/** Called when a tunnel has ended. */
export type OnTunnel = (account: TunnelAccount) => void;

const ENDED_BY = { a: "client", b: "upstream", signal: "signal", idle: "idle" } as const;

/** Reports the end of a tunnel between a client (`a`) and an upstream (`b`). */
export function account(
  onTunnel: OnTunnel | undefined,
  about: Pick<TunnelAccount, "request" | "where" | "protocol">,
  { aToB, bToA, endedBy, error }: TunnelEnd,
): void {
  if (onTunnel === undefined) return;
  const ended = { up: aToB, down: bToA, endedBy: ENDED_BY[endedBy] };
  ignoreFailure(() => onTunnel({ ...about, ...ended, error }));
}
