// bytes ← [trailers] ← events: checked, then text

import { LocalProtocolError } from "../base/errors.ts";
import type { Framing } from "../message/framing.ts";
import { Headers, type HeadersInit, linesIn } from "../message/headers.ts";
import { NEVER_A_TRAILER } from "../message/trailer-names.ts";
import { fieldLines } from "./head-checks.ts";

/**
 * The lines of a trailer section.
 *
 * @throws {LocalProtocolError} `INVALID_TRAILER`, `INVALID_HEADER`.
 */
export function trailerLines(framing: Framing, init: HeadersInit | undefined): string {
  const trailers = Headers.from(init);
  const lines = linesIn(trailers);
  if (lines.length === 0) return "";
  if (framing.kind !== "chunked") {
    throw new LocalProtocolError("INVALID_TRAILER", `a body framed by ${framing.kind}`);
  }
  for (let i = 0; i < lines.length; i++) {
    const name = lines.nameAt(i);
    if (NEVER_A_TRAILER.has(name.toLowerCase())) {
      throw new LocalProtocolError("INVALID_TRAILER", name);
    }
  }
  return fieldLines(trailers);
}
