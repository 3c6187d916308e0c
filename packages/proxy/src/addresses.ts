// names → [addresses] → policy: IP addresses in one spelling, and which of them anyone may reach

/** The 4 or 16 octets of an address. */
type Octets = readonly number[];

/** The octets of an IPv4 address in dotted decimal; undefined for anything else. */
function ipv4Of(text: string): Octets | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) {
    return undefined;
  }
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

/** The octets of an IPv6 address (RFC 4291 §2.2), without a zone; undefined for anything else. */
function ipv6Of(text: string): Octets | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const elided = 16 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? elided !== 0 : elided < 2) return undefined;
  return [...head, ...new Array<number>(tail === undefined ? 0 : elided).fill(0), ...(tail ?? [])];
}

// Groups of 16 bits, of which the last two may be written as IPv4.
function groupsOf(text: string): Octets | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const last = i === groups.length - 1 ? ipv4Of(group) : undefined;
    if (last !== undefined) octets.push(...last);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 255);
    } else return undefined;
  }
  return octets;
}

const isMapped = (octets: Octets): boolean =>
  octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 255 && octets[11] === 255;

/** The octets of an address: 4 for IPv4, also if it is written as an IPv6 address that maps one. */
function octetsOf(address: string): Octets | undefined {
  const octets = ipv4Of(address) ?? ipv6Of(address);
  return octets?.length === 16 && isMapped(octets) ? octets.slice(12) : octets;
}

/**
 * The one spelling of an IP address: IPv6 as RFC 5952 writes it, and an IPv6 address that maps an
 * IPv4 address as the latter. Undefined for anything else, a name or `127.1` for example.
 */
export function canonicalAddress(address: string): string | undefined {
  const octets = octetsOf(address);
  if (octets === undefined) return undefined;
  return octets.length === 4 ? octets.join(".") : writtenIpv6(octets);
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
  const text = (from: number, to?: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return best.at === -1 ? text(0) : `${text(0, best.at)}::${text(best.at + best.length)}`;
}

// The entries of IANA's registries of special-purpose addresses (RFC 6890) that are not globally
// reachable, and multicast.
const NOT_PUBLIC: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 8],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

/**
 * Whether an IP address is one that anyone on the internet may reach: not loopback, private,
 * link-local, multicast, reserved, nor an IPv6 address that leads to an IPv4 address that is (RFC
 * 6890). False for what is not an IP address.
 */
export function isPublicAddress(address: string): boolean {
  const octets = octetsOf(address);
  if (octets === undefined) return false;
  // RFC 6052: a translator leads to the IPv4 address in the last 32 bits.
  const isTranslated = isIn(octets, ipv6Of("64:ff9b::")!, 96);
  if (isTranslated) return isPublicAddress(octets.slice(12).join("."));
  return NOT_PUBLIC.every(([network, bits]) => !isIn(octets, octetsOf(network)!, bits));
}

function isIn(octets: Octets, network: Octets, bits: number): boolean {
  if (octets.length !== network.length) return false;
  return network.every((octet, i) => {
    const significant = Math.min(Math.max(bits - 8 * i, 0), 8);
    const mask = 256 - 2 ** (8 - significant);
    return (octets[i]! & mask) === (octet & mask);
  });
}
