// bytes ↔ [byte stream] ↔ driver: the smallest transport there is

/**
 * A transport of your own: four methods, and two that let the driver do better.
 *
 * All promises settle: after `abort`, and after the transport failed, pending calls reject.
 */
export interface ByteStream {
  /**
   * The next bytes, or null at the end, for ever. One call at a time; never an empty chunk. What is
   * given is kept, not copied: the memory is not to be used again.
   */
  read(): Promise<Uint8Array | null>;
  /** Writes in order; resolves when the bytes are accepted and more may be written. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Ends our side, behind everything written. The peer reads an end of file. */
  closeWrite(): Promise<void>;
  /**
   * Gives up now, so that the peer sees a failure and not an end. Harmless when repeated. What it throws,
   * or rejects with, is ignored.
   */
  abort(reason: unknown): void;
  /**
   * Withdraws a pending read without losing a byte: its promise rejects, and the next read brings
   * what it would have brought. False: it cannot be withdrawn, or has its bytes already.
   */
  cancelRead?(): boolean;
  /** Settles when the transport is gone, if it can know that without a read. */
  readonly gone?: Promise<unknown>;
}

/** Whether `io` has the shape of a {@link ByteStream}. */
export function isByteStream(io: unknown): io is ByteStream {
  return hasMethods(io, "read", "write", "closeWrite", "abort");
}

/** Whether `io` is an object with these methods. */
export function hasMethods(io: unknown, ...names: readonly string[]): boolean {
  if (typeof io !== "object" || io === null) return false;
  return names.every((name) => typeof (io as Record<string, unknown>)[name] === "function");
}
