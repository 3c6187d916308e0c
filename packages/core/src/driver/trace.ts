// driver → [trace] → application: what a traced connection does, as it happens

import type { Role } from "../base/role.ts";
import type { Cause } from "../lifecycle/moves.ts";
import type { Phase } from "../lifecycle/phases.ts";
import type { Headers } from "../message/headers.ts";
import type { Version } from "../message/version.ts";
import type { State } from "../state/states.ts";
import type { DeadlineName } from "./deadlines.ts";
import type { CloseReason } from "./ending.ts";

/**
 * Called for each new connection. What it returns gets the events of this one connection, in order;
 * undefined if it is not traced. If it throws, the handshake fails with `CALLBACK_FAILED` and leaves
 * the io untouched.
 */
export type Trace = (connection: TracedConnection) => TraceListener | undefined;

/** Which connection is traced. */
export interface TracedConnection {
  /** Ours. A client sends the requests and receives the responses. */
  readonly role: Role;
  /** The object that was passed to the handshake. */
  readonly io: unknown;
}

/**
 * Called when something has happened, in the same turn. If it throws or rejects while HTTP lasts, the
 * connection fails with `CALLBACK_FAILED`.
 */
export type TraceListener = (event: TraceEvent) => void;

/** What happened, and when. */
export type TraceEvent = Moment & Happening;

/** What every event has. */
export interface Moment {
  /** Milliseconds, by the `now()` of the connection's clock. */
  readonly at: number;
  /**
   * The states of both roles after the event, in h11's terms. A message that was sent in one step has
   * those after its end in all its events.
   */
  readonly states: { readonly client: State; readonly server: State };
}

/** What happened. Heads are as on the wire, with all that was added to them. */
export type Happening =
  | RequestHead
  | ResponseHead
  | MessageEnd
  | {
      /** Both heads of a switch were exchanged. */
      readonly type: "switched";
      readonly exchange: number;
      readonly kind: "upgrade" | "connect";
      readonly protocol: string;
    }
  | {
      /** A proposal was refused; HTTP continues. */
      readonly type: "refused";
      readonly exchange: number;
      readonly status: number;
    }
  | { readonly type: "deadline"; readonly name: DeadlineName }
  | {
      /** The connection as a whole has moved on: docs/lifecycle.md has the moves. */
      readonly type: "moved";
      readonly from: Phase;
      readonly cause: Cause;
      readonly to: Phase;
    }
  | {
      /** The parts were taken. */
      readonly type: "taken";
      /** `switchTo`, `takeOver`, `intoParts` or `withoutShutdown`. */
      readonly by: string;
      /** The length of `readBuf`, in bytes. */
      readonly readBuf: number;
    }
  | {
      /** The connection is over: its io is shut down, gone, or taken. The last event of HTTP. */
      readonly type: "closed";
      readonly reason: CloseReason;
      readonly bytesRead: number;
      readonly bytesWritten: number;
    }
  | TunnelEnded
  | {
      /** The socket has closed. Only from the server of `@upgrade/node`. */
      readonly type: "io-closed";
      /** All bytes of the socket, as it counts them. */
      readonly bytesRead: number;
      readonly bytesWritten: number;
    };

/** The head of a request was sent or received. */
export interface RequestHead {
  readonly type: "request";
  /** The number of the request on this connection, from 1. */
  readonly exchange: number;
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
}

/** The head of a response was sent or received. */
export interface ResponseHead {
  readonly type: "interim-response" | "response";
  /** The number of its request. */
  readonly exchange: number;
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
}

/** A message is complete. */
export interface MessageEnd {
  readonly type: "end-of-message";
  readonly of: "request" | "response";
  readonly exchange: number;
  /** The length of its body, in bytes, without its transfer coding. */
  readonly bodyBytes: number;
}

/** A `tunnel` over the parts has ended. */
export interface TunnelEnded {
  readonly type: "tunnel-ended";
  /** Bytes that the tunnel sent to the io, `readBuf` of the other side included. */
  readonly sent: number;
  /** Bytes that it received from the io, `readBuf` included. */
  readonly received: number;
  /** What ended it: this side, the other side, the signal, or the idle deadline. */
  readonly endedBy: "this" | "other" | "signal" | "idle" | "tap";
  readonly error?: Error;
}
