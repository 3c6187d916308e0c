/** Compiles the scanner and returns its bytes. */
export function compileScanner(): Promise<Uint8Array>;
