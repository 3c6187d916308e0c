// bytes ↔ [byte stream] ↔ driver: the minimal transport

/**
 * A custom transport: four required members, and two optional ones that let the driver do better.
 *
 * Every promise must settle: pending calls reject after `abort` and when the transport fails.
 */
export interface ByteStream {
  /**
   * Resolves with the next bytes, or with null at the end and from then on. One call at a time; never
   * an empty chunk. The chunk is kept, not copied, so its memory must not be reused.
   */
  read(): Promise<Uint8Array | null>;
  /** Writes in order; resolves when the bytes are accepted and more may be written. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Ends our side after everything written. The peer reads an end of file. */
  closeWrite(): Promise<void>;
  /**
   * Aborts now; the peer sees a failure, not an end. Idempotent. A throw or a rejection is ignored.
   */
  abort(reason: unknown): void;
  /**
   * Withdraws the pending read without losing a byte: its promise rejects, and the next read returns
   * what it would have returned. Returns false if it cannot be withdrawn or already has its bytes.
   */
  cancelRead?(): boolean;
  /** Settles when the transport is gone, if that can be detected without a read. */
  readonly gone?: Promise<unknown>;
}

/** Reports whether `io` has the shape of a {@link ByteStream}. */
export function isByteStream(io: unknown): io is ByteStream {
  return hasMethods(io, "read", "write", "closeWrite", "abort");
}

/** Reports whether `io` is an object with these methods. */
export function hasMethods(io: unknown, ...names: readonly string[]): boolean {
  if (typeof io !== "object" || io === null) return false;
  return names.every((name) => typeof (io as Record<string, unknown>)[name] === "function");
}
