// facts → [picture] → report: the hops in a row, and where it broke

import type { Facts } from "../facts.ts";
import { fieldOf, placeOf } from "../judge/wording.ts";
import type { Verdict } from "../verdicts/verdicts.ts";

/** A hop, and how it is reached from the one before. */
export interface Hop {
  readonly name: string;
  /** What is spoken on the way to it. */
  readonly by: string;
  readonly isReached: boolean;
}

/** The hops after us, in order, as far as they are known. */
export function hopsOf({ target, dial, proxy, proxyTls, tls, exchange }: Facts): Hop[] {
  const hops: Hop[] = [];
  const isDialed = dial !== undefined && dial.failure === undefined;
  const hasProxy = proxy !== undefined || proxyTls !== undefined || isElsewhere({ dial, target });
  if (hasProxy && dial !== undefined) {
    const by = proxyTls === undefined ? "TCP" : "TLS";
    hops.push({ name: `proxy ${dial.to}`, by, isReached: isDialed });
  }
  const isTunneled = proxy?.status !== undefined && proxy.status < 300;
  const isSecured = !target.isSecure || (tls !== undefined && tls.failure === undefined);
  const isTrusted = tls?.distrust === undefined || exchange !== undefined;
  const isReached = (hasProxy ? isTunneled : isDialed) && isSecured && isTrusted;
  const by = [hasProxy ? "CONNECT" : "TCP", ...(target.isSecure ? ["TLS"] : [])].join(" + ");
  const server = fieldOf(exchange?.answer?.fields ?? [], "server");
  const name = server === undefined ? placeOf(target) : `${placeOf(target)} (${server})`;
  hops.push({ name, by, isReached });
  // The one nearest to the origin is first in the list (RFC 9110 §7.6.3).
  const via = fieldOf(exchange?.answer?.fields ?? [], "via")?.split(/\s*,\s*/) ?? [];
  for (const one of via.reverse()) hops.push({ name: `via ${one}`, by: "HTTP", isReached: true });
  return hops;
}

function isElsewhere({ dial, target }: Pick<Facts, "dial" | "target">): boolean {
  return dial !== undefined && dial.to !== placeOf(target);
}

/** The hops in one line: `you ──TCP── a ──TLS──✗ b`. */
export function picture(facts: Facts, { class: exit }: Verdict): string {
  const hops = hopsOf(facts);
  const first = hops.findIndex(({ isReached }) => !isReached);
  const shown = first < 0 ? hops : hops.slice(0, first + 1);
  const links = shown.map(
    ({ name, by, isReached }) => ` ──${by}──${isReached ? "▶" : "✗"} ${name}`,
  );
  const end = exit === "healthy" ? " ✓" : first < 0 ? " ✗" : "";
  return `you${links.join("")}${end}`;
}
