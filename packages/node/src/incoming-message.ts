// request → [incoming message] → node:http: our request as node:http has it

import http from "node:http";
import type net from "node:net";
import type { Headers } from "@upgrade/core";

/** The head of a request, such as a `ServerRequest`. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly headers: Headers;
}

// What Node's own parser calls: it fills rawHeaders, and from them headers and headersDistinct.
interface Parsed {
  _addHeaderLines(flat: string[], length: number): void;
}

/**
 * The request as an `http.IncomingMessage`: `headers` joined as Node joins them, `rawHeaders`, `url`,
 * `method`, `httpVersion`, `socket`. As a stream it has `body`, or is empty.
 */
export function incomingMessage(
  { method, target, version, headers }: RequestHead,
  socket: net.Socket,
  body?: Uint8Array,
): http.IncomingMessage {
  const message = new http.IncomingMessage(socket);
  const flat = headers.toFlat();
  (message as unknown as Parsed)._addHeaderLines(flat, flat.length);
  const [major, minor] = version.split(".").map(Number);
  Object.assign(message, {
    method,
    url: target,
    httpVersion: version,
    httpVersionMajor: major,
    httpVersionMinor: minor,
    upgrade: true,
    complete: true,
  });
  if (body !== undefined && body.length > 0) message.push(body);
  message.push(null);
  return message;
}
