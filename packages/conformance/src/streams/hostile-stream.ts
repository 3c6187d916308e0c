import type { ByteStream } from "@upgrade/core/io";
import { turns } from "../turns.ts";

/** What goes wrong at one byte, in one direction. */
export interface Trouble {
  /** After so many bytes. */
  readonly at: number;
  /** The transport resets, or the rest is lost after an end, or it stalls. */
  readonly kind: "reset" | "end" | "stall";
}

/** How a stream misbehaves. */
export interface Hostility {
  /** The maximum number of bytes per read. */
  readonly split?: number;
  /** How many turns of the event loop each chunk is delayed. */
  readonly delay?: number;
  readonly reading?: Trouble;
  readonly writing?: Trouble;
}

const never = new Promise<never>(() => {});

/** A byte stream that splits, delays, stalls, resets or ends at given positions. */
export class HostileStream implements ByteStream {
  readonly gone: Promise<unknown>;
  readonly #inner: ByteStream;
  readonly #how: Hostility;
  #tellGone!: (reason: unknown) => void;
  #broken: Promise<never>;
  #break!: (reason: unknown) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #read = 0;
  #written = 0;
  #isWaiting = false;
  #isDelivering = false;

  constructor(inner: ByteStream, how: Hostility) {
    this.#inner = inner;
    this.#how = how;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    inner.gone?.then(this.#tellGone, this.#tellGone);
    this.#broken = new Promise((_, reject) => {
      this.#break = reject;
    });
    this.#broken.catch(() => {});
  }

  read(): Promise<Uint8Array | null> {
    const read = Promise.race([this.#next(), this.#broken]);
    const settled = (): void => {
      this.#isDelivering = false;
    };
    read.then(settled, settled);
    return read;
  }

  async #next(): Promise<Uint8Array | null> {
    const { split = Infinity, delay = 0, reading } = this.#how;
    const left = (reading?.at ?? Infinity) - this.#read;
    if (left === 0) return this.#misbehave(reading!);
    if (this.#rest.length === 0) {
      this.#isWaiting = true;
      const chunk = await this.#inner.read().finally(() => {
        this.#isWaiting = false;
      });
      this.#isDelivering = true;
      await turns(delay);
      if (chunk === null) return null;
      this.#rest = chunk;
    }
    this.#isDelivering = true;
    const given = this.#rest.subarray(0, Math.min(split, left));
    this.#rest = this.#rest.subarray(given.length);
    this.#read += given.length;
    return given;
  }

  async #misbehave({ kind }: Trouble): Promise<null> {
    if (kind === "end") return null;
    if (kind === "reset") this.#reset();
    return never;
  }

  #reset(): void {
    const reason = new Error("reset");
    this.#inner.abort(reason);
    this.#break(reason);
    this.#tellGone(reason);
  }

  cancelRead(): boolean {
    if (this.#isDelivering) return false;
    return !this.#isWaiting || (this.#inner.cancelRead?.() ?? false);
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { delay = 0, writing } = this.#how;
    const all = Buffer.concat(chunks);
    const left = (writing?.at ?? Infinity) - this.#written;
    this.#written += all.length;
    const passed = all.subarray(0, Math.max(0, left));
    if (passed.length > 0) await Promise.race([this.#inner.write([passed]), this.#broken]);
    await turns(delay);
    if (left > all.length || writing === undefined) return;
    if (writing.kind === "stall") await this.#broken;
    if (writing.kind === "reset") this.#reset();
    if (writing.kind === "reset") await this.#broken;
    // The writer does not learn that its bytes are lost.
    if (writing.kind === "end") await this.#inner.closeWrite();
  }

  async closeWrite(): Promise<void> {
    await Promise.race([this.#inner.closeWrite(), this.#broken]);
  }

  abort(reason: unknown): void {
    this.#inner.abort(reason);
    this.#break(reason);
  }
}
