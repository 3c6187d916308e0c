// names → [addresses] → policy: which IP addresses anyone may reach

import { addressOctets } from "@upgrade/core/io";

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
  const octets = addressOctets(address);
  if (octets === undefined) return false;
  // RFC 6052: a translator leads to the IPv4 address in the last 32 bits.
  const isTranslated = isIn(octets, addressOctets("64:ff9b::")!, 96);
  if (isTranslated) return isPublicAddress(octets.slice(12).join("."));
  return NOT_PUBLIC.every(([network, bits]) => !isIn(octets, addressOctets(network)!, bits));
}

function isIn(octets: readonly number[], network: readonly number[], bits: number): boolean {
  if (octets.length !== network.length) return false;
  return network.every((octet, i) => {
    const significant = Math.min(Math.max(bits - 8 * i, 0), 8);
    const mask = 256 - 2 ** (8 - significant);
    return (octets[i]! & mask) === (octet & mask);
  });
}
