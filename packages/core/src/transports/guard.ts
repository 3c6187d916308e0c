// driver → [guard] → stream: a Node stream without an owner must not crash the process when it fails

/** The part of an EventEmitter that we use. */
interface Emitter {
  on(event: string, listener: (this: Emitter, event?: unknown) => void): unknown;
  removeListener(event: string, listener: (this: Emitter, event?: unknown) => void): unknown;
}

/** Adds a no-op "error" listener, removed when the next owner adds its own. */
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
