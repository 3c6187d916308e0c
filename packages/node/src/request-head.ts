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
  let text = `${method} ${target} HTTP/${version}\r\n`;
  for (let i = 0; i + 1 < flat.length; i += 2) text += `${flat[i]}: ${flat[i + 1]}\r\n`;
  // Each character is one octet, here as in rawHeaders.
  return Buffer.from(`${text}\r\n`, "latin1");
}
