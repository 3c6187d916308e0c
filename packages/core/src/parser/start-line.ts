// bytes → [start line] → head parser: octet by octet, so that a fault is reported where it occurs

import { type RemoteCode, RemoteProtocolError } from "../base/errors.ts";
import { isTextOctet, isTokenOctet, octetName } from "../base/tokens.ts";
import { faultOfOctet, faultOfTarget, isTargetOctet } from "../message/target.ts";
import type { Version } from "../message/version.ts";
import { foreignOf, OPENING_LENGTH } from "./foreign.ts";
import type { MessageKind } from "./head.ts";

// What the next octet belongs to. A request line has a method, a target and a version; a status line
// has a version, a status code and a reason phrase.
type Place =
  | "start"
  | "empty line"
  | "method"
  | "target"
  | "version"
  | "status code"
  | "reason phrase"
  | "line end"
  | "complete";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const DOT = 0x2e;
const ZERO = 0x30;
const HTTP = "HTTP/";
// "HTTP/1.1"
const VERSION_LENGTH = 8;
// Longer than any in the registry.
const MAX_METHOD_LENGTH = 32;

// RFC 9110 §16.1.1: the registered methods of HTTP/1.1, and others that servers commonly accept.
const METHODS = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR " +
    "MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH " +
    "SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
  ).split(" "),
);

/**
 * Reads the start line of one head (RFC 9112 §3, §4). Strict: single spaces, CR LF, and no octet
 * that the grammar does not allow.
 *
 * A fault is reported at the first octet that cannot be valid, or at the end of the line if only the
 * whole is wrong. So it does not depend on how the input is split, and is reported without delay.
 */
export class StartLine {
  readonly kind: MessageKind;
  readonly #maxTargetBytes: number;
  #place: Place;
  // The number of octets read, and how many of them came before the current place.
  #length = 0;
  #placeAt = 0;
  #methodAt = 0;
  #targetAt = 0;
  #targetEnd = 0;
  #major = 0;
  #reasonAt = 0;
  // Enough of the beginning to recognize another protocol.
  #opening = "";
  #fault: RemoteProtocolError | undefined;

  // The parts of the line, set once it is complete.
  method = "";
  target = "";
  version: Version = "1.1";
  status = 0;
  reason = "";

  constructor(kind: MessageKind, maxTargetBytes: number) {
    this.kind = kind;
    this.#maxTargetBytes = maxTargetBytes;
    this.#place = kind === "request" ? "start" : "version";
  }

  get isComplete(): boolean {
    return this.#place === "complete";
  }

  /** The number of octets, including the empty lines before it. */
  get length(): number {
    return this.#length;
  }

  /** Whether more was received than the empty lines allowed before a request line. */
  get hasBegun(): boolean {
    return this.#length > 0 && this.#place !== "start" && this.#place !== "empty line";
  }

  get isInTarget(): boolean {
    return this.#place === "target";
  }

  /**
   * Reads on, up to the end of the line; returns where it stopped.
   *
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#place !== "complete") {
      const octet = bytes[at++]!;
      if (this.#opening.length < OPENING_LENGTH) this.#opening += String.fromCharCode(octet);
      this.#fault ??= this.#accept(octet);
      this.#length++;
      if (this.#fault !== undefined) this.#refuse(this.#fault);
    }
    return at;
  }

  /**
   * Splits the complete line, with which `text` begins, and checks its parts.
   *
   * @throws {RemoteProtocolError} `UNKNOWN_METHOD`, `MALFORMED_TARGET`.
   */
  cut(text: string): void {
    if (this.kind === "response") {
      this.reason = text.slice(this.#reasonAt, this.#length - "\r\n".length);
      return;
    }
    this.method = text.slice(this.#methodAt, this.#targetAt - 1);
    this.target = text.slice(this.#targetAt, this.#targetEnd);
    // RFC 9110 §15.6.2.
    if (!METHODS.has(this.method)) {
      this.#refuse(new RemoteProtocolError("UNKNOWN_METHOD", "", { offset: this.#methodAt }));
    }
    const badTarget = faultOfTarget(this.method, this.target);
    if (badTarget === undefined) return;
    throw new RemoteProtocolError("MALFORMED_TARGET", badTarget, { offset: this.#targetAt });
  }

  #accept(octet: number): RemoteProtocolError | undefined {
    switch (this.#place) {
      case "start":
        return this.#acceptStart(octet);
      case "empty line":
        return octet === LF ? this.#go("start") : this.#unexpected(octet);
      case "method":
        return this.#acceptMethod(octet);
      case "target":
        return this.#acceptTarget(octet);
      case "version":
        return this.#acceptVersion(octet);
      case "status code":
        return this.#acceptStatus(octet);
      case "reason phrase":
        if (octet === CR) return this.#go("line end");
        return isTextOctet(octet) ? undefined : this.#unexpected(octet);
      default:
        return this.#acceptLineEnd(octet);
    }
  }

  // RFC 9112 §2.2: empty lines are allowed only before a request line.
  #acceptStart(octet: number): RemoteProtocolError | undefined {
    if (octet === CR) return this.#go("empty line");
    this.#place = "method";
    this.#placeAt = this.#length;
    this.#methodAt = this.#length;
    return this.#acceptMethod(octet);
  }

  #acceptMethod(octet: number): RemoteProtocolError | undefined {
    const length = this.#length - this.#placeAt;
    if (octet === SP && length > 0) {
      this.#targetAt = this.#length + 1;
      return this.#go("target");
    }
    if (!isTokenOctet(octet)) return this.#unexpected(octet);
    if (length < MAX_METHOD_LENGTH) return undefined;
    return this.#refused("UNKNOWN_METHOD", `it has more than ${MAX_METHOD_LENGTH} octets`);
  }

  #acceptTarget(octet: number): RemoteProtocolError | undefined {
    const length = this.#length - this.#placeAt;
    if (octet === SP && length > 0) {
      this.#targetEnd = this.#length;
      return this.#go("version");
    }
    // RFC 1945 §4.1: a Simple-Request, as in HTTP/0.9.
    if (octet === CR || octet === LF) {
      return this.#refused("MALFORMED_START_LINE", "the line ends without a version");
    }
    if (octet === SP) return this.#unexpected(octet);
    if (!isTargetOctet(octet)) {
      return this.#refused("MALFORMED_TARGET", faultOfOctet(octet, length));
    }
    return length < this.#maxTargetBytes ? undefined : this.#refused("TARGET_TOO_LONG", "");
  }

  // RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT.
  #acceptVersion(octet: number): RemoteProtocolError | undefined {
    const at = this.#length - this.#placeAt;
    const isExpected =
      at < HTTP.length
        ? octet === HTTP.charCodeAt(at)
        : at === HTTP.length + 1
          ? octet === DOT
          : isDigit(octet);
    if (!isExpected) return this.#unexpected(octet);
    if (at === HTTP.length) this.#major = octet - ZERO;
    if (at < VERSION_LENGTH - 1) return undefined;
    const minor = octet - ZERO;
    if (this.#major !== 1 || minor > 1) {
      return this.#refused("UNSUPPORTED_VERSION", `HTTP/${this.#major}.${minor}`);
    }
    this.version = minor === 1 ? "1.1" : "1.0";
    return this.#go(this.kind === "request" ? "line end" : "status code");
  }

  // RFC 9112 §4: SP status-code SP [ reason-phrase ]; the last SP may be missing.
  #acceptStatus(octet: number): RemoteProtocolError | undefined {
    const at = this.#length - this.#placeAt;
    if (at === 0) return octet === SP ? undefined : this.#unexpected(octet);
    if (at === 4) {
      this.#reasonAt = this.#length + 1;
      if (octet === SP) return this.#go("reason phrase");
      // There is no phrase.
      this.#reasonAt = this.#length;
      return octet === CR ? this.#go("line end") : this.#unexpected(octet);
    }
    if (!isDigit(octet)) return this.#unexpected(octet);
    if (at === 1 && octet === ZERO) return this.#refused("BAD_STATUS", "it begins with 0");
    this.status = this.status * 10 + octet - ZERO;
    return undefined;
  }

  // RFC 9112 §2.2: a line ends in CR LF. The CR of a status line was read already.
  #acceptLineEnd(octet: number): RemoteProtocolError | undefined {
    const wantsCr = this.kind === "request" && this.#length === this.#placeAt;
    if (octet !== (wantsCr ? CR : LF)) return this.#unexpected(octet);
    return wantsCr ? undefined : this.#go("complete");
  }

  #go(place: Place): undefined {
    this.#place = place;
    this.#placeAt = this.#length + 1;
  }

  #unexpected(octet: number): RemoteProtocolError {
    return this.#refused("MALFORMED_START_LINE", `${octetName(octet)} in the ${this.#place}`);
  }

  #refused(code: RemoteCode, detail: string): RemoteProtocolError {
    return new RemoteProtocolError(code, detail, { offset: this.#length });
  }

  // It takes a few octets to recognize another protocol, but the first of them is already a fault:
  // wait for the rest before reporting it.
  #refuse(fault: RemoteProtocolError): void {
    const foreign = foreignOf(this.kind, this.#opening);
    if (foreign === "undecided") return;
    if (foreign === undefined) throw fault;
    throw new RemoteProtocolError(foreign.code, foreign.says, { offset: fault.offset! });
  }
}

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= ZERO + 9;
}
