// bytes → parser → events → [IP addresses] → connection: read, and written in one spelling

/** The 4 or 16 octets of an address. */
export type Octets = readonly number[];

/** The octets of an IPv4 address in dotted decimal (RFC 3986 §3.2.2); undefined for anything else. */
function ipv4Octets(text: string): Octets | undefined {
  const parts = text.split(".");
  const isDotted = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part));
  const octets = isDotted ? parts.map(Number) : [];
  return isDotted && octets.every((octet) => octet <= 255) ? octets : undefined;
}

/**
 * The octets of an IPv6 address (RFC 3986 §3.2.2): eight groups of 16 bits; one run of them may be
 * elided as `::`, and the last two may be written as IPv4. Undefined for anything else.
 */
export function ipv6Octets(text: string): Octets | undefined {
  const halves = text.split("::");
  const [first, second] = halves;
  const head = groupOctets(first!, second === undefined);
  const tail = second === undefined ? [] : groupOctets(second, true);
  if (halves.length > 2 || head === undefined || tail === undefined) return undefined;
  const elided = 16 - head.length - tail.length;
  if (second === undefined ? elided !== 0 : elided < 2) return undefined;
  return [...head, ...new Array<number>(elided).fill(0), ...tail];
}

function groupOctets(text: string, endsAddress: boolean): number[] | undefined {
  const octets: number[] = [];
  const groups = text === "" ? [] : text.split(":");
  for (const [i, group] of groups.entries()) {
    const ipv4 = endsAddress && i === groups.length - 1 ? ipv4Octets(group) : undefined;
    if (ipv4 !== undefined) octets.push(...ipv4);
    else if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined;
    else octets.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
  }
  return octets;
}

/**
 * The octets of an IP address: 4 for IPv4, also if it is written as the IPv6 address that maps it
 * (RFC 4291 §2.5.5.2), since both lead to the same host. Undefined for anything else.
 */
export function addressOctets(address: string): Octets | undefined {
  const octets = ipv4Octets(address) ?? ipv6Octets(address);
  if (octets?.length !== 16) return octets;
  const isMapped = octets.slice(0, 12).every((octet, i) => octet === (i < 10 ? 0 : 255));
  return isMapped ? octets.slice(12) : octets;
}

/**
 * The one spelling of an IP address: IPv6 as RFC 5952 writes it, an IPv6 address that maps an IPv4
 * address as the latter. Undefined for anything else, such as a name.
 */
export function canonicalAddress(address: string): string | undefined {
  const octets = addressOctets(address);
  return octets?.length === 16 ? writtenIpv6(octets) : octets?.join(".");
}

// RFC 5952 §4: the first of the longest runs of two or more zero groups is elided.
function writtenIpv6(octets: Octets): string {
  const groups = Array.from({ length: 8 }, (_, i) => (octets[2 * i]! << 8) | octets[2 * i + 1]!);
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const written = (from: number, to?: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (best.at === -1) return written(0);
  return `${written(0, best.at)}::${written(best.at + best.length)}`;
}
