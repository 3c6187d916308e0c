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
  /** Who the client is, as `authenticate` of a CONNECT proxy found. */
  readonly user?: string | undefined;
  /** Bytes from the client. */
  readonly up: number;
  /** Bytes to the client. */
  readonly down: number;
  /** What ended it. */
  readonly endedBy: "client" | "upstream" | "signal" | "idle" | "tap";
  /** After the idle deadline: which side did not read, or sent nothing. */
  readonly stalled?: "client" | "upstream" | "both" | undefined;
  /** Why it failed, if it did not end by itself. */
  readonly error?: ConnectionError | undefined;
}

/** Called when a tunnel has ended. */
export type OnTunnel = (account: TunnelAccount) => void;

const SIDES = { a: "client", b: "upstream", both: "both" } as const;
const NAMES = { ...SIDES, signal: "signal", idle: "idle", tap: "tap" } as const;

/** Reports the end of a tunnel between a client (`a`) and an upstream (`b`). */
export function account(
  onTunnel: OnTunnel | undefined,
  about: Pick<TunnelAccount, "request" | "where" | "protocol" | "user">,
  { aToB, bToA, endedBy, stalled, error }: TunnelEnd,
): void {
  if (onTunnel === undefined) return;
  const ended: TunnelAccount = {
    ...about,
    ...{ up: aToB, down: bToA, endedBy: NAMES[endedBy] },
    ...(stalled !== undefined && { stalled: SIDES[stalled] }),
    ...(error !== undefined && { error }),
  };
  ignoreFailure(() => onTunnel(ended));
}
