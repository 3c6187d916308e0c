// events → body → [readable] → application: a pull source as a WHATWG stream

import type { ByteReadableStream } from "./platform-types.ts";

interface Piece {
  readonly done?: boolean | undefined;
  readonly value?: Uint8Array | undefined;
}

interface Source {
  pull(controller: { enqueue(chunk: Uint8Array): void; close(): void }): Promise<void>;
  cancel(reason: unknown): unknown;
}

interface Platform {
  readonly ReadableStream: new (
    source: Source,
    strategy: { readonly highWaterMark: number },
  ) => ByteReadableStream;
}

/** A stream that calls `next` only when a chunk is requested. */
export function readableOf(
  next: () => Promise<Piece>,
  cancel: (reason: unknown) => unknown,
): ByteReadableStream {
  const { ReadableStream } = globalThis as unknown as Platform;
  const source: Source = {
    async pull(controller) {
      const { done, value } = await next();
      if (done === true || value === undefined) controller.close();
      else controller.enqueue(value);
    },
    cancel,
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}
