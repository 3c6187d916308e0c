// events ↔ [protocol] ↔ application: what a switch leads to, as one object for both ends

import { LocalProtocolError } from "../base/errors.ts";
import { inWords } from "../base/options.ts";
import { isProtocol } from "../base/tokens.ts";
import type { Headers, HeadersInit } from "./headers.ts";
import type { Version } from "./version.ts";

/** The version of HTTP that carries a proposal. */
export type HttpVersion = Version | "2";

/** The head of a request that proposes a protocol. */
export interface ProposedRequest {
  readonly method: string;
  readonly target: string;
  readonly version: HttpVersion;
  readonly headers: Headers;
}

/** The head of the response that accepts it. */
export interface AcceptingResponse {
  readonly status: number;
  readonly version: HttpVersion;
  readonly headers: Headers;
}

/**
 * A protocol that a request can propose: what each end adds to its head, and what the two agree on.
 * It sees heads and no io. The fields that propose and accept (`Connection` and `Upgrade` in
 * HTTP/1.1, `:protocol` in HTTP/2) are added to its headers.
 */
export interface Protocol<Agreement = undefined> {
  /** What names it in a proposal: `name`, or `name/version` (RFC 9110 §7.8). */
  readonly token: string;
  /** The client's side. Called once for each request. */
  offer(version: HttpVersion): Offer<Agreement>;
  /** The server's side: accepts a proposal, or refuses it with a response. */
  accept(request: ProposedRequest): Acceptance<Agreement> | Refusal;
}

/** What a client sends to propose a protocol, and how it checks the answer. */
export interface Offer<Agreement> {
  /** Sent after the request's own headers. */
  readonly headers?: HeadersInit | undefined;
  /**
   * What was agreed on. If it throws, the switch fails with `AGREEMENT_FAILED`, with the error as
   * its cause, and the io is aborted.
   */
  verify(response: AcceptingResponse): Agreement;
}

/** The proposal is accepted. */
export interface Acceptance<Agreement> {
  readonly agreement: Agreement;
  /** Sent with the head that accepts. */
  readonly headers?: HeadersInit | undefined;
}

/** The proposal is refused. */
export interface Refusal {
  readonly refusal: RefusingResponse;
}

/** The response that refuses a proposal. */
export interface RefusingResponse {
  /** 200 to 999. */
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** What a request can propose: a protocol, or a token if there is nothing to agree on. */
export type Proposable = Protocol<unknown> | string;

/** What two ends agree on that speak `P`: nothing, if it is only a token. */
export type AgreementOf<P> = P extends Protocol<infer Agreement> ? Agreement : undefined;

/**
 * A protocol as it was given; a token alone is a protocol with nothing to agree on.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: it is no protocol, or its token is no token.
 */
export function protocolOf<Agreement>(
  given: Protocol<Agreement> | string,
): Protocol<Agreement | undefined> {
  const protocol = typeof given === "string" ? bare(given) : given;
  const missing = missingIn(protocol);
  if (missing !== undefined) {
    const shape = "an object with token, offer() and accept(), or a token alone";
    throw new LocalProtocolError("INVALID_OPTION", `protocol ${missing}; it is ${shape}`);
  }
  if (!isProtocol(protocol.token)) {
    const rule = "a token is name or name/version; several protocols are a list";
    throw new LocalProtocolError("INVALID_OPTION", `${JSON.stringify(protocol.token)}: ${rule}`);
  }
  return protocol;
}

function bare(token: string): Protocol {
  return {
    token,
    offer: () => ({ verify: () => undefined }),
    accept: () => ({ agreement: undefined }),
  };
}

function missingIn(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return `is ${inWords(given)}`;
  const { token, offer, accept } = given as Partial<Protocol>;
  if (typeof token !== "string") return "has no token";
  if (typeof offer !== "function") return `${token} has no offer()`;
  return typeof accept === "function" ? undefined : `${token} has no accept()`;
}

/**
 * The offer of a protocol, for one request.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: `offer()` returned something else.
 */
export function offerOf<Agreement>(
  protocol: Protocol<Agreement>,
  version: HttpVersion,
): Offer<Agreement> {
  const offer = protocol.offer(version);
  if (typeof offer?.verify === "function") return offer;
  throw returned(protocol, "offer()", "an object with verify()");
}

/**
 * What a protocol decides about a request that proposes it.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: `accept()` returned something else.
 */
export function decisionOf<Agreement>(
  protocol: Protocol<Agreement>,
  request: ProposedRequest,
): Acceptance<Agreement> | Refusal {
  const decision: unknown = protocol.accept(request);
  const isOne =
    typeof decision === "object" &&
    decision !== null &&
    ("agreement" in decision || "refusal" in decision);
  if (isOne) return decision as Acceptance<Agreement> | Refusal;
  throw returned(protocol, "accept()", "{ agreement } or { refusal }");
}

function returned({ token }: Protocol<unknown>, call: string, wanted: string): LocalProtocolError {
  return new LocalProtocolError("INVALID_OPTION", `${call} of ${token} must return ${wanted}`);
}
