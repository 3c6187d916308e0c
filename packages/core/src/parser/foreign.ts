// bytes → start line → [other protocols] → error: recognizes peers that do not speak HTTP/1.1

import type { RemoteCode } from "../base/errors.ts";
import type { MessageKind } from "./head.ts";

/** Another protocol, recognized by its first octets. */
export interface Foreign {
  readonly kind: MessageKind;
  readonly opening: string;
  readonly code: RemoteCode;
  readonly says: string;
}

const FOREIGN: readonly Foreign[] = [
  // RFC 8446 §5.1: a handshake record; 0x15 is an alert.
  {
    kind: "request",
    opening: "\x16",
    code: "MALFORMED_START_LINE",
    says: "it looks like TLS; accept TLS before HTTP, or let the client connect without it",
  },
  {
    kind: "response",
    opening: "\x15",
    code: "MALFORMED_START_LINE",
    says: "it looks like a TLS alert; connect with TLS",
  },
  {
    kind: "response",
    opening: "\x16",
    code: "MALFORMED_START_LINE",
    says: "it looks like TLS; connect with TLS",
  },
  // RFC 9113 §3.4: PRI is not a method of HTTP/1. A server begins with a SETTINGS frame.
  {
    kind: "request",
    opening: "PRI ",
    code: "UNSUPPORTED_VERSION",
    says: "it looks like HTTP/2; the client has to speak HTTP/1.1",
  },
  {
    kind: "response",
    opening: "\0\0",
    code: "UNSUPPORTED_VERSION",
    says: "it looks like HTTP/2; the server does not speak HTTP/1.1 on this port",
  },
  // RFC 4253 §4.2.
  { kind: "request", opening: "SSH-", code: "MALFORMED_START_LINE", says: "it looks like SSH" },
  {
    kind: "response",
    opening: "SSH-",
    code: "MALFORMED_START_LINE",
    says: "it looks like SSH; the port is another server's",
  },
  // RFC 5321 §3.1, RFC 959 §5.4.
  {
    kind: "response",
    opening: "220 ",
    code: "MALFORMED_START_LINE",
    says: "it looks like the greeting of SMTP or FTP; the port is another server's",
  },
  {
    kind: "response",
    opening: "220-",
    code: "MALFORMED_START_LINE",
    says: "it looks like the greeting of SMTP or FTP; the port is another server's",
  },
  // The PROXY protocol, in text and in its binary form, whose first four octets are two empty lines.
  {
    kind: "request",
    opening: "PROXY ",
    code: "MALFORMED_START_LINE",
    says: "it looks like the PROXY protocol; read its header before HTTP, or turn it off at the load balancer",
  },
  {
    kind: "request",
    opening: "\r\n\r\n\0",
    code: "MALFORMED_START_LINE",
    says: "it looks like the PROXY protocol; read its header before HTTP, or turn it off at the load balancer",
  },
];

/** The number of octets that is enough to recognize any of them. */
export const OPENING_LENGTH = Math.max(...FOREIGN.map(({ opening }) => opening.length));

/**
 * The protocol whose opening `text` begins with; "undecided" if more octets may make it one;
 * undefined if it is none of these.
 */
export function foreignOf(kind: MessageKind, text: string): Foreign | "undecided" | undefined {
  let isOpen = false;
  for (const foreign of FOREIGN) {
    if (foreign.kind !== kind) continue;
    if (text.startsWith(foreign.opening)) return foreign;
    if (foreign.opening.startsWith(text)) isOpen = true;
  }
  return isOpen ? "undecided" : undefined;
}
