// What went wrong, at any stage, and whose fault it is.

import {
  CODES,
  CONNECTION_CODES,
  type CodeEntry,
  type ConnectionCode,
  type ErrorCode,
  LOCAL_CODES,
  type LocalCode,
  REMOTE_CODES,
  type RemoteCode,
} from "./codes.ts";

/** How much of a request was handed to the transport when it failed. */
export type Sent = "nothing" | "part" | "all";

/** What is known besides the code. Each field is set only where it applies. */
export interface ErrorDetails {
  /** The offset of the peer's mistake in the stream of received bytes. */
  readonly offset?: number;
  /** What HTTP was doing: `head`, `body`, `service`, … */
  readonly phase?: string;
  readonly sent?: Sent;
  readonly responseSeen?: boolean;
  /** Part of the request's streamed body was taken from its source. */
  readonly bodyBegun?: boolean;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly cause?: unknown;
}

// In the order in which they are reported.
const FACTS = [
  "phase",
  "offset",
  "sent",
  "responseSeen",
  "bodyBegun",
  "bytesRead",
  "bytesWritten",
] as const;

const BRAND_PREFIX = "@upgrade/core:";

type CodeTable = Readonly<Record<string, CodeEntry>>;

// A caller without types can pass any string.
function rowOf(codes: CodeTable, code: ErrorCode, error: { readonly brand: string }): CodeEntry {
  const row = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (row !== undefined && row === codes[code]) return row;
  throw new LocalProtocolError("INVALID_OPTION", `${String(code)} is not a code of ${error.brand}`);
}

// A cause may hold anything, even itself, and a log entry is one line.
function summaryOf(cause: unknown): unknown {
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : undefined;
  const { name, message, code } = cause as Error & { readonly code?: unknown };
  return { name, message, code: typeof code === "string" ? code : undefined };
}

/**
 * The common base class: a stable `code`, and what is known about the failure.
 * `instanceof` works across copies of this package, by a registered symbol.
 */
export abstract class UpgradeError extends Error {
  readonly code: ErrorCode;
  // Declared, not defined: an unknown detail is not a property, and no console shows it.
  /** The status a server answers with, if it still can. */
  declare readonly status?: number;
  declare offset?: number;
  declare phase?: string;
  declare sent?: Sent;
  declare responseSeen?: boolean;
  declare bodyBegun?: boolean;
  declare bytesRead?: number;
  declare bytesWritten?: number;

  protected constructor(codes: CodeTable, code: ErrorCode, context: string, details: ErrorDetails) {
    const { says, status } = rowOf(codes, code, new.target);
    super(
      context === "" ? says : `${says}: ${context}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    if (status !== undefined) this.status = status;
    this.annotate(details);
  }

  /** Adds details that a later stage knows. Those already set are kept. */
  annotate(details: ErrorDetails): this {
    for (const fact of FACTS) {
      const value = details[fact];
      if (value !== undefined && this[fact] === undefined) Object.assign(this, { [fact]: value });
    }
    return this;
  }

  /** For a log: name, code, message, all known details, and a summary of the cause. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, status } = this;
    const known = Object.fromEntries(FACTS.map((fact) => [fact, this[fact]]));
    return { name, code, message, status, ...known, cause: summaryOf(this.cause) };
  }

  /**
   * Whether the request may be sent again on another connection: none of it was handed to the
   * transport, and its body is untouched. False for a request that no connection would send.
   */
  get retrySafe(): boolean {
    return this.sent === "nothing" && this.bodyBegun !== true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const brand = Symbol.for(BRAND_PREFIX + this.brand);
    return typeof value === "object" && value !== null && brand in value;
  }

  static readonly brand: string = "UpgradeError";
}

/** Sets the name of a class, and the symbol by which other copies of this package recognize it. */
export function brand(error: { readonly prototype: object; readonly brand: string }): void {
  // The CommonJS build may have renamed the class.
  Object.defineProperty(error, "name", { value: error.brand });
  Object.defineProperty(error.prototype, Symbol.for(BRAND_PREFIX + error.brand), { value: true });
  Object.defineProperty(error.prototype, "name", { value: error.brand });
}

/** The caller's mistake: thrown by the call that made it, before a byte is written. */
export class LocalProtocolError extends UpgradeError {
  declare readonly code: LocalCode;
  /** The same request would be refused again. */
  override get retrySafe(): boolean {
    return false;
  }
  static override readonly brand: string = "LocalProtocolError";
  constructor(code: LocalCode, context = "", details: ErrorDetails = {}) {
    super(LOCAL_CODES, code, context, details);
  }
}

/** The peer's mistake. The connection is not used again. */
export class RemoteProtocolError extends UpgradeError {
  declare readonly code: RemoteCode;
  static override readonly brand: string = "RemoteProtocolError";
  constructor(code: RemoteCode, context = "", details: ErrorDetails = {}) {
    super(REMOTE_CODES, code, context, details);
  }
}

/** No one broke a rule: the io failed, ended too early, was too slow, or was aborted. */
export class ConnectionError extends UpgradeError {
  declare readonly code: ConnectionCode;
  static override readonly brand: string = "ConnectionError";
  constructor(code: ConnectionCode, context = "", details: ErrorDetails = {}) {
    super(CONNECTION_CODES, code, context, details);
  }
}

for (const error of [UpgradeError, LocalProtocolError, RemoteProtocolError, ConnectionError]) {
  brand(error);
}

export type { ConnectionCode, ErrorCode, LocalCode, RemoteCode };
