// bytes → parser → events → connection → driver → application: [what went wrong, at any station, and whose fault]

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

/** What is known beside the code. Every field is optional and filled in where it applies. */
export interface ErrorDetails {
  /** The offset in the stream of received bytes at which the peer's fault stands. */
  readonly offset?: number;
  /** What HTTP was doing: `head`, `body`, `service`, … */
  readonly phase?: string;
  readonly sent?: Sent;
  readonly responseSeen?: boolean;
  /** Pieces of the request's streamed body were taken from their source. */
  readonly bodyBegun?: boolean;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly cause?: unknown;
}

// In the order in which they are told.
const FACTS = [
  "phase",
  "offset",
  "sent",
  "responseSeen",
  "bodyBegun",
  "bytesRead",
  "bytesWritten",
] as const;

const KINSHIP = "@upgrade/core:";

type CodeTable = Readonly<Record<string, CodeEntry>>;

// Types do not keep a code out that comes as a string.
function rowOf(codes: CodeTable, code: ErrorCode, error: { readonly brand: string }): CodeEntry {
  const row = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (row !== undefined && row === codes[code]) return row;
  throw new LocalProtocolError("INVALID_OPTION", `${String(code)} is no code of ${error.brand}`);
}

// A cause may hold anything, itself included, and a log is one line.
function inShort(cause: unknown): unknown {
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : undefined;
  const { name, message, code } = cause as Error & { readonly code?: unknown };
  return { name, message, code: typeof code === "string" ? code : undefined };
}

/**
 * The common base: a stable `code`, and what is known about the moment.
 * `instanceof` holds across copies of this package, by a registered symbol.
 */
export abstract class UpgradeError extends Error {
  readonly code: ErrorCode;
  // Declared and not defined: what is not known is no property, and no console shows it.
  /** What a server answers to this, where an answer is still possible. */
  declare readonly status?: number;
  declare offset?: number;
  declare phase?: string;
  declare sent?: Sent;
  declare responseSeen?: boolean;
  declare bodyBegun?: boolean;
  declare bytesRead?: number;
  declare bytesWritten?: number;

  protected constructor(codes: CodeTable, code: ErrorCode, came: string, details: ErrorDetails) {
    const { says, status } = rowOf(codes, code, new.target);
    super(
      came === "" ? says : `${says}: ${came}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    if (status !== undefined) this.status = status;
    this.annotate(details);
  }

  /** Adds what a later station knows. The first word on each point stays. */
  annotate(details: ErrorDetails): this {
    for (const fact of FACTS) {
      const value = details[fact];
      if (value !== undefined && this[fact] === undefined) Object.assign(this, { [fact]: value });
    }
    return this;
  }

  /** The facts for a log: name, code, message, what is known beside them, and the cause in short. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, status } = this;
    const known = Object.fromEntries(FACTS.map((fact) => [fact, this[fact]]));
    return { name, code, message, status, ...known, cause: inShort(this.cause) };
  }

  /**
   * The request may be sent again, on another connection: nothing of it was handed to the transport,
   * and its body is as it was. False for a request that no connection would send.
   */
  get retrySafe(): boolean {
    return this.sent === "nothing" && this.bodyBegun !== true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const brand = Symbol.for(KINSHIP + this.brand);
    return typeof value === "object" && value !== null && brand in value;
  }

  static readonly brand: string = "UpgradeError";
}

/** Gives a class its name, and the mark by which other copies of this package know it. */
export function brand(error: { readonly prototype: object; readonly brand: string }): void {
  // What compiles a class for CommonJS may have given it another name.
  Object.defineProperty(error, "name", { value: error.brand });
  Object.defineProperty(error.prototype, Symbol.for(KINSHIP + error.brand), { value: true });
  Object.defineProperty(error.prototype, "name", { value: error.brand });
}

/** Your fault: thrown by the call that broke the rule, before a byte is written. */
export class LocalProtocolError extends UpgradeError {
  declare readonly code: LocalCode;
  /** What broke a rule once would break it again. */
  override get retrySafe(): boolean {
    return false;
  }
  static override readonly brand: string = "LocalProtocolError";
  constructor(code: LocalCode, came = "", details: ErrorDetails = {}) {
    super(LOCAL_CODES, code, came, details);
  }
}

/** The peer's fault. The connection is not used again. */
export class RemoteProtocolError extends UpgradeError {
  declare readonly code: RemoteCode;
  static override readonly brand: string = "RemoteProtocolError";
  constructor(code: RemoteCode, came = "", details: ErrorDetails = {}) {
    super(REMOTE_CODES, code, came, details);
  }
}

/** Nobody broke a rule: the io failed, ended too early, was too slow, or was given up. */
export class ConnectionError extends UpgradeError {
  declare readonly code: ConnectionCode;
  static override readonly brand: string = "ConnectionError";
  constructor(code: ConnectionCode, came = "", details: ErrorDetails = {}) {
    super(CONNECTION_CODES, code, came, details);
  }
}

for (const error of [UpgradeError, LocalProtocolError, RemoteProtocolError, ConnectionError]) {
  brand(error);
}

export type { ConnectionCode, ErrorCode, LocalCode, RemoteCode };
