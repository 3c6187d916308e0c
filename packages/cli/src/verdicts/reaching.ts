// Verdicts before a byte of the request was sent: network, TLS, proxy.

import type { VerdictRow } from "./row.ts";

export const NETWORK = {
  "name-unknown": {
    exit: "network",
    says: "The name {host} does not exist: DNS has no address for it",
    change: "check the spelling of the host; for a new name, check its A and AAAA records",
  },
  "name-not-resolved": {
    exit: "network",
    says: "The name {host} cannot be resolved now: the DNS server does not answer ({code})",
    change: "check the resolver of this machine (/etc/resolv.conf, VPN) and try again",
  },
  "port-refused": {
    exit: "network",
    says: "Nothing listens on {place}: the connection was refused",
    change:
      "start the server, check the port, and check that it listens on this address and not on another",
  },
  "no-socket": {
    exit: "network",
    says: "There is no socket at {place}",
    change: "start the server, or check the path",
  },
  "not-allowed": {
    exit: "network",
    says: "This user may not connect to {place}",
    change: "run as a user that may, or change the rights of the socket",
  },
  "no-route": {
    exit: "network",
    says: "There is no route to {place} ({code})",
    change: "check the network of this machine: interface, VPN, firewall",
  },
  "connect-timeout": {
    exit: "network",
    says: "{place} does not answer: no connection within {seconds} s",
    change: "check the address; a firewall that drops packets looks like this",
  },
  "connect-reset": {
    exit: "network",
    says: "{place} closed the connection before it was open",
    change: "check for a firewall or a load balancer without a server after it",
  },
  "connect-failed": {
    exit: "network",
    says: "No connection to {place}: {message}",
    change: "check the address and the network",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;

export const TLS = {
  "tls-wrong-name": {
    exit: "tls",
    says: "The certificate of {place} is for {names}, not for {host}",
    change:
      "use a name that the certificate has, or issue one that has {host} among its subjectAltName",
    rule: "RFC 9110 §4.3.4",
  },
  "tls-expired": {
    exit: "tls",
    says: "The certificate of {place} expired on {date}",
    change: "renew the certificate {subject}, and load it: most servers need a reload",
    rule: "RFC 5280 §4.1.2.5",
  },
  "tls-not-yet-valid": {
    exit: "tls",
    says: "The certificate of {place} is not valid before {date}",
    change: "check the clocks of this machine and of the one that issued it",
    rule: "RFC 5280 §4.1.2.5",
  },
  "tls-untrusted": {
    exit: "tls",
    says: "The certificate of {place} is signed by {issuer}, which this machine does not trust ({code})",
    change:
      "send the whole chain from the server, or give the authority with --ca FILE; --insecure goes on without trust",
    rule: "RFC 5280 §6",
  },
  "plain-port": {
    exit: "tls",
    says: "{place} does not speak TLS: its answer to a TLS handshake is not TLS",
    change: "use {other}, or turn TLS on at that port (nginx: listen {port} ssl)",
  },
  "tls-port": {
    exit: "tls",
    says: "{place} speaks TLS, and the request came without it",
    change: "use {other}",
  },
  "h2-only": {
    exit: "tls",
    says: "{place} speaks only HTTP/2, and Upgrade exists only in HTTP/1.1",
    change:
      "let the server offer http/1.1 in ALPN on this name (a WebSocket over HTTP/2 needs RFC 8441 on both ends)",
    rule: "RFC 9113 §8.6",
  },
  "tls-version": {
    exit: "tls",
    says: "{place} and this machine have no version of TLS in common",
    change: "turn on TLS 1.2 or 1.3 at the server",
    rule: "RFC 8446 §4.2.1",
  },
  "tls-client-certificate": {
    exit: "tls",
    says: "{place} wants a certificate of the client",
    change: "give one with --cert FILE and --key FILE",
    rule: "RFC 8446 §4.3.2",
  },
  "tls-refused": {
    exit: "tls",
    says: "{place} refuses the TLS handshake (alert handshake_failure): no cipher in common, or it wants a certificate of the client",
    change:
      "give a certificate with --cert FILE and --key FILE, or turn on a modern cipher at the server",
    rule: "RFC 8446 §6.2",
  },
  "tls-unknown-name": {
    exit: "tls",
    says: "{place} has no certificate for {host} (alert unrecognized_name)",
    change: "check the host, or add the name to the server",
    rule: "RFC 6066 §3",
  },
  "tls-timeout": {
    exit: "tls",
    says: "{place} did not answer the TLS handshake within {seconds} s",
    change: "check that the port speaks TLS at once, and is not waiting for another protocol first",
  },
  "tls-closed": {
    exit: "tls",
    says: "{place} closed the connection during the TLS handshake",
    change:
      "check the log of the server; a missing certificate for {host} and a filter on names look like this",
  },
  "tls-failed": {
    exit: "tls",
    says: "TLS with {place} failed: {message}",
    change: "check the TLS settings of the server (versions, ciphers)",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;

export const PROXY = {
  "proxy-unreachable": {
    exit: "proxy",
    says: "The proxy {proxy} cannot be reached: {message}",
    change: "check --proxy, or HTTPS_PROXY and HTTP_PROXY; --no-proxy goes without",
  },
  "proxy-tls": {
    exit: "proxy",
    says: "TLS with the proxy {proxy} failed: {message}",
    change:
      "use http:// in the proxy's URL if it has no TLS, or trust its authority with --ca FILE",
  },
  "proxy-wants-credentials": {
    exit: "proxy",
    says: "The proxy {proxy} wants credentials (407, {scheme})",
    change: "give them in its URL: --proxy http://user:password@{proxy}",
    rule: "RFC 9110 §15.5.8",
  },
  "proxy-wrong-credentials": {
    exit: "proxy",
    says: "The proxy {proxy} does not accept these credentials (407, {scheme})",
    change: "check user and password in its URL, and encode special characters with %",
    rule: "RFC 9110 §15.5.8",
  },
  "proxy-forbids": {
    exit: "proxy",
    says: "The proxy {proxy} does not allow a tunnel to {place} ({status})",
    change:
      "allow the destination and its port at the proxy (squid: acl Safe_ports, acl SSL_ports, http_access)",
    rule: "RFC 9110 §9.3.6",
  },
  "proxy-is-none": {
    exit: "proxy",
    says: "{proxy} is no proxy for CONNECT: it answered {status}",
    change: "check the URL of the proxy; an ordinary web server answers like this",
    rule: "RFC 9110 §9.3.6",
  },
  "proxy-cannot-reach": {
    exit: "proxy",
    says: "The proxy {proxy} cannot reach {place} ({status})",
    change: "check the destination from the machine of the proxy: it resolves the name itself",
    rule: "RFC 9110 §15.6.3",
  },
  "proxy-refused": {
    exit: "proxy",
    says: "The proxy {proxy} opens no tunnel to {place}: it answered {status}",
    change: "see its answer below",
    rule: "RFC 9110 §9.3.6",
  },
  "proxy-silent": {
    exit: "proxy",
    says: "The proxy {proxy} did not answer CONNECT: {message}",
    change: "check that it is an HTTP proxy, and not one for SOCKS or TLS",
    rule: "RFC 9110 §9.3.6",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;
