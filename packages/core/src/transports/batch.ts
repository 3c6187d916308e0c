// transport ← [batch] ← outbox: what leaves in one write

import { concat, textToLatin1 } from "../base/octets.ts";

/** What a transport writes: one text (one octet per character), or pieces in order. */
export type Batch = string | readonly (string | Uint8Array)[];

/** Copies a batch into one piece. */
export function joined(batch: Batch): Uint8Array {
  const pieces = typeof batch === "string" ? [batch] : batch;
  return concat(pieces.map((piece) => (typeof piece === "string" ? textToLatin1(piece) : piece)));
}
