// facts → [judge] → verdict, or nothing: the answer to the proposal

import type { AnswerFacts, ExchangeFacts, Facts } from "../facts.ts";
import { softwareOr } from "../verdicts/hops.ts";
import { type Verdict, verdict } from "../verdicts/verdicts.ts";
import { withScheme } from "./reaching.ts";
import { judgeRefusal } from "./refusals.ts";
import { fieldOf, placeOf, seconds, softwareOf } from "./wording.ts";

export function judgeExchange(facts: Facts): Verdict | undefined {
  const { exchange, control, target } = facts;
  if (exchange === undefined || exchange.isSwitched) return undefined;
  const { answer } = exchange;
  const place = placeOf(target);
  if (control.speaksTls) return verdict("tls-port", { place, other: withScheme(target, "secure") });
  if (answer === undefined) return judgeSilence(exchange, facts);
  if (answer.status === undefined) return judgeNoise(answer, facts);
  if (/plain HTTP request was sent to HTTPS port/i.test(answer.body)) {
    return verdict("tls-port", { place, other: withScheme(target, "secure") });
  }
  if (!answer.isWhole) return judgeCut(exchange, facts);
  if (answer.status === 101) return judge101(answer, exchange, facts);
  if (exchange.failure !== undefined && answer.status < 200) return failed(exchange, place);
  return judgeRefusal(answer, facts);
}

function judgeSilence({ ending, failure }: ExchangeFacts, { target, tls }: Facts): Verdict {
  const place = placeOf(target);
  // In TLS 1.3 the server asks for the client's certificate after the handshake.
  if (tls !== undefined && /CERTIFICATE_REQUIRED|BAD_CERTIFICATE/i.test(failure?.code ?? "")) {
    return verdict("tls-client-certificate", { place });
  }
  if (ending === "reset") return verdict("reset", { place });
  if (ending === "ended") return verdict("closed-without-answer", { place });
  return verdict("no-answer", { place, seconds: seconds(target.timeoutMs) });
}

// A settings frame of HTTP/2 on stream 0: 3 octets of length, type 4.
const H2_SETTINGS = /^0000[0-9a-f]{2}04[0-9a-f]{2}00000000/;
// An alert of TLS.
const TLS_ALERT = /^1503/;

function judgeNoise({ firstBytes, head }: AnswerFacts, { target, exchange }: Facts): Verdict {
  const place = placeOf(target);
  if (H2_SETTINGS.test(firstBytes)) {
    return verdict("h2-only", { place });
  }
  if (TLS_ALERT.test(firstBytes)) {
    return verdict("tls-port", { place, other: withScheme(target, "secure") });
  }
  const isBegun = Buffer.from(firstBytes, "hex").toString("latin1").startsWith("HTTP/1.");
  if (isBegun && head === "" && exchange !== undefined) {
    return verdict("malformed-answer", { message: exchange.failure?.message ?? "its first line" });
  }
  return verdict("not-http", { place, bytes: shown(firstBytes) });
}

function shown(hex: string): string {
  const text = Buffer.from(hex, "hex").toString("latin1");
  const isText = /^[\x20-\x7e\r\n\t]*$/.test(text);
  return isText ? JSON.stringify(text) : (hex.match(/../g)?.join(" ") ?? "");
}

function judgeCut({ ending }: ExchangeFacts, { target }: Facts): Verdict {
  const place = placeOf(target);
  if (ending === "open") return verdict("head-unfinished", { seconds: seconds(target.timeoutMs) });
  return verdict("head-cut", { place, how: ending === "reset" ? "was reset" : "ended" });
}

function judge101(answer: AnswerFacts, exchange: ExchangeFacts, { target }: Facts): Verdict {
  const { fields, version } = answer;
  const { failure } = exchange;
  const fix = softwareOr(softwareOf(answer)).relays;
  const protocol = target.protocols.join(", ");
  if (failure?.code === "AGREEMENT_FAILED") return judgeAgreement(exchange, fields, target);
  if (failure?.code === "UNEXPECTED_SWITCH") return verdict("unasked-101", {});
  if (failure?.code !== "BAD_SWITCH") {
    return verdict("malformed-answer", { message: failure?.message ?? "unknown" });
  }
  if (version === "1.0") return verdict("old-101", { fix });
  const options = (fieldOf(fields, "connection") ?? "").toLowerCase().split(/\s*,\s*/);
  if (!options.includes("upgrade")) return verdict("no-connection-option", { fix });
  const chosen = fieldOf(fields, "upgrade");
  if (chosen === undefined) return verdict("no-upgrade-field", { protocol, fix });
  return verdict("protocol-not-offered", { chosen, protocol });
}

/** The verdict on a WebSocket handshake, by the reason of its error. */
const AGREEMENTS = {
  "no-accept-key": "no-accept-key",
  "wrong-accept-key": "wrong-accept-key",
  "repeated-field": "repeated-field",
  "unknown-subprotocol": "subprotocol-not-offered",
  "unknown-extension": "extension-not-offered",
  "repeated-extension": "malformed-extensions",
  "malformed-extensions": "malformed-extensions",
  "wrong-deflate-parameters": "malformed-extensions",
} as const;

function judgeAgreement(
  { failure }: ExchangeFacts,
  fields: AnswerFacts["fields"],
  { subprotocols }: Facts["target"],
): Verdict {
  const { reason = "", message } = failure!;
  const known = Object.hasOwn(AGREEMENTS, reason)
    ? AGREEMENTS[reason as keyof typeof AGREEMENTS]
    : "wrong-agreement";
  const offered = subprotocols.length === 0 ? "" : ` (${subprotocols.join(", ")} was)`;
  return verdict(known, { message, offered, found: foundIn(reason, message, fields) });
}

function foundIn(reason: string, message: string, fields: AnswerFacts["fields"]): string {
  const quoted = (name: string) => JSON.stringify(fieldOf(fields, name) ?? "");
  // Its messages end in what was found.
  const after = message.slice(message.lastIndexOf(": ") + 2);
  if (reason === "wrong-accept-key") return after.replace(" is not ", ", and the key needs ");
  if (reason === "unknown-subprotocol") return quoted("sec-websocket-protocol");
  if (reason === "unknown-extension" || reason === "repeated-field") return after;
  return quoted("sec-websocket-extensions");
}

const failed = ({ failure }: ExchangeFacts, place: string): Verdict =>
  verdict("exchange-failed", { place, message: failure?.message ?? "unknown" });
