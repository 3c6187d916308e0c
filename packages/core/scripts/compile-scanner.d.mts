/** The bytes of the scanner, compiled from its source. */
export function compileScanner(): Promise<Uint8Array>;
