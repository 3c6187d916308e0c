// Verdicts on an ordinary response instead of a switch.

import type { VerdictRow } from "./row.ts";

export const REFUSALS = {
  "upgrade-not-relayed": {
    exit: "refused",
    says: "{hop} did not relay Upgrade: the answer is 426 and asks for {asked}, which the request had",
    change: "{fix}",
    rule: "RFC 9110 §7.8: Upgrade is hop-by-hop, so each proxy must send it on by choice",
  },
  "upgrade-ignored": {
    exit: "refused",
    says: "{hop} answered {status} as if no upgrade was proposed: Upgrade was ignored, or removed on the way",
    change: "check that {target} is the path of the upgrade, and each proxy on the way: {fix}",
    rule: "RFC 9110 §7.8: a server may ignore Upgrade, and a proxy drops it by default",
  },
  "other-protocol": {
    exit: "refused",
    says: "The server does not speak {protocol} here: it answered 426 and offers {asked}",
    change: "probe with --protocol {asked}, or check the path",
    rule: "RFC 9110 §15.5.22",
  },
  "wrong-websocket-version": {
    exit: "refused",
    says: "The server speaks version {versions} of WebSocket, not 13",
    change: "update the server: 13 is the only version of RFC 6455",
    rule: "RFC 6455 §4.4",
  },
  "redirect": {
    exit: "refused",
    says: "The answer is a redirect ({status}) to {location}; WebSocket clients do not follow it",
    change: "use the new URL, {location}",
    rule: "RFC 9110 §15.4",
  },
  "not-authenticated": {
    exit: "refused",
    says: "The server wants credentials (401, {scheme})",
    change:
      '--header "Authorization: {scheme} …", or the cookie of a session: --header "Cookie: …"',
    rule: "RFC 9110 §15.5.2",
  },
  "forbidden": {
    exit: "refused",
    says: "{hop} forbids this upgrade (403){said}",
    change:
      'WebSocket servers check Origin: try --header "Origin: https://{host}"; then check credentials and filters',
    rule: "RFC 6455 §10.2",
  },
  "not-found": {
    exit: "refused",
    says: "{hop} knows no {target} ({status})",
    change: "check the path, and the host name that the server expects",
    rule: "RFC 9110 §15.5.5",
  },
  "method-not-allowed": {
    exit: "refused",
    says: "{hop} does not allow {method} here (405){said}",
    change: "use --method {allow}: WebSocket needs GET",
    rule: "RFC 9110 §15.5.6",
  },
  "bad-request": {
    exit: "refused",
    says: "{hop} refuses the request as faulty (400){said}",
    change:
      "compare the request below with what the server needs; if it is right, a proxy changed it: {fix}",
    rule: "RFC 9110 §15.5.1",
  },
  "misdirected": {
    exit: "refused",
    says: "{hop} does not serve {host} (421)",
    change: "check the host name and the server name of TLS",
    rule: "RFC 9110 §15.5.20",
  },
  "too-large": {
    exit: "refused",
    says: "{hop} refuses the size of the request ({status})",
    change:
      "shorten --body or the headers, or raise the limit (nginx: client_max_body_size, large_client_header_buffers)",
    rule: "RFC 9110 §15.5.14",
  },
  "too-many": {
    exit: "refused",
    says: "{hop} limits the number of requests (429)",
    change: "wait as long as Retry-After says, or raise the limit",
    rule: "RFC 6585 §4",
  },
  "body-with-upgrade": {
    exit: "refused",
    says: "{hop}, or a hop before it, does not take an upgrade with a body ({status})",
    change:
      "leave --body away: send the bytes after the switch; haproxy takes no upgrade with a body",
    rule: "RFC 9110 §7.8: the body comes before the switch, and not every proxy waits for it",
  },
  "not-implemented": {
    exit: "refused",
    says: "{hop} does not implement this request (501)",
    change: "check --method and the transfer codings",
    rule: "RFC 9110 §15.6.2",
  },
  "gateway-failed": {
    exit: "refused",
    says: "{hop} got no usable answer from the server after it ({status}){said}",
    change: "probe the server after {hop} directly, and look at the log of {hop}",
    rule: "RFC 9110 §15.6.3",
  },
  "unavailable": {
    exit: "refused",
    says: "{hop} has no server for this request now (503){said}",
    change: "check that the server after it runs and passes its health checks",
    rule: "RFC 9110 §15.6.4",
  },
  "server-failed": {
    exit: "refused",
    says: "The server failed ({status}){said}",
    change: "look at its log: the fault is in its handler",
    rule: "RFC 9110 §15.6",
  },
  "refused": {
    exit: "refused",
    says: "{hop} refused the upgrade with {status}{said}",
    change: "see its answer below",
    rule: "RFC 9110 §15",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;
