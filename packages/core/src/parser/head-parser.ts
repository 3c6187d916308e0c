// bytes → [head parser] → events: reads one head and stops

import type { Limits } from "../base/limits.ts";
import { readFast } from "./fast-head.ts";
import { type HeadOf, headLimits, maxBytesOf, type SectionKind } from "./head.ts";
import { scanner } from "./scanner-module.ts";
import { SlowHead } from "./slow-head.ts";

const NOTHING = new Uint8Array(0);

/**
 * Reads heads, one at a time, and never a byte after the head's last CRLF.
 *
 * Nearly every head is whole in one chunk and exact: the fast reader takes it, in one pass. For any
 * other there is a slow reader, until that head ends. No parser owns memory outside JavaScript.
 */
export class HeadParser<K extends SectionKind> {
  readonly #kind: K;
  readonly #limits: Limits;
  #slow: SlowHead | undefined;

  /** The number of bytes the last {@link read} consumed. */
  consumed = 0;

  constructor(kind: K, limits: Limits) {
    this.#kind = kind;
    this.#limits = limits;
  }

  /** The bytes of an incomplete head. */
  get held(): Uint8Array {
    return this.#slow?.held ?? NOTHING;
  }

  get heldLength(): number {
    return this.#slow?.heldLength ?? 0;
  }

  /** Removes and returns {@link held}. */
  takeHeld(): Uint8Array {
    const held = this.held;
    this.#slow = undefined;
    return held;
  }

  /** Whether more was received than the empty lines allowed before a start line. */
  get hasBegun(): boolean {
    return this.#slow?.hasBegun === true;
  }

  /**
   * Reads on. Returns undefined if the head continues in the next bytes; all of these are consumed.
   *
   * @param answersConnect Do not check Content-Length and Transfer-Encoding.
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
   */
  read(bytes: Uint8Array, from: number, answersConnect = false): HeadOf<K> | undefined {
    const room = maxBytesOf(this.#kind, this.#limits) - this.heldLength;
    const to = bytes.length - from > room ? from + room : bytes.length;
    if (this.#slow === undefined) {
      const head = readFast(this.#kind, bytes, from, to, this.#limits);
      if (head !== undefined) {
        this.consumed = scanner.headLength;
        return head as HeadOf<K>;
      }
      this.#slow = new SlowHead(this.#kind, headLimits(this.#kind, this.#limits));
    }
    const slow = this.#slow;
    const head = slow.read(bytes, from, to, answersConnect);
    this.consumed = slow.consumed;
    if (head !== undefined) this.#slow = undefined;
    return head as HeadOf<K> | undefined;
  }
}
