import type { Observed } from "./observe.ts";
import type { Situation } from "./oracle.ts";

/** An intended difference between HttpConnection and the oracle. */
interface Difference {
  readonly name: string;
  readonly reason: string;
  /** Whether `observed`, of `input`, is refused for this reason, whatever the oracle says. */
  readonly covers: (observed: Observed, input: string, situation: Situation) => boolean;
}

// The HTTP methods that llhttp supports.
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
      "any token is a method in the grammar; a server may answer 501 to an unknown one (RFC 9110 §15.6.2)",
    covers: ({ code, at }, input) => {
      const method = /^(?:\r\n)*([^ \r\n]*)/.exec(input.slice(at))?.[1] ?? "";
      // One that begins like the greeting of SSH is reported as SSH.
      const isNamed = code === "UNKNOWN_METHOD" || method.startsWith("SSH-");
      return isNamed && !METHODS.has(method);
    },
  },
  {
    name: "framing-in-trailers",
    reason:
      "no trailer may frame (RFC 9110 §6.5.1), and we never send one that does; one that llhttp finds malformed is refused, not ignored",
    covers: ({ code, at }, input) =>
      code === "MALFORMED_TRAILER" &&
      /^(?:content-length|transfer-encoding):/im.test(input.slice(at)),
  },
];

/** Requests of ours that our own server may still refuse, with a matching status. */
export const REFUSED_BY_CHOICE = new Set(["UNKNOWN_METHOD", "UNKNOWN_EXPECTATION"]);
