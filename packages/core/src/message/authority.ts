// bytes → parser → events → [authority] → connection: the host and the port of a CONNECT, in one spelling

import { canonicalAddress } from "./ip-address.ts";

/** Where a CONNECT leads. */
export interface Authority {
  readonly host: string;
  readonly port: number;
}

/** The parts of a target in authority form that was checked. */
export function authorityOf(target: string): Authority {
  const colon = target.lastIndexOf(":");
  return { host: canonicalHost(target.slice(0, colon)), port: Number(target.slice(colon + 1)) };
}

/**
 * A host in one spelling, so that a rule about it meets each of its spellings: a name in lower case
 * without the dot at its end, an IPv6 address without brackets, and an IPv4 address in dotted decimal,
 * however resolvers let it be written: `127.1`, `0x7f000001`, `[::ffff:127.0.0.1]`.
 */
function canonicalHost(host: string): string {
  const literal = /^\[(.*)\]$/.exec(host)?.[1];
  if (literal !== undefined) return canonicalAddress(literal) ?? host.toLowerCase();
  const name = host.toLowerCase().replace(/(?<=[^.])\.$/, "");
  return legacyIpv4(name) ?? name;
}

/** An IPv4 address as inet_aton() reads it: one to four numbers, decimal, octal or hexadecimal. */
function legacyIpv4(text: string): string | undefined {
  const parts = text.split(".");
  if (parts.length > 4 || !parts.every((part) => NUMBER.test(part))) return undefined;
  const numbers = parts.map((part) => {
    if (part === "0x") return 0;
    return OCTAL.test(part) ? Number.parseInt(part, 8) : Number(part);
  });
  // The last number has all octets that are left.
  const last = numbers.pop()!;
  if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) {
    return undefined;
  }
  for (let power = 3 - numbers.length; power >= 0; power--) {
    numbers.push(Math.floor(last / 256 ** power) % 256);
  }
  return numbers.join(".");
}

const NUMBER = /^(?:0x[0-9a-f]*|0[0-7]*|[1-9][0-9]*)$/;
const OCTAL = /^0[0-7]+$/;
