// [offering] → request; response → agreement, or an error: the client's end (RFC 6455 §4.1)

import type { AcceptingResponse, Headers, HttpVersion, Offer } from "@upgrade/core";
import { Agreed, type AgreedDeflate, type WebSocketAgreement } from "./agreement.ts";
import {
  agreedDeflate,
  DEFLATE,
  type DeflateParams,
  faultOfResponse,
  offerDeflate,
  readDeflate,
  writeDeflate,
} from "./deflate.ts";
import { formatExtension, parseExtensions } from "./extension-list.ts";
import { WebSocketHandshakeError } from "./handshake-error.ts";
import { acceptOf, newKey } from "./key.ts";
import { invalid, type Resolved } from "./options.ts";

/** The client's offer, for one request. */
export function offer(version: HttpVersion, options: Resolved): Offer<WebSocketAgreement> {
  const { subprotocols, requireSubprotocol } = options;
  if (typeof subprotocols === "function") {
    throw invalid("subprotocols is a function, with which a server chooses; a client needs a list");
  }
  // RFC 8441 §5: HTTP/2 has neither a key nor an accept value.
  const key = version === "2" ? undefined : newKey();
  const deflate = options.deflate === undefined ? undefined : offerDeflate(options.deflate);
  const headers: [string, string][] = [["Sec-WebSocket-Version", "13"]];
  if (key !== undefined) headers.push(["Sec-WebSocket-Key", key]);
  if (subprotocols.length > 0) headers.push(["Sec-WebSocket-Protocol", subprotocols.join(", ")]);
  if (deflate !== undefined) {
    const listed = { name: DEFLATE, params: writeDeflate(deflate) };
    headers.push(["Sec-WebSocket-Extensions", formatExtension(listed)]);
  }
  return {
    headers,
    verify(response: AcceptingResponse): WebSocketAgreement {
      if (key !== undefined) verifyAccept(key, response.headers);
      const protocol = verifySubprotocol(subprotocols, requireSubprotocol, response.headers);
      return new Agreed("client", protocol, verifyExtensions(deflate, response.headers));
    },
  };
}

function verifyAccept(key: string, headers: Headers): void {
  const value = once(headers, "Sec-WebSocket-Accept");
  if (value === undefined) throw new WebSocketHandshakeError("no-accept-key");
  const expected = acceptOf(key);
  if (value === expected) return;
  throw new WebSocketHandshakeError("wrong-accept-key", `${quoted(value)} is not ${expected}`);
}

function verifySubprotocol(
  offered: readonly string[],
  isRequired: boolean,
  headers: Headers,
): string {
  const value = once(headers, "Sec-WebSocket-Protocol");
  if (value === undefined) {
    if (isRequired) throw new WebSocketHandshakeError("no-subprotocol");
    return "";
  }
  if (!offered.includes(value)) {
    throw new WebSocketHandshakeError("unknown-subprotocol", quoted(value));
  }
  return value;
}

function verifyExtensions(
  offered: DeflateParams | undefined,
  headers: Headers,
): AgreedDeflate | undefined {
  const value = headers.get("sec-websocket-extensions") ?? "";
  const extensions = parseExtensions(value);
  if (extensions === undefined) {
    throw new WebSocketHandshakeError("malformed-extensions", quoted(value));
  }
  const stranger = extensions.find(({ name }) => offered === undefined || name !== DEFLATE);
  if (stranger !== undefined) throw new WebSocketHandshakeError("unknown-extension", stranger.name);
  const [listed, second] = extensions;
  if (listed === undefined || offered === undefined) return undefined;
  if (second !== undefined) throw new WebSocketHandshakeError("repeated-extension");
  const response = readDeflate(listed.params);
  const fault = typeof response === "string" ? response : faultOfResponse(response, offered);
  if (typeof response === "string" || fault !== undefined) {
    throw new WebSocketHandshakeError("wrong-deflate-parameters", fault);
  }
  return { listed, deflate: agreedDeflate(response, offered) };
}

function once(headers: Headers, name: string): string | undefined {
  const values = headers.getAll(name);
  if (values.length > 1) throw new WebSocketHandshakeError("repeated-field", name);
  return values[0];
}

function quoted(value: string): string {
  return JSON.stringify(value);
}
