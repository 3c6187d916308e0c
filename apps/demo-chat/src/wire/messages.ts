// server ↔ [wire.v1] ↔ panel: the messages that carry the wire to a page

import type { ProbeName } from "./probe-table.ts";
import type { WireEvent } from "./wire-event.ts";

/** The subprotocol of the panel's WebSocket. A client of it sends `{"ask": name}`. */
export const WIRE_SUBPROTOCOL = "wire.v1";

/** What a page is told about a connection of its own. */
export interface Report {
  /** The number of the connection on this server, from 1. */
  readonly connection: number;
  readonly event: WireEvent;
}

/** A message of the server: what happened on a connection, or how a probe ended. */
export type WireMessage =
  | Report
  | { readonly asked: ProbeName; readonly status: number }
  | { readonly asked: ProbeName; readonly failed: string };
