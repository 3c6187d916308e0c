/** The bytes of the recorder, compiled from its source. */
export function compileRecorder(): Promise<Uint8Array>;
