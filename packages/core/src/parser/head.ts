// bytes → scanner or llhttp → [head] → events: one parsed head, checked only for its grammar

import type { RemoteCode } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Facts } from "../message/facts.ts";
import type { Headers } from "../message/headers.ts";
import type { Version } from "../message/version.ts";

export interface RequestHead {
  readonly kind: "request";
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly facts: Facts;
}

export interface ResponseHead {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
  readonly facts: Facts;
}

/** The fields after a chunked body (RFC 9112 §7.1.2): they have no start line, and frame nothing. */
export interface TrailerSection {
  readonly kind: "trailers";
  readonly headers: Headers;
}

/** What ends with an empty line. */
export type Head = RequestHead | ResponseHead | TrailerSection;

export type SectionKind = Head["kind"];
export type MessageKind = (RequestHead | ResponseHead)["kind"];
export type HeadOf<K extends SectionKind> = Extract<Head, { readonly kind: K }>;

/** The most bytes of a section. The empty line that ends the trailers is always allowed. */
export function maxBytesOf(kind: SectionKind, limits: Limits): number {
  return kind === "trailers" ? Math.max(limits.maxTrailerBytes, 2) : limits.maxHeadBytes;
}

/** The most fields of a section. */
export function maxFieldsOf(kind: SectionKind, limits: Limits): number {
  return kind === "trailers" ? limits.maxTrailers : limits.maxHeaders;
}

/** The limits of a head or a trailer section, and the errors for exceeding them. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly tooLarge: RemoteCode;
  readonly maxFields: number;
  readonly tooMany: RemoteCode;
  readonly malformed: RemoteCode;
  readonly maxTargetBytes: number;
}

export function headLimits(kind: SectionKind, limits: Limits): HeadLimits {
  const codes =
    kind === "trailers"
      ? ({
          tooLarge: "TRAILERS_TOO_LARGE",
          tooMany: "TOO_MANY_TRAILERS",
          malformed: "MALFORMED_TRAILER",
        } as const)
      : ({
          tooLarge: "HEAD_TOO_LARGE",
          tooMany: "TOO_MANY_HEADERS",
          malformed: "MALFORMED_FIELD",
        } as const);
  return {
    maxBytes: maxBytesOf(kind, limits),
    maxFields: maxFieldsOf(kind, limits),
    maxTargetBytes: limits.maxTargetBytes,
    ...codes,
  };
}
