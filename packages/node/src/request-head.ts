// request ↔ [request head] ↔ bytes: a request that was read, as the bytes that it was read from

/** A request that was read, by node:http or by us. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names and values in turn, as received. */
  readonly flat: readonly string[];
}

/** The head, up to and including the empty line. Only white space around values may differ. */
export function headBytes({ method, target, version, flat }: ReadRequest): Buffer {
  const text = `${method} ${target} HTTP/${version}\r\n${fieldLines(flat)}\r\n`;
  // Each character is one octet, here as in rawHeaders.
  return Buffer.from(text, "latin1");
}

/** @param flat Names and values in turn. */
export function fieldLines(flat: readonly string[]): string {
  let text = "";
  for (let i = 0; i + 1 < flat.length; i += 2) text += `${flat[i]}: ${flat[i + 1]}\r\n`;
  return text;
}
