// The failure of a switch that the server accepted, but not as the protocol offered it.

import { brand, RemoteProtocolError } from "../base/errors.ts";

/** The `verify` of a protocol threw: its error is the `cause`. */
export class AgreementFailed extends RemoteProtocolError {
  static override readonly brand: string = "AgreementFailed";
  /** The response that accepted the switch. Not enumerable, so consoles do not print it. */
  declare readonly response: unknown;

  constructor(token: string, response: unknown, cause: unknown) {
    super("AGREEMENT_FAILED", wordsOf(token, cause), { cause, phase: "switch" });
    Object.defineProperty(this, "response", { value: response });
  }
}
brand(AgreementFailed);

function wordsOf(token: string, cause: unknown): string {
  return cause instanceof Error ? `${token}: ${cause.message}` : token;
}
