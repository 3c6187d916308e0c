// wire events → [meanings] → page, terminal: what each part of a handshake is for, and which rule says so

import type { Phase, State } from "./names.ts";

/** What something is for, in one sentence, and the rule. */
export interface Meaning {
  readonly says: string;
  /** For example `RFC 9110 §7.8`. */
  readonly rule?: string;
}

interface FieldMeaning {
  readonly request?: Meaning;
  readonly response?: Meaning;
  /** It takes part in the switch. */
  readonly switches?: true;
}

const both = (says: string, rule?: string): FieldMeaning => {
  const meaning = rule === undefined ? { says } : { says, rule };
  return { request: meaning, response: meaning };
};

/** By the name of the field, in lower case. */
export const FIELDS: Readonly<Record<string, FieldMeaning>> = {
  "host": both("Which site is meant. A request of HTTP/1.1 must have it.", "RFC 9112 §3.2"),
  "connection": {
    switches: true,
    request: {
      says: "Lists the fields meant for this connection alone, so that no proxy passes them on. Without “Upgrade” here, the field Upgrade is ignored.",
      rule: "RFC 9110 §7.6.1",
    },
    response: {
      says: "“Upgrade” marks the field Upgrade as meant for this connection. “close” says that the connection ends after this response.",
      rule: "RFC 9110 §7.6.1",
    },
  },
  "upgrade": {
    switches: true,
    request: {
      says: "The proposal: the client would like to speak this protocol on the same connection. The server is free to go on in HTTP.",
      rule: "RFC 9110 §7.8",
    },
    response: {
      says: "In a 101: the protocol that comes next. In a 426: the protocol that would have been accepted.",
      rule: "RFC 9110 §7.8",
    },
  },
  "sec-websocket-version": {
    switches: true,
    request: { says: "The version of WebSocket. It is always 13.", rule: "RFC 6455 §4.1" },
    response: { says: "The version that the server speaks.", rule: "RFC 6455 §4.4" },
  },
  "sec-websocket-key": {
    switches: true,
    request: {
      says: "16 random bytes in base64. The server must answer with a value computed from them, so an old response from a cache cannot pass for a switch. It is no secret.",
      rule: "RFC 6455 §4.1",
    },
  },
  "sec-websocket-accept": {
    switches: true,
    response: {
      says: "SHA-1 of the key and a fixed text, in base64: the proof that the server read this very request and speaks WebSocket.",
      rule: "RFC 6455 §4.2.2",
    },
  },
  "sec-websocket-protocol": {
    switches: true,
    request: {
      says: "The subprotocols the client speaks, best first: what the messages will mean.",
      rule: "RFC 6455 §1.9",
    },
    response: {
      says: "The one that the server chose among those offered.",
      rule: "RFC 6455 §4.2.2",
    },
  },
  "sec-websocket-extensions": {
    switches: true,
    request: {
      says: "Changes to the framing the client can do, here compression.",
      rule: "RFC 7692 §7",
    },
    response: { says: "The extensions that both ends now use.", rule: "RFC 7692 §7" },
  },
  "origin": {
    switches: true,
    request: {
      says: "Which site's page asks. Any page may open a WebSocket to any server, so the server must look, and refuses pages of others.",
      rule: "RFC 6455 §10.2",
    },
  },
  "content-length": both("How many bytes of body follow the head.", "RFC 9112 §6.2"),
  "transfer-encoding": both("The body is sent in pieces, each with its length.", "RFC 9112 §6.1"),
  "content-type": both("What the body is.", "RFC 9110 §8.3"),
  "date": both("When the message was made.", "RFC 9110 §6.6.1"),
  "allow": both("The methods that this address takes.", "RFC 9110 §10.2.1"),
  "user-agent": both("Which program asks. It plays no part in the switch.", "RFC 9110 §10.1.5"),
  "accept-encoding": both(
    "Compressions of a body. It plays no part in the switch.",
    "RFC 9110 §12.5.3",
  ),
  "accept-language": both(
    "Languages of a body. It plays no part in the switch.",
    "RFC 9110 §12.5.4",
  ),
  "cache-control": both("For caches. It plays no part in the switch.", "RFC 9111 §5.2"),
  "pragma": both("For caches of HTTP/1.0. It plays no part in the switch.", "RFC 9111 §5.4"),
  "cookie": both(
    "What the site stored in the browser, sent by any page's request. Its value is hidden here.",
    "RFC 6265 §5.4",
  ),
  "authorization": both("Credentials. Their value is hidden here.", "RFC 9110 §11.6.2"),
};

/** By status. */
export const STATUSES: Readonly<Record<number, Meaning>> = {
  101: {
    says: "The server agrees. After the empty line that ends this head, neither side speaks HTTP.",
    rule: "RFC 9110 §15.2.2",
  },
  400: {
    says: "The request is wrong. Nothing has switched; the body says what is wrong.",
    rule: "RFC 9110 §15.5.1",
  },
  403: {
    says: "The server understood, and refuses. Nothing has switched.",
    rule: "RFC 9110 §15.5.4",
  },
  404: {
    says: "There is nothing at this address. Nothing has switched.",
    rule: "RFC 9110 §15.5.5",
  },
  405: {
    says: "This address does not take this method. Nothing has switched.",
    rule: "RFC 9110 §15.5.6",
  },
  426: {
    says: "The server would answer in another protocol only, and the field Upgrade names it.",
    rule: "RFC 9110 §15.5.22",
  },
  503: {
    says: "Not now, for example because the room is full. Nothing has switched.",
    rule: "RFC 9110 §15.6.4",
  },
};

/** What each state of a role means. */
export const STATES: Readonly<Record<State, string>> = {
  "idle": "has sent nothing yet",
  "send-response": "has to answer",
  "send-body": "is sending a body",
  "done": "has sent its whole message",
  "must-close": "has sent its last message",
  "closed": "has ended its side",
  "might-switch-protocol": "has proposed, and waits",
  "switched-protocol": "no longer speaks HTTP",
  "error": "broke the rules",
};

/** What each phase of a connection means. */
export const PHASES: Readonly<Record<Phase, string>> = {
  "http": "messages of HTTP may go both ways",
  "switching": "both agreed; the 101 is being written",
  "finishing": "HTTP is over; our last bytes are being written",
  "lingering": "our side has ended; waiting for the other's end",
  "kept-open": "HTTP is over; the socket waits for its next owner",
  "released": "the socket belongs to the next protocol",
  "down": "the socket is shut down or gone",
};

/** What a field is for in this kind of message. */
export function fieldMeaning(name: string, of: "request" | "response"): Meaning | undefined {
  const field = FIELDS[name.toLowerCase()];
  return field?.[of];
}

/** Whether a field takes part in a switch. */
export function switches(name: string): boolean {
  return FIELDS[name.toLowerCase()]?.switches === true;
}

/** Where a rule like `RFC 9110 §7.8` can be read. */
export function ruleUrl(rule: string): string {
  const [, rfc, section] = /^RFC (\d+) §([\d.]+)$/.exec(rule)!;
  return `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`;
}
