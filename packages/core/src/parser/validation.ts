// bytes → parser → [checks of received heads] → events: the rules beyond the grammar

import { type RemoteCode, RemoteProtocolError } from "../base/errors.ts";
import type { RequestEvent, ResponseEvent } from "../message/events.ts";
import { expectationsOf, type Facts } from "../message/facts.ts";
import {
  type Framing,
  type FramingFault,
  isEmpty,
  requestFraming,
  responseFraming,
} from "../message/framing.ts";
import { type Answer, answerTo, type Proposal, proposalOf } from "../message/switching.ts";
import { faultOfHost } from "../message/target.ts";
import type { Version } from "../message/version.ts";
import type { RequestHead, ResponseHead } from "./head.ts";

/** @throws {RemoteProtocolError} for a request that is well formed but must be refused. */
export function validateRequest(head: RequestHead): RequestEvent {
  const { method, target, version, headers, facts } = head;
  const badHost = faultOfHost(version, facts);
  if (badHost !== undefined) throw refused("BAD_HOST", badHost);
  const framing = framed(requestFraming(method, version, facts));
  const expectsContinue = expectation(version, facts) && !isEmpty(framing);
  const proposal = proposalOf(method, target, version, facts);
  return { type: "request", method, target, version, headers, framing, proposal, expectsContinue };
}

/** @throws {RemoteProtocolError} for a response that cannot answer the request. */
export function validateResponse(
  head: ResponseHead,
  request: { readonly method: string; readonly proposal: Proposal | undefined },
): { event: ResponseEvent; answer: Answer } {
  const { status, reason, version, headers, facts } = head;
  const answer = answerTo(request.proposal, status, version, facts);
  if (answer === "invalid") {
    const proposed = request.proposal?.kind === "upgrade";
    throw proposed
      ? refused("BAD_SWITCH", faultOfSwitch(version, facts))
      : refused("UNEXPECTED_SWITCH", "");
  }
  const framing = framed(responseFraming(request.method, status, version, facts));
  const type = answer === "interim" ? "interim-response" : "response";
  return { event: { type, status, reason, version, headers, framing }, answer };
}

// RFC 9110 §10.1.1: HTTP/1.0 ignores it; an unknown expectation cannot be met.
function expectation(version: Version, facts: Facts): boolean {
  if (version === "1.0" || facts.expect === undefined) return false;
  const expectations = expectationsOf(facts);
  if (expectations.size === 0) return false;
  if (expectations.size === 1 && expectations.has("100-continue")) return true;
  throw refused("UNKNOWN_EXPECTATION", "");
}

function faultOfSwitch(version: Version, facts: Facts): string {
  if (version === "1.0") return "it is HTTP/1.0";
  if (facts.upgrade === undefined) return "it has no Upgrade";
  if (!facts.connectionUpgrade) return "its Connection does not have the option upgrade";
  return "its Upgrade names no offered protocol, or others as well";
}

function framed(framing: Framing | FramingFault): Framing {
  if ("remote" in framing) throw refused(framing.remote, framing.detail);
  return framing;
}

function refused(code: RemoteCode, detail: string): RemoteProtocolError {
  return new RemoteProtocolError(code, detail, { phase: "head" });
}
