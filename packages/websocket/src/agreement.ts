// both ends → [agreement] → what speaks WebSocket: what the handshake settled

import type { Role } from "@upgrade/core";
import { INSPECT, type Inspect, shown } from "@upgrade/core/io";
import { formatExtension, type ListedExtension } from "./extension-list.ts";

/** How permessage-deflate compresses on this connection (RFC 7692 §7.1). */
export interface DeflateAgreement {
  /** The server starts each message with an empty window. */
  readonly serverNoContextTakeover: boolean;
  /** The client starts each message with an empty window. */
  readonly clientNoContextTakeover: boolean;
  /** The size of the server's window, as a power of two: 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** The size of the client's window, as a power of two: 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** An extension in use. */
export interface AgreedExtension {
  readonly name: string;
  /** As sent by the server; `true` is a parameter without a value. */
  readonly params: { readonly [name: string]: string | true };
}

/** What both ends agreed on. */
export interface WebSocketAgreement {
  /** Which end this is: a client masks what it sends (RFC 6455 §5.3). */
  readonly role: Role;
  readonly version: 13;
  /** The subprotocol; empty if there is none. */
  readonly protocol: string;
  readonly extensions: readonly AgreedExtension[];
  /** Absent if messages are not compressed. */
  readonly deflate?: DeflateAgreement;
}

/** An extension in use, and what it means. */
export interface AgreedDeflate {
  readonly listed: ListedExtension;
  readonly deflate: DeflateAgreement;
}

/** @internal A console shows extensions as they were sent. */
export class Agreed implements WebSocketAgreement {
  readonly role: Role;
  readonly version = 13;
  readonly protocol: string;
  readonly extensions: readonly AgreedExtension[];
  declare readonly deflate?: DeflateAgreement;

  constructor(role: Role, protocol: string, agreed: AgreedDeflate | undefined) {
    this.role = role;
    this.protocol = protocol;
    this.extensions = Object.freeze(agreed === undefined ? [] : [extensionOf(agreed.listed)]);
    if (agreed !== undefined) this.deflate = agreed.deflate;
    Object.freeze(this);
  }

  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const extensions = this.extensions.map(({ name, params }) =>
      formatExtension({ name, params: Object.entries(params) }),
    );
    return shown("WebSocketAgreement", { ...this, extensions }, depth, options, inspect);
  }
}

function extensionOf({ name, params }: ListedExtension): AgreedExtension {
  return Object.freeze({ name, params: Object.freeze(Object.fromEntries(params)) });
}
