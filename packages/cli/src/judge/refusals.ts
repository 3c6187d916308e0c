// facts → [judge] → verdict: an ordinary response to a proposal

import type { AnswerFacts, Facts } from "../facts.ts";
import { softwareOr } from "../verdicts/hops.ts";
import { type Verdict, type VerdictId, verdict } from "../verdicts/verdicts.ts";
import { fieldOf, hopOf, relayOf, saidBy, softwareOf } from "./wording.ts";

/** The verdict on a refusal, by its status, if the status says it all. */
const BY_STATUS = {
  301: "redirect",
  302: "redirect",
  303: "redirect",
  307: "redirect",
  308: "redirect",
  401: "not-authenticated",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  400: "bad-request",
  410: "not-found",
  413: "too-large",
  414: "too-large",
  421: "misdirected",
  429: "too-many",
  431: "too-large",
  500: "server-failed",
  501: "not-implemented",
  502: "gateway-failed",
  503: "unavailable",
  504: "gateway-failed",
} as const satisfies Readonly<Record<number, VerdictId>>;

export function judgeRefusal(answer: AnswerFacts, { target, exchange, control }: Facts): Verdict {
  const status = answer.status!;
  const { fields } = answer;
  const asked = fieldOf(fields, "upgrade");
  const versions = fieldOf(fields, "sec-websocket-version");
  const blanks = {
    status,
    hop: hopOf(answer),
    said: saidBy(answer),
    fix: softwareOr(softwareOf(answer)).relays,
    host: target.host,
    method: target.method,
    protocol: target.protocols.join(", "),
    target: pathOf(exchange?.request.head ?? ""),
    asked: asked ?? "an upgrade",
    versions: versions ?? "",
    location: fieldOf(fields, "location") ?? "(no Location)",
    scheme: fieldOf(fields, "www-authenticate")?.split(" ")[0] ?? "no scheme",
    allow: fieldOf(fields, "allow") ?? "GET",
  };
  if (control.withoutBody === 101) return verdict("body-with-upgrade", blanks);
  if (isTooNew(versions, status)) return verdict("wrong-websocket-version", blanks);
  if (status === 426 && !asksForOurs(asked, target)) return verdict("other-protocol", blanks);
  if (status === 426) return verdict("upgrade-not-relayed", { ...blanks, hop: relayOf(answer) });
  if (hasBody(exchange) && BODY_REFUSALS.has(status)) {
    return verdict("body-with-upgrade", blanks);
  }
  if (status >= 200 && status <= 299) return verdict("upgrade-ignored", blanks);
  if (status === 400 && control.withoutProposal?.isSame === true && softwareOf(answer)) {
    return verdict("upgrade-ignored", blanks);
  }
  const known = Object.hasOwn(BY_STATUS, status)
    ? BY_STATUS[status as keyof typeof BY_STATUS]
    : undefined;
  return verdict(known ?? (status >= 500 ? "server-failed" : "refused"), blanks);
}

/** Statuses with which a hop refuses that an upgrade has a body. */
const BODY_REFUSALS = new Set([400, 411, 413, 501]);

function hasBody(exchange: Facts["exchange"]): boolean {
  const head = exchange?.request.head ?? "";
  return /^(?:transfer-encoding:|content-length: *[1-9])/im.test(head);
}

// A 426 for a version lists those that it knows (RFC 6455 §4.4).
function isTooNew(versions: string | undefined, status: number): boolean {
  return versions !== undefined && !versions.split(/\s*,\s*/).includes("13") && status >= 400;
}

function asksForOurs(asked: string | undefined, { protocols }: Facts["target"]): boolean {
  if (asked === undefined) return true;
  const listed = asked.toLowerCase().split(/\s*,\s*/);
  return protocols.some((protocol) => listed.includes(protocol.toLowerCase()));
}

const pathOf = (head: string): string => head.split(" ")[1] ?? "/";
