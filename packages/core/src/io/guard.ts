// driver → [guard] → stream: a Node stream that nobody owns may fail without ending the process

/** What we use of an emitter. */
interface Emitter {
  on(event: string, listener: (this: Emitter, event?: unknown) => void): unknown;
  removeListener(event: string, listener: (this: Emitter, event?: unknown) => void): unknown;
}

/** Adds a silent listener for "error". It leaves when the next owner's comes. */
export function guard(stream: Emitter): void {
  stream.on("error", silence);
  stream.on("newListener", leave);
}

function silence(): void {}

function leave(this: Emitter, event?: unknown): void {
  if (event !== "error") return;
  this.removeListener("newListener", leave);
  this.removeListener("error", silence);
}
