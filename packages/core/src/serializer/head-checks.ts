// bytes ← [checks of both kinds of heads] ← events

import { REMOTE_CODES } from "../base/codes.ts";
import { LocalProtocolError } from "../base/errors.ts";
import { isProtocol, listMembers, trimWhiteSpace } from "../base/tokens.ts";
import type { BodyLength } from "../message/events.ts";
import type { Facts } from "../message/facts.ts";
import type { Framing, FramingFault } from "../message/framing.ts";
import { type Headers, linesIn } from "../message/headers.ts";
import type { Version } from "../message/version.ts";

/** All lines as they are written. The headers were checked when they were made. */
export function fieldLines(headers: Headers): string {
  const lines = linesIn(headers);
  let text = "";
  for (let i = 0; i < lines.length; i++) text += `${lines.nameAt(i)}: ${lines.valueAt(i)}\r\n`;
  return text;
}

// RFC 9110 §7.8: Upgrade is connection-specific, so it needs its option; it names protocols.
export function checkUpgrade(version: Version, facts: Facts, addsOption = false): void {
  if (facts.upgrade === undefined) return;
  if (!facts.connectionUpgrade && !addsOption) {
    throw new LocalProtocolError("INVALID_UPGRADE", "Upgrade without Connection: Upgrade");
  }
  const members = facts.upgrade.split(",").map(trimWhiteSpace);
  if (!members.every(isProtocol) || listMembers(facts.upgrade).length === 0) {
    throw new LocalProtocolError("INVALID_UPGRADE", "Upgrade is not a list of protocols");
  }
  if (version === "1.0") throw new LocalProtocolError("INVALID_UPGRADE", "in HTTP/1.0");
}

/** What is written as a number must be one: a caller without types may pass anything. */
export function checkBodyLength(bodyLength: unknown): void {
  if (bodyLength === undefined || bodyLength === "unknown") return;
  if (Number.isSafeInteger(bodyLength) && (bodyLength as number) >= 0) return;
  const given = typeof bodyLength === "number" ? String(bodyLength) : `a ${typeof bodyLength}`;
  throw new LocalProtocolError("INVALID_FRAMING", `the length of a body cannot be ${given}`);
}

/** Checks that the length in the head is that of the body, if both are known. */
export function checkAgreement(framing: Framing, bodyLength: BodyLength | undefined): void {
  if (framing.kind !== "content-length" || typeof bodyLength !== "number") return;
  if (bodyLength === framing.length) return;
  const detail = `Content-Length ${framing.length}, a body of ${bodyLength}`;
  throw new LocalProtocolError("INVALID_FRAMING", detail);
}

/** The field line that frames the body, for a head without one. */
export function framingLine(framing: Framing): string {
  if (framing.kind === "chunked") return "Transfer-Encoding: chunked\r\n";
  return framing.kind === "content-length" ? `Content-Length: ${framing.length}\r\n` : "";
}

export function framingFault({ local, remote, detail }: FramingFault): LocalProtocolError {
  const { says } = REMOTE_CODES[remote];
  return new LocalProtocolError(local, detail === "" ? says : `${says}: ${detail}`);
}
