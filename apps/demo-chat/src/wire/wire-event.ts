// trace → [wire event] → page, terminal: what a connection does, as JSON, without secrets

import type { TraceEvent } from "@upgrade/core/io";

/** Field lines in their order, spelled as in the message. */
export type FieldLine = readonly [name: string, value: string];

/** How HTTP ended on a connection. */
export interface WireEnd {
  readonly kind: string;
  /** The error of a failure. */
  readonly why?: string;
}

/** An event of the packages' trace, with headers and errors as JSON. */
type Plain<Event> = Event extends { readonly headers: unknown }
  ? Omit<Event, "headers"> & { readonly headers: readonly FieldLine[] }
  : Event extends { readonly type: "closed" }
    ? Omit<Event, "reason"> & { readonly reason: WireEnd }
    : Event extends { readonly type: "tunnel-ended" }
      ? never
      : Event;

/** A WebSocket frame, as the server sent or received it. Not of the trace: HTTP is over. */
export interface Frame {
  readonly type: "frame";
  readonly from: "client" | "server";
  readonly opcode: "text" | "binary" | "ping" | "pong" | "close";
  /** The length of its payload before compression, in bytes. */
  readonly bytes: number;
  /** The beginning of its text; of a close frame, the code and the reason. */
  readonly text: string;
  readonly at: number;
}

/** The body of a refusal, as the server sends it. Not of the trace, which has its length only. */
export interface RefusalBody {
  readonly type: "body";
  readonly text: string;
  readonly at: number;
}

export type TracedEvent = Plain<TraceEvent>;
export type WireEvent = TracedEvent | Frame | RefusalBody;

const SECRET = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);
export const MASK = "(hidden)";

/** An event of the trace as JSON. Undefined for those that no connection of the chat has. */
export function wireEvent(event: TraceEvent): TracedEvent | undefined {
  switch (event.type) {
    case "request":
    case "response":
    case "interim-response":
      return { ...event, headers: masked(event.headers) };
    case "closed": {
      const { reason } = event;
      const why = reason.kind === "failed" ? { why: reason.error.message } : {};
      return { ...event, reason: { kind: reason.kind, ...why } };
    }
    case "tunnel-ended":
      return undefined;
    default:
      return event;
  }
}

function masked(headers: Iterable<FieldLine>): FieldLine[] {
  return [...headers].map(([name, value]) => [name, SECRET.has(name.toLowerCase()) ? MASK : value]);
}

/** How much of a frame is shown. */
const MAX_SHOWN = 200;

/** A frame, with the beginning of its text. */
export function frame(
  from: Frame["from"],
  opcode: Frame["opcode"],
  payload: { readonly bytes: number; readonly text: string },
  at: number,
): Frame {
  const { bytes, text } = payload;
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return { type: "frame", from, opcode, bytes, text: shown, at };
}
