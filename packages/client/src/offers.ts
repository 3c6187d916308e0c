// application → [offers] → request; response → [offers] → agreement: the protocols of one proposal

import {
  type AcceptingResponse,
  Headers,
  type HeadersInit,
  LocalProtocolError,
  type Offer,
  type Proposable,
  RemoteProtocolError,
  withUpgrade,
} from "@upgrade/core";
import {
  AgreementFailed,
  handled,
  isThenable,
  listMembers,
  offerOf,
  protocolOf,
} from "@upgrade/core/io";

/** The protocols that a request offers, in order of preference. */
export class Offers {
  readonly #offers: readonly (readonly [token: string, Offer<unknown>])[];

  private constructor(offers: readonly (readonly [string, Offer<unknown>])[]) {
    this.#offers = offers;
  }

  /**
   * The offers of these protocols; none for a request whose headers propose.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`: a protocol is none, or there is none in the list.
   */
  static of(given: Proposable | readonly Proposable[] | undefined): Offers {
    if (given === undefined) return new Offers([]);
    const protocols = (Array.isArray(given) ? [...(given as unknown[])] : [given]) as Proposable[];
    if (protocols.length === 0) {
      throw new LocalProtocolError("INVALID_OPTION", "protocol is an empty list");
    }
    return new Offers(
      protocols.map(protocolOf).map((one) => [one.token, offerOf(one, "1.1")] as const),
    );
  }

  /** The headers of the request, with what the protocols add, and with the proposal. */
  addTo(headers: HeadersInit | undefined): HeadersInit | undefined {
    if (this.#offers.length === 0) return headers;
    const own = Headers.from(headers).toFlat();
    const added = this.#offers.flatMap(([, offer]) => Headers.from(offer.headers).toFlat());
    const tokens = this.#offers.map(([token]) => token);
    return withUpgrade(Headers.fromFlat([...own, ...added]), tokens.join(", "));
  }

  /**
   * What the two ends agreed on, now that the server has accepted `protocol`.
   *
   * @throws {AgreementFailed}
   */
  verify(protocol: string, response: AcceptingResponse): unknown {
    // The request's own headers proposed.
    if (this.#offers.length === 0) return undefined;
    const named = protocol.toLowerCase();
    const accepted = this.#offers.find(([token]) => token.toLowerCase() === named);
    try {
      if (accepted === undefined) throw new RemoteProtocolError("BAD_SWITCH", faultOf(protocol));
      const [token, offer] = accepted;
      return settledNow(token, offer.verify(response));
    } catch (cause) {
      throw new AgreementFailed(protocol, response, cause);
    }
  }
}

// RFC 9110 §7.8 allows several, one on top of the other; no offer can verify such a stack.
function faultOf(protocol: string): string {
  const count = listMembers(protocol).length;
  return `it names ${count} protocols, and one at a time was offered`;
}

// A promise that rejects later would verify nothing.
function settledNow(token: string, agreement: unknown): unknown {
  if (!isThenable(agreement)) return agreement;
  handled(Promise.resolve(agreement));
  throw new LocalProtocolError("INVALID_OPTION", `verify() of ${token} must not return a promise`);
}
