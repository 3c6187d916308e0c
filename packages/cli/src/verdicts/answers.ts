// Verdicts on an answer that does not come, or breaks a rule; and on what came after a switch.

import type { VerdictRow } from "./row.ts";

export const ANSWERS = {
  "no-answer": {
    exit: "answer",
    says: "{place} took the request and sent nothing for {seconds} s",
    change:
      "check that the port speaks HTTP, that the server after a proxy answers, and its log for this request",
    rule: "RFC 9112 §9.5",
  },
  "closed-without-answer": {
    exit: "answer",
    says: "{place} closed the connection without an answer",
    change:
      "look at the log of the server or of the proxy in front of it: it took the request and gave up",
    rule: "RFC 9112 §9.6",
  },
  "reset": {
    exit: "answer",
    says: "{place} reset the connection instead of an answer",
    change:
      "look at the log of the server: a crash, a filter, or a port of another protocol looks like this",
    rule: "RFC 9293 §3.10.7",
  },
  "not-http": {
    exit: "answer",
    says: "{place} answered with something that is not HTTP/1.1: {bytes}",
    change: "check the port: another protocol is spoken there",
    rule: "RFC 9112 §4",
  },
  "head-cut": {
    exit: "answer",
    says: "The answer of {place} was cut: the connection {how} in the middle of its head",
    change: "check the server and each proxy for a limit or a crash while it writes the head",
    rule: "RFC 9112 §8",
  },
  "head-unfinished": {
    exit: "answer",
    says: "The head of the answer began and did not end within {seconds} s: the empty line after the fields is missing",
    change: "let the server end its head with CRLF CRLF, and flush it",
    rule: "RFC 9112 §2.1",
  },
  "malformed-answer": {
    exit: "answer",
    says: "The answer breaks the grammar of HTTP: {message}",
    change: "correct what the server writes; the answer is below",
    rule: "RFC 9112 §5",
  },
  "no-connection-option": {
    exit: "answer",
    says: "The 101 has no Connection: Upgrade",
    change:
      "send Connection: Upgrade in the 101; a proxy that removes it does not relay the upgrade: {fix}",
    rule: "RFC 9110 §7.8: a sender of Upgrade must also send the connection option",
  },
  "no-upgrade-field": {
    exit: "answer",
    says: "The 101 has no Upgrade, so it does not say to what it switches",
    change:
      "send Upgrade: {protocol} in the 101; a proxy that removes it does not relay the upgrade: {fix}",
    rule: "RFC 9110 §15.2.2",
  },
  "protocol-not-offered": {
    exit: "answer",
    says: "The 101 switches to {chosen}, which was not offered ({protocol} was)",
    change: "let the server choose one of what the request offers",
    rule: "RFC 9110 §7.8",
  },
  "old-101": {
    exit: "answer",
    says: "The 101 says HTTP/1.0, which knows no upgrade",
    change: "let the server or the proxy speak HTTP/1.1: {fix}",
    rule: "RFC 9110 §7.8",
  },
  "unasked-101": {
    exit: "answer",
    says: "A 101 came that nothing had proposed",
    change: "let the server answer 101 only to a proposal",
    rule: "RFC 9110 §15.2.2",
  },
  "no-accept-key": {
    exit: "answer",
    says: "The 101 has no Sec-WebSocket-Accept: what answered is no WebSocket server, or a proxy removed it",
    change: "check which server has this path, and that proxies keep Sec-WebSocket-* fields",
    rule: "RFC 6455 §4.1",
  },
  "wrong-accept-key": {
    exit: "answer",
    says: "Sec-WebSocket-Accept is wrong: {found}",
    change:
      "base64(SHA-1(key + 258EAFA5-E914-47DA-95CA-C5AB0DC85B11)) of the received key; if the server is right, a cache or a proxy changed the key",
    rule: "RFC 6455 §4.1",
  },
  "repeated-field": {
    exit: "answer",
    says: "The 101 has {found} twice",
    change: "send it once: often both the server and a proxy add it",
    rule: "RFC 6455 §11.3",
  },
  "subprotocol-not-offered": {
    exit: "answer",
    says: "The server chose the subprotocol {found}, which was not offered{offered}",
    change:
      "offer it with --subprotocol if the client speaks it, or let the server choose from the offer or choose none",
    rule: "RFC 6455 §4.1",
  },
  "extension-not-offered": {
    exit: "answer",
    says: "The server uses the extension {found}, which was not offered",
    change: "turn it off in the server, or in the proxy that adds Sec-WebSocket-Extensions",
    rule: "RFC 6455 §9.1",
  },
  "malformed-extensions": {
    exit: "answer",
    says: "Sec-WebSocket-Extensions of the 101 breaks its rules: {found}",
    change: "correct the parameters in the server, or turn compression off there",
    rule: "RFC 7692 §7.1",
  },
  "wrong-agreement": {
    exit: "answer",
    says: "The 101 does not fit what was offered: {message}",
    change: "see the request and the answer below",
    rule: "RFC 9110 §7.8",
  },
  "exchange-failed": {
    exit: "answer",
    says: "The exchange with {place} failed: {message}",
    change: "see the evidence below",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;

export const AFTER = {
  "ended-at-once": {
    exit: "after",
    says: "It switched, and then the other side {how} at once",
    change:
      "look at the log of the server: its handler of {protocol} failed, or the proxy does not relay the tunnel",
    rule: "RFC 9110 §7.8",
  },
  "no-frames": {
    exit: "after",
    says: "It switched, and what came then is not WebSocket: {message}",
    change: "check which program has this path: it answers 101 and speaks something else",
    rule: "RFC 6455 §5",
  },
  "no-pong": {
    exit: "after",
    says: "It switched, and no pong came to a ping within {seconds} s: bytes do not pass after the 101",
    change: "check that each proxy relays both directions without buffering: {fix}",
    rule: "RFC 6455 §5.5.2",
  },
  "no-echo": {
    exit: "after",
    says: "It switched, and the first bytes did not come back within {seconds} s",
    change:
      "check that the other end echoes, and that each proxy relays bytes that follow the request at once",
    rule: "RFC 9110 §7.8",
  },
  "idle-cut": {
    exit: "after",
    says: "The connection was cut after {cut} s of silence",
    change: "{idle}; or send a ping more often than that",
    rule: "RFC 9112 §9.5",
  },
  "half-close-lost": {
    exit: "after",
    says: "Half-close does not survive: after our side had ended, the other side {how} before its last bytes",
    change:
      "use a proxy that relays FIN (nginx and haproxy close both sides by their timeouts), or end the protocol by a message of its own",
    rule: "RFC 9293 §3.6",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;

export const HEALTHY = {
  "switched": {
    exit: "healthy",
    says: "It switched to {protocol}, and everything tried after the switch works",
    change: "nothing",
  },
  "switched-lower-case": {
    exit: "healthy",
    says: "It switched to {protocol}; the field names of the 101 are in lower case ({names})",
    change:
      "nothing for clients that follow the rule; if one fails here, it compares names exactly: a proxy that lower-cases does this (haproxy: h1-case-adjust)",
    rule: "RFC 9110 §5.1: field names are case-insensitive",
  },
  "switched-in-pieces": {
    exit: "healthy",
    says: "It switched to {protocol}; the 101 came in {pieces} pieces",
    change:
      "nothing for clients that read to the empty line; if one fails here, it expects the 101 in one read",
    rule: "RFC 9112 §2.2",
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;
