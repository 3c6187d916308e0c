import type { Heard } from "./hear.ts";
import type { Situation } from "./oracle.ts";

/** A place where the heart and the oracle differ, and are meant to. */
interface Difference {
  readonly name: string;
  readonly reason: string;
  /** Whether `heard`, of `input`, is refused for this reason, whatever the oracle says of it. */
  readonly covers: (heard: Heard, input: string, situation: Situation) => boolean;
}

// The methods of HTTP that llhttp knows.
const METHODS = new Set([
  ...[
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "M-SEARCH",
  ],
  ...["MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST"],
  ...["PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE"],
  ...["SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"],
]);

export const KNOWN_DIFFERENCES: readonly Difference[] = [
  {
    name: "unknown-method",
    reason:
      "any token is a method to the grammar; a server may answer 501 to one it does not know (RFC 9110 §15.6.2)",
    covers: ({ code, at }, input) => {
      const method = /^(?:\r\n)*([^ \r\n]*)/.exec(input.slice(at))?.[1] ?? "";
      return code === "UNKNOWN_METHOD" && !METHODS.has(method);
    },
  },
  {
    name: "framing-in-trailers",
    reason:
      "no trailer may frame (RFC 9110 §6.5.1), and a sender of ours writes none; what llhttp finds malformed in one is refused, not ignored",
    covers: ({ code, at }, input) =>
      code === "MALFORMED_TRAILER" &&
      /^(?:content-length|transfer-encoding):/im.test(input.slice(at)),
  },
];

/** Our own requests that another server of ours may refuse all the same, with a status that says so. */
export const REFUSED_BY_CHOICE = new Set(["UNKNOWN_METHOD", "UNKNOWN_EXPECTATION"]);
