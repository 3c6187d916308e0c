// service ← [switching] ← protocols: a service that switches to the protocols it is made of

import {
  type Acceptance,
  type AgreementOf,
  LocalProtocolError,
  type Proposable,
  type Protocol,
  type Refusal,
} from "@upgrade/core";
import { abortIo, decisionOf, inWords, type Parts, protocolOf } from "@upgrade/core/io";
import type { ServerRequest } from "./request.ts";
import type { ServerResponse, Service } from "./service.ts";

/**
 * Speaks a protocol after its switch. If it throws, the io is aborted, and `onError` gets the error.
 */
export type Speak<IO, Agreement> = (
  parts: Parts<IO>,
  agreement: Agreement,
  request: ServerRequest<IO>,
) => void | Promise<void>;

/** A protocol, and what speaks it. */
export type Spoken<IO, P extends Proposable = Proposable> = readonly [
  protocol: P,
  speak: Speak<IO, AgreementOf<P>>,
];

/**
 * A service that switches to these protocols. Of those that a client offers, in its order of
 * preference, the first that is known and accepts wins. If only refusals remain, the first is sent.
 *
 * Everything else is left to `otherwise`: a request that proposes nothing, or nothing known, or a
 * CONNECT. Without it, the response is a 426 that names the protocols, and a 501 to CONNECT. See
 * docs/guides/your-own-protocol.md.
 *
 * The io is that of the service which is asked for, or what the functions that speak say it is;
 * `otherwise` may take any io that this is one of.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: a protocol or a token is none, is listed twice, or
 *   has no function that speaks it.
 */
export function switching<IO extends Left, const Ps extends readonly Proposable[], Left = IO>(
  // Without the empty list, TypeScript before 5.4 takes the argument for an array of one type.
  protocols: { readonly [I in keyof Ps]: Spoken<IO, Ps[I]> } | [],
  otherwise?: Service<Left>,
): Service<IO> {
  const known = tableOf(protocols as readonly Spoken<IO>[]);
  if (otherwise !== undefined && typeof otherwise !== "function") {
    const came = inWords(otherwise);
    throw new LocalProtocolError("INVALID_OPTION", `otherwise is ${came}, not a service`);
  }
  const upgrade = [...known.values()].map(({ protocol }) => protocol.token).join(", ");
  return (request) => {
    const decided = decide(known, request);
    if (decided === undefined) return (otherwise ?? unknown)(request);
    return "refusal" in decided ? decided.refusal : accept(request, decided);
  };

  function unknown({ proposal }: ServerRequest<IO>): ServerResponse {
    // RFC 9110 §15.6.2: no tunnel is opened here for any target.
    if (proposal?.kind === "connect") return { status: 501 };
    return {
      status: 426,
      headers: { "Upgrade": upgrade, "Content-Type": "text/plain" },
      body: `This service speaks ${upgrade}, which a request must propose with Upgrade.\n`,
    };
  }
}

interface Known<IO> {
  readonly protocol: Protocol<unknown>;
  readonly speak: Speak<IO, unknown>;
}

/** By token, in lower case. */
type Table<IO> = ReadonlyMap<string, Known<IO>>;

function tableOf<IO>(protocols: readonly Spoken<IO>[]): Table<IO> {
  if (!Array.isArray(protocols) || protocols.length === 0) {
    throw new LocalProtocolError("INVALID_OPTION", "protocols is a list of [protocol, speak]");
  }
  const table = new Map<string, Known<IO>>();
  for (const one of protocols as readonly unknown[]) {
    const [given, speak] = Array.isArray(one) ? (one as unknown[]) : [one];
    const protocol = protocolOf(given as Proposable);
    const { token } = protocol;
    if (typeof speak !== "function") {
      const came = inWords(speak);
      throw new LocalProtocolError(
        "INVALID_OPTION",
        `what speaks ${token} is ${came}, not a function`,
      );
    }
    if (table.has(token.toLowerCase())) {
      throw new LocalProtocolError("INVALID_OPTION", `${token} is listed twice`);
    }
    table.set(token.toLowerCase(), { protocol, speak: speak as Speak<IO, unknown> });
  }
  return table;
}

interface Accepted<IO> {
  /** As the client spelled it. */
  readonly token: string;
  readonly speak: Speak<IO, unknown>;
  readonly acceptance: Acceptance<unknown>;
}

function decide<IO>(
  known: Table<IO>,
  request: ServerRequest<IO>,
): Accepted<IO> | Refusal | undefined {
  const { proposal } = request;
  if (proposal?.kind !== "upgrade") return undefined;
  let first: Refusal | undefined;
  for (const token of proposal.protocols) {
    const one = known.get(token.toLowerCase());
    if (one === undefined) continue;
    const decision = decisionOf(one.protocol, request);
    if (!("refusal" in decision)) return { token, speak: one.speak, acceptance: decision };
    first ??= decision;
  }
  return first;
}

async function accept<IO>(
  request: ServerRequest<IO>,
  { token, speak, acceptance }: Accepted<IO>,
): Promise<void> {
  const parts = await request.switchTo(token, { headers: acceptance.headers });
  try {
    await speak(parts, acceptance.agreement, request);
  } catch (error) {
    abortIo(parts.io, error);
    throw error;
  }
}
