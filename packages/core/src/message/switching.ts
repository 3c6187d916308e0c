// bytes → parser → events → [switching] → connection: was a switch proposed, and was it accepted?

import { isProtocol, listMembers } from "../base/tokens.ts";
import { type Authority, authorityOf } from "./authority.ts";
import type { Facts } from "./facts.ts";
import type { Version } from "./version.ts";

/** What a request offers to switch to (RFC 9110 §7.8, §9.3.6). */
export class Proposal {
  readonly kind: "upgrade" | "connect";
  /** The offered protocols, verbatim, in the client's order of preference; empty for CONNECT. */
  readonly protocols: readonly string[];
  /**
   * Where a CONNECT leads, in one spelling: a name in lower case without a dot at its end, or an IP
   * address, without brackets. `127.1`, `0x7f000001` and `[::ffff:127.0.0.1]` are all `127.0.0.1`.
   * Undefined for an upgrade.
   */
  declare readonly host: string | undefined;
  /** The port of a CONNECT: 1 to 65,535. Undefined for an upgrade. */
  declare readonly port: number | undefined;

  /** @internal */
  constructor(
    kind: "upgrade" | "connect",
    protocols: readonly string[],
    authority: Authority | undefined,
  ) {
    this.kind = kind;
    this.protocols = Object.freeze(protocols);
    if (authority !== undefined) {
      this.host = authority.host;
      this.port = authority.port;
    }
    Object.freeze(this);
  }

  /** Whether the request offers `protocol`, name and version, ignoring case. */
  offers(protocol: string): boolean {
    const wanted = protocol.toLowerCase();
    return this.protocols.some((offered) => offered.toLowerCase() === wanted);
  }
}

/** How a response answers the proposal. */
export type Answer = "accepted" | "refused" | "interim" | "invalid";

/**
 * What a request proposes. A CONNECT always proposes a tunnel; an Upgrade counts only in HTTP/1.1
 * and with its connection option, and not if its list is malformed.
 */
export function proposalOf(
  method: string,
  target: string,
  version: Version,
  facts: Facts,
): Proposal | undefined {
  if (method === "CONNECT") return new Proposal("connect", [], authorityOf(target));
  if (facts.upgrade === undefined || !facts.connectionUpgrade) return undefined;
  // RFC 9110 §7.8: a server must ignore Upgrade in an HTTP/1.0 request.
  if (version === "1.0") return undefined;
  const members = listMembers(facts.upgrade);
  const isOffer = members.length > 0 && members.every(isProtocol);
  return isOffer ? new Proposal("upgrade", members, undefined) : undefined;
}

/** RFC 9110 §9.3.6: any 2xx to CONNECT opens the tunnel, 204 too. */
export function opensTunnel(method: string, status: number): boolean {
  return method === "CONNECT" && status >= 200 && status <= 299;
}

/** How a response answers a proposal, for both the sender and the receiver. */
export function answerTo(
  proposal: Proposal | undefined,
  status: number,
  version: Version,
  facts: Facts,
): Answer {
  if (status === 101) return acceptsUpgrade(proposal, version, facts) ? "accepted" : "invalid";
  if (status < 200) return "interim";
  // RFC 9110 §9.3.6: any 2xx opens the tunnel, 204 too.
  return proposal?.kind === "connect" && status <= 299 ? "accepted" : "refused";
}

// RFC 9110 §7.8: a 101 names only offered protocols, and has the connection option. framing.ts
// checks its framing fields, as in any other 1xx.
function acceptsUpgrade(proposal: Proposal | undefined, version: Version, facts: Facts): boolean {
  if (proposal?.kind !== "upgrade" || version !== "1.1") return false;
  if (!facts.connectionUpgrade) return false;
  const named = listMembers(facts.upgrade ?? "");
  return named.length > 0 && named.every((protocol) => proposal.offers(protocol));
}
