// Octets and text. Heads are latin-1: one character per octet.

// What a platform may have. Nothing is looked up before it is first needed.
interface NodeBytes extends Uint8Array {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string): number;
}
interface NodeBuffer {
  readonly prototype: NodeBytes;
  from(text: string, encoding: "latin1" | "utf8"): Uint8Array;
}
interface Platform {
  readonly Buffer?: NodeBuffer;
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new () => { decode(bytes: Uint8Array): string };
}

// The most arguments in one call: every engine accepts 8,192.
const CODES_PER_CALL = 8_192;

function platform(): Platform {
  return globalThis as unknown as Platform;
}

// Node's own methods, looked up on first use.
let latin1Slice: NodeBytes["latin1Slice"] | undefined;
let latin1Write: NodeBytes["latin1Write"] | undefined;

/** Octets to text, one character each. (`TextDecoder("latin1")` would be windows-1252.) */
export function latin1ToText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  latin1Slice ??= platform().Buffer?.prototype.latin1Slice;
  if (latin1Slice !== undefined) {
    // The buffers of Node's sockets have the method, and calling it directly is faster.
    const own = (bytes as NodeBytes).latin1Slice === latin1Slice;
    return own ? (bytes as NodeBytes).latin1Slice(start, end) : latin1Slice.call(bytes, start, end);
  }
  let text = "";
  for (let at = start; at < end; at += CODES_PER_CALL) {
    const stop = Math.min(end, at + CODES_PER_CALL);
    text += String.fromCharCode(...bytes.subarray(at, stop));
  }
  return text;
}

/** Text to octets, in memory of their own. Callers have checked that all characters are below U+0100. */
export function textToLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  latin1Write ??= platform().Buffer?.prototype.latin1Write;
  if (latin1Write !== undefined) {
    latin1Write.call(bytes, text);
    return bytes;
  }
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Whether text is the same octets in latin-1 and in UTF-8. */
export function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}

export function textToUtf8(text: string): Uint8Array {
  return new (platform().TextEncoder)().encode(text);
}

export function utf8ToText(bytes: Uint8Array): string {
  utf8 ??= new (platform().TextDecoder)();
  return utf8.decode(bytes);
}

// Without the option stream it has no state, so one decoder serves all texts.
let utf8: { decode(bytes: Uint8Array): string } | undefined;

// The getters of all typed arrays, which no subclass and no property can override.
const TYPED_ARRAY: object = Object.getPrototypeOf(Uint8Array.prototype);

/** `value` as a plain Uint8Array, if it is one of any realm; undefined otherwise. */
export function asBytes(value: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  if (isPlain(value)) return value;
  const isBytes = Object.prototype.toString.call(value) === "[object Uint8Array]";
  if (!isBytes && !(value instanceof Uint8Array)) return undefined;
  const its = <T>(name: string): T => Reflect.get(TYPED_ARRAY, name, value) as T;
  return new Uint8Array(its<ArrayBuffer>("buffer"), its<number>("byteOffset"), its("byteLength"));
}

/** The bytes of an ArrayBuffer of any realm; undefined for anything else. */
export function bytesOfBuffer(value: unknown): Uint8Array | undefined {
  try {
    if (Object.prototype.toString.call(value) !== "[object ArrayBuffer]") return undefined;
    // Any object can claim to be one, but this getter throws unless it is.
    Reflect.get(ArrayBuffer.prototype, "byteLength", value);
    return new Uint8Array(value as ArrayBuffer);
  } catch {
    return undefined;
  }
}

// Nearly all bytes are plain, and need no new view.
function isPlain(view: ArrayBufferView): view is Uint8Array<ArrayBuffer> {
  const kind: unknown = Object.getPrototypeOf(view);
  const known = kind === Uint8Array.prototype || kind === platform().Buffer?.prototype;
  return known && !Object.hasOwn(view, "length") && !Object.hasOwn(view, "byteLength");
}

/** Like `subarray`, which for a Buffer makes a Buffer: that costs more than copying a head. */
export function viewOf({ buffer, byteOffset }: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

/** Joins pieces in one array of exact length that owns its memory. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
