// service → [acceptance] → exchange: the head that accepts a proposal, and the first bytes after it

import {
  Headers,
  LocalProtocolError,
  type Prepared,
  type Proposal,
  type ResponseEvent,
  withUpgrade,
} from "@upgrade/core";
import { bodySource, checkOptions, type Driver, inWords, releaseBody } from "@upgrade/core/io";
import { SWITCH_OPTIONS, type SwitchOptions } from "./request.ts";
import type { ServerResponse } from "./service.ts";

/** The head that accepts a proposal, and the new protocol's first bytes. */
export interface Acceptance {
  readonly head: Prepared<ResponseEvent>;
  readonly firstBytes: string | Uint8Array | undefined;
}

/**
 * The response that `switchTo` sends.
 *
 * @throws {LocalProtocolError} `NO_PROPOSAL`, `NOT_OFFERED`, `INVALID_OPTION`.
 */
export function responseOfSwitch(
  proposal: Proposal | undefined,
  protocol: string | undefined,
  options: SwitchOptions,
): ServerResponse {
  if (proposal === undefined) throw new LocalProtocolError("NO_PROPOSAL");
  checkOptions(options, SWITCH_OPTIONS);
  const { reason, headers, firstBytes } = options;
  if (proposal.kind === "connect") {
    if (protocol !== undefined)
      throw new LocalProtocolError("NOT_OFFERED", "CONNECT offers no protocol");
    return { status: 200, reason, headers, firstBytes };
  }
  if (typeof protocol !== "string" || !proposal.offers(protocol)) {
    throw new LocalProtocolError("NOT_OFFERED");
  }
  return { status: 101, reason, headers: withUpgrade(Headers.from(headers), protocol), firstBytes };
}

/** Releases a stream passed as first bytes, where streams are not allowed. */
export function releaseFirstBytes(given: { readonly firstBytes?: unknown } | null): void {
  try {
    releaseBody(given?.firstBytes);
  } catch {
    // The property cannot be read.
  }
}

/**
 * Prepares a response that accepts the proposal, while the service can still send another.
 *
 * @throws {LocalProtocolError} `BODY_NOT_ALLOWED`, `INVALID_BODY`, `INVALID_HEADER`, …
 */
export function prepareAcceptance(
  driver: Driver,
  { status, reason, headers, body, firstBytes }: ServerResponse,
  date: string | undefined,
): Acceptance {
  if (bodySource(body).length !== 0) {
    throw new LocalProtocolError("BODY_NOT_ALLOWED", inWords(status));
  }
  const first = bodySource(firstBytes);
  if (first.isStreamed) throw new LocalProtocolError("INVALID_BODY", "firstBytes");
  const head = driver.http.prepare({ type: "response", status, reason, headers, date });
  return { head, firstBytes: first.whole };
}
