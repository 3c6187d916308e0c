// bytes → parser → [events] → connection → driver → application, and back

import type { Framing } from "./framing.ts";
import type { Headers, HeadersInit } from "./headers.ts";
import type { Proposal } from "./switching.ts";

export type Version = "1.0" | "1.1";

/** A request's head came. */
export interface RequestEvent {
  readonly type: "request";
  readonly method: string;
  /** The request target, verbatim. */
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly framing: Framing;
  /** What the client offers to switch to, if it does. */
  readonly proposal: Proposal | undefined;
  /** The client holds its body back until it sees a 100 (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
}

/** The head of a response came: an interim one, or the final one. */
export interface ResponseEvent {
  readonly type: "informational-response" | "response";
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly framing: Framing;
}

/** A piece of the body came. The bytes are a view of what was received. */
export interface DataEvent {
  readonly type: "data";
  readonly bytes: Uint8Array;
}

/** The message is complete. */
export interface EndOfMessageEvent {
  readonly type: "end-of-message";
  readonly trailers: Headers;
}

/** The peer has ended its side, between messages. */
export interface ConnectionClosedEvent {
  readonly type: "connection-closed";
}

/** One fact of the conversation, as received. */
export type Event =
  | RequestEvent
  | ResponseEvent
  | DataEvent
  | EndOfMessageEvent
  | ConnectionClosedEvent;

/** Why there is no event now: more bytes are needed, or the bytes there are not to be read yet. */
export type Wait = "need-data" | "paused";

/** A request's head, to be sent. */
export interface RequestToSend {
  readonly type: "request";
  readonly method: string;
  readonly target: string;
  /** Default `"1.1"`. */
  readonly version?: Version | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly bodyLength?: BodyLength | undefined;
}

/** A response's head, to be sent. */
export interface ResponseToSend {
  readonly type: "informational-response" | "response";
  readonly status: number;
  /** Default: the phrase RFC 9110 has for the status. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly bodyLength?: BodyLength | undefined;
  /** Written as Date, unless the headers have one. The heart has no clock to make it from. */
  readonly date?: string | undefined;
}

/**
 * How long the body will be: bytes, `"unknown"`, or undefined to let the headers alone say it.
 * Where the headers do not frame the message, a number adds `Content-Length`, and `"unknown"`
 * adds `Transfer-Encoding: chunked` (or ends with the connection, to an HTTP/1.0 client).
 */
export type BodyLength = number | "unknown";

/** What can be sent. `data` may be text, one character an octet. */
export type EventToSend =
  | RequestToSend
  | ResponseToSend
  | { readonly type: "data"; readonly bytes: Uint8Array | string }
  | { readonly type: "end-of-message"; readonly trailers?: HeadersInit | undefined }
  | ConnectionClosedEvent;
