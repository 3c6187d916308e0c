// bytes → parser → [field line] → headers: split at its colon and its line end

import { isWhiteSpace } from "../base/tokens.ts";

/**
 * Splits the field line at `at` (RFC 9112 §5): pushes the start and end of its name, and the start
 * and end of its value. Checks nothing; a line without a colon is all name.
 *
 * @returns The start of the next line.
 */
export function cutFieldLine(text: string, at: number, offsets: number[]): number {
  const crlf = text.indexOf("\r\n", at);
  const lineEnd = crlf === -1 ? text.length : crlf;
  const colon = text.indexOf(":", at);
  const nameEnd = colon === -1 || colon > lineEnd ? lineEnd : colon;
  let valueStart = nameEnd === lineEnd ? lineEnd : nameEnd + 1;
  let valueEnd = lineEnd;
  while (valueStart < valueEnd && isWhiteSpace(text.charCodeAt(valueStart))) valueStart++;
  while (valueEnd > valueStart && isWhiteSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
  offsets.push(at, nameEnd, valueStart, valueEnd);
  return lineEnd + 2;
}
