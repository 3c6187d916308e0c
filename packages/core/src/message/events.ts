// bytes → parser → [events] → connection → driver → application, and back

import type { Framing } from "./framing.ts";
import type { Headers, HeadersInit } from "./headers.ts";
import type { Proposal } from "./switching.ts";
import type { Version } from "./version.ts";

/** A request head was received. */
export interface RequestEvent {
  readonly type: "request";
  readonly method: string;
  /** The request target, verbatim. */
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly framing: Framing;
  /** What the client offers to switch to, if anything. */
  readonly proposal: Proposal | undefined;
  /** The client holds its body back until it receives a 100 (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
}

/** A response head was received: an interim one, or the final one. */
export interface ResponseEvent {
  readonly type: "interim-response" | "response";
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly framing: Framing;
}

/** A piece of the body was received. The bytes are a view of the input. */
export interface DataEvent {
  readonly type: "data";
  readonly bytes: Uint8Array;
}

/** The message is complete. */
export interface EndOfMessageEvent {
  readonly type: "end-of-message";
  readonly trailers: Headers;
}

/** The peer has ended its side between messages. */
export interface ConnectionClosedEvent {
  readonly type: "connection-closed";
}

/** Anything that can be received. */
export type Event =
  | RequestEvent
  | ResponseEvent
  | DataEvent
  | EndOfMessageEvent
  | ConnectionClosedEvent;

/** Why there is no event now: more bytes are needed, or the available bytes must not be read yet. */
export type Wait = "need-data" | "paused";

/** A request head to send. */
export interface RequestToSend {
  readonly type: "request";
  readonly method: string;
  readonly target: string;
  /** Default `"1.1"`. */
  readonly version?: Version | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly bodyLength?: BodyLength | undefined;
}

/** A response head to send. */
export interface ResponseToSend {
  readonly type: "interim-response" | "response";
  readonly status: number;
  /** Default: the phrase of RFC 9110 for the status. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly bodyLength?: BodyLength | undefined;
  /** Sent as Date, unless the headers have one. The core has no clock of its own. */
  readonly date?: string | undefined;
}

/**
 * The length of the body: bytes, `"unknown"`, or undefined if the headers alone frame the message.
 * If they do not, a number adds `Content-Length`, and `"unknown"` adds `Transfer-Encoding: chunked`
 * (or the body ends with the connection, for an HTTP/1.0 client).
 */
export type BodyLength = number | "unknown";

/** What can be sent. `data` may be text, one character per octet. */
export type EventToSend =
  | RequestToSend
  | ResponseToSend
  | { readonly type: "data"; readonly bytes: Uint8Array | string }
  | { readonly type: "end-of-message"; readonly trailers?: HeadersInit | undefined }
  | ConnectionClosedEvent;
