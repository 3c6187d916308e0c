// bytes → llhttp → [its error numbers, in our words] → head parser

import type { RemoteCode } from "../errors.ts";

/** llhttp's error numbers where they mean something else than a field line gone wrong. */
const CODES: { readonly [number: number]: RemoteCode } = {
  4: "BAD_CONTENT_LENGTH", // a second Content-Length
  6: "UNKNOWN_METHOD",
  7: "MALFORMED_TARGET",
  8: "MALFORMED_START_LINE",
  9: "UNSUPPORTED_VERSION",
  11: "BAD_CONTENT_LENGTH",
  13: "MALFORMED_START_LINE", // a status that is not three digits
  15: "BAD_TRANSFER_ENCODING",
  23: "UNSUPPORTED_VERSION", // the preface of HTTP/2
};

/**
 * Our code for llhttp's error.
 *
 * @param inStartLine Whether llhttp had met no field yet.
 */
export function codeOf(error: number, inStartLine: boolean): RemoteCode {
  return CODES[error] ?? (inStartLine ? "MALFORMED_START_LINE" : "MALFORMED_FIELD");
}
