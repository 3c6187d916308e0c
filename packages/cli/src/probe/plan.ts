// command line → [plan] → probe: what to try

import type { LookupAddress } from "node:dns";
import type { Clock } from "@upgrade/core/io";
import type { HttpProxy } from "@upgrade/node";
import type { FieldLine } from "../facts.ts";
import type { Transcript } from "../trace/transcript.ts";

export interface Plan {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket, instead of the host and the port. */
  readonly path?: string | undefined;
  readonly isSecure: boolean;
  /** What the request line has. */
  readonly target: string;
  /** The value of `Host`. */
  readonly authority: string;
  readonly method: string;
  readonly protocols: readonly string[];
  readonly subprotocols: readonly string[];
  readonly headers: readonly FieldLine[];
  readonly body?: string | Uint8Array | undefined;
  readonly proxy?: HttpProxy | undefined;
  readonly isInsecure: boolean;
  /** PEM of further authorities, and of a certificate of ours with its key. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** For each step. */
  readonly timeoutMs: number;
  /** How long to be silent after the switch; 0: not at all. */
  readonly idleMs: number;
  /** The other end sends back what it gets. */
  readonly isEcho: boolean;
  readonly showsSecrets: boolean;
  readonly clock: Clock;
  /** Gets the bytes of the exchange, and of what comes after it, as they pass. */
  readonly transcript?: Transcript | undefined;
  readonly lookup: (host: string) => Promise<readonly LookupAddress[]>;
}

/** Speaks WebSocket after the switch. */
export const isWebSocket = ({ protocols }: Plan): boolean =>
  protocols.some((token) => token.toLowerCase() === "websocket");

/** A place as people write it. */
export const placeName = ({ host, port, path }: Pick<Plan, "host" | "port" | "path">): string =>
  path ?? `${host.includes(":") ? `[${host}]` : host}:${port}`;
