// bytes → [start line] → head parser: octet by octet, so that a fault is reported where it is

import { type RemoteCode, RemoteProtocolError } from "../errors.ts";
import type { Version } from "../events.ts";
import { faultOfOctet, faultOfTarget, isTargetOctet } from "../target.ts";
import { isTextOctet, isTokenOctet, octetName } from "../tokens.ts";
import { foreignOf, OPENING_LENGTH } from "./foreign.ts";
import type { MessageKind } from "./head.ts";

// What the next octet belongs to. A request line goes through method, target and version to its
// end, a status line through version, status and reason.
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

// RFC 9110 §16.1.1: the methods of the registry that are HTTP/1.1's, and two that only servers know.
const METHODS = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR " +
    "MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH " +
    "SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
  ).split(" "),
);

/**
 * Reads the first line of one head (RFC 9112 §3, §4). Strict: single spaces, CR LF, and no octet
 * that the grammar does not have there.
 *
 * A fault is reported at the first octet that cannot be right, or at the line's end if only the whole
 * is wrong. So it does not depend on how the bytes were cut, and no peer waits for its answer.
 */
export class StartLine {
  readonly #kind: MessageKind;
  readonly #maxTargetBytes: number;
  #place: Place;
  // How many octets were read, and how many of them before the present place.
  #length = 0;
  #placeAt = 0;
  #methodAt = 0;
  #targetAt = 0;
  #targetEnd = 0;
  #major = 0;
  #reasonAt = 0;
  // As much of the beginning as tells another protocol.
  #opening = "";
  #fault: RemoteProtocolError | undefined;

  // Complete, the line is cut into these.
  method = "";
  target = "";
  version: Version = "1.1";
  status = 0;
  reason = "";

  constructor(kind: MessageKind, maxTargetBytes: number) {
    this.#kind = kind;
    this.#maxTargetBytes = maxTargetBytes;
    this.#place = kind === "request" ? "start" : "version";
  }

  get isComplete(): boolean {
    return this.#place === "complete";
  }

  /** How many octets it has, with the empty lines before it. */
  get length(): number {
    return this.#length;
  }

  /** More has come than the empty lines that may stand before a request line. */
  get hasBegun(): boolean {
    return this.#length > 0 && this.#place !== "start" && this.#place !== "empty line";
  }

  get isInTarget(): boolean {
    return this.#place === "target";
  }

  /**
   * Reads on, up to the line's end; returns where it stopped.
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
   * Cuts the complete line out of `text`, which begins with it, and judges its parts.
   *
   * @throws {RemoteProtocolError} `UNKNOWN_METHOD`, `MALFORMED_TARGET`.
   */
  cut(text: string): void {
    if (this.#kind === "response") {
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

  // RFC 9112 §2.2: empty lines may stand before a request line, and before nothing else.
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
    // RFC 1945 §4.1: a Simple-Request, the line of HTTP/0.9.
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
    return this.#go(this.#kind === "request" ? "line end" : "status code");
  }

  // RFC 9112 §4: SP status-code SP [ reason-phrase ]; the last SP may be missing.
  #acceptStatus(octet: number): RemoteProtocolError | undefined {
    const at = this.#length - this.#placeAt;
    if (at === 0) return octet === SP ? undefined : this.#unexpected(octet);
    if (at === 4) {
      this.#reasonAt = this.#length + 1;
      if (octet === SP) return this.#go("reason phrase");
      // There is no phrase, and its place is empty.
      this.#reasonAt = this.#length;
      return octet === CR ? this.#go("line end") : this.#unexpected(octet);
    }
    if (!isDigit(octet)) return this.#unexpected(octet);
    if (at === 1 && octet === ZERO) return this.#refused("BAD_STATUS", "it begins with 0");
    this.status = this.status * 10 + octet - ZERO;
    return undefined;
  }

  // RFC 9112 §2.2: a line ends in CR LF. The CR of a status line has come already.
  #acceptLineEnd(octet: number): RemoteProtocolError | undefined {
    const wantsCr = this.#kind === "request" && this.#length === this.#placeAt;
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

  #refused(code: RemoteCode, came: string): RemoteProtocolError {
    return new RemoteProtocolError(code, came, { offset: this.#length });
  }

  // The greeting of another protocol is recognized by its first few octets, and the first alone is
  // the fault: the others are waited for.
  #refuse(fault: RemoteProtocolError): void {
    const foreign = foreignOf(this.#kind, this.#opening);
    if (foreign === "undecided") return;
    if (foreign === undefined) throw fault;
    throw new RemoteProtocolError(foreign.code, foreign.says, { offset: fault.offset! });
  }
}

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= ZERO + 9;
}
