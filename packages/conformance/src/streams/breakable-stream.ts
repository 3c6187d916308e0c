import type { ByteStream } from "@upgrade/core/io";

/** A byte stream whose writes fail from some moment on, and which counts pending reads. */
export class BreakableStream implements ByteStream {
  readonly gone: Promise<unknown>;
  /** Reads that have not settled. */
  reads = 0;
  /** The result of the next write. */
  writes: "pass" | "fail" | "hang" = "pass";
  readonly #inner: ByteStream;
  #hanging: ((reason: unknown) => void)[] = [];

  constructor(inner: ByteStream) {
    this.#inner = inner;
    this.gone = inner.gone!;
  }

  read(): Promise<Uint8Array | null> {
    this.reads++;
    const read = this.#inner.read();
    const settled = (): void => void this.reads--;
    read.then(settled, settled);
    return read;
  }

  cancelRead(): boolean {
    return this.#inner.cancelRead!();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#misbehave() ?? this.#inner.write(chunks);
  }

  closeWrite(): Promise<void> {
    return this.#misbehave() ?? this.#inner.closeWrite();
  }

  #misbehave(): Promise<void> | undefined {
    if (this.writes === "pass") return undefined;
    if (this.writes === "fail") return Promise.reject(new Error("the write failed"));
    return new Promise((_, reject) => void this.#hanging.push(reject));
  }

  abort(reason: unknown): void {
    this.#inner.abort(reason);
    for (const reject of this.#hanging.splice(0)) reject(reason);
  }
}
