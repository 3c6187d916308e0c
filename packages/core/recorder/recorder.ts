// bytes → llhttp → [recorder] → tape: llhttp's callbacks, in WebAssembly beside it
//
// AssemblyScript. llhttp calls these functions through its table, so that only the end of a head
// comes to JavaScript, where recording and auditing each span took longer than llhttp itself. What a
// callback is told it checks against the grammar of RFC 9112 and writes to the tape. It never
// refuses: a head that it has not found exact, parser/head-audit.ts reads again, and says what is
// wrong.

@external("llhttp", "llhttp_reset")
declare function llhttp_reset(parser: i32): void;
@external("llhttp", "llhttp_execute")
declare function llhttp_execute(parser: i32, input: i32, length: i32): i32;

// Where llhttp_t has error_pos, in a 32-bit build.
const ERROR_POSITION = 20;

// Returned from callbacks.
const GO_ON = 0;
const NO_BODY = 1;
const PAUSE = 21;

// The tape, in bytes: what src/tape.ts calls by the same names, in integers.
const CONSUMED = 0;
const IS_EXACT = 4;
const START = 8;
const TARGET_START = 12;
const TARGET_END = 16;
const MINOR = 20;
const STATUS = 24;
const REASON_START = 28;
const REASON_END = 32;
const FIELDS = 36;
const STEERING = 40;
const STEERING_LIST = 44;
const FIELD_LIST = 172;

const MAX_STEERING = 16;
const BYTES_PER_STEERING = 8;
const BYTES_PER_FIELD = 16;

const TAB: u8 = 0x09;
const SP: u8 = 0x20;
const COLON: u8 = 0x3a;
const CRLF: u16 = 0x0a0d;
// " HTTP/1." and "HTTP/1.", read as little-endian integers.
const VERSION: u64 = 0x2e312f5054544820;
const STATUS_VERSION: u64 = 0x002e312f50545448;
// Each letter in lower case; a token has no other octet that this bit makes a letter of.
const LOWER: u64 = 0x2020202020202020;

let tape: i32 = 0;
let maxFields: i32 = 0;
let base: i32 = 0;
let isExact: bool = false;
// Where the next field line must begin.
let next: i32 = 0;
let fields: i32 = 0;
let steering: i32 = 0;
let nameStart: i32 = 0;
let valueStart: i32 = 0;

/** Says where the tape is and how many fields it has room for. */
export function init(at: i32, room: i32): void {
  tape = at;
  maxFields = room;
}

/** Reads `length` bytes at `input` up to a head's end; where a head `begins` there, it is recorded. */
export function run(parser: i32, input: i32, length: i32, begins: bool): i32 {
  if (begins) llhttp_reset(parser);
  base = input;
  // Of a head that came in pieces no more is recorded than how much of its target there is.
  isExact = begins;
  fields = 0;
  steering = 0;
  next = 0;
  put(TARGET_START, 0);
  put(TARGET_END, 0);
  const result = llhttp_execute(parser, input, length);
  // The position is garbage where nothing stopped llhttp.
  put(CONSUMED, result === 0 ? length : load<i32>(parser + ERROR_POSITION) - input);
  put(IS_EXACT, isExact && result === PAUSE ? 1 : 0);
  put(FIELDS, fields);
  put(STEERING, steering);
  return result;
}

// RFC 9112 §3: method SP request-target SP HTTP-version CRLF, with single spaces.
export function onUrl(_: i32, at: i32, length: i32): i32 {
  const end = at + length;
  put(TARGET_START, at - base);
  put(TARGET_END, end - base);
  let start = base;
  // RFC 9112 §2.2: empty lines in front of a request line are ignored.
  while (load<u16>(start) === CRLF) start += 2;
  // llhttp passes over CR and LF in any order.
  demand(load<u8>(start) > SP);
  put(START, start - base);
  put(MINOR, load<u8>(end + 8) - 0x30);
  demand(load<u8>(at - 1) === SP && load<u8>(at - 2) !== SP && load<u64>(end) === VERSION);
  // llhttp knows 0.9 and 2.0 too.
  demand((load<u8>(end + 8) | 1) === 0x31 && load<u16>(end + 9) === CRLF);
  next = end + 11;
  return GO_ON;
}

// RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ] CRLF; the last SP may be missing.
function readStatusLine(): void {
  const minor = load<u8>(base + 7);
  demand((load<u64>(base) & 0x00ffffffffffffff) === STATUS_VERSION && (minor | 1) === 0x31);
  const hundreds = load<u8>(base + 9);
  const status =
    (<i32>hundreds - 0x30) * 100 +
    (<i32>load<u8>(base + 10) - 0x30) * 10 +
    (<i32>load<u8>(base + 11) - 0x30);
  demand(load<u8>(base + 8) === SP && hundreds > 0x30);
  let at = base + 12;
  if (load<u8>(at) === SP) at++;
  put(REASON_START, at - base);
  while (isText(load<u8>(at))) at++;
  put(REASON_END, at - base);
  put(MINOR, minor - 0x30);
  put(STATUS, status);
  demand(load<u16>(at) === CRLF);
  next = at + 2;
}

// RFC 9112 §5: name ":" OWS value OWS CRLF.
export function onField(_: i32, at: i32, length: i32): i32 {
  if (next === 0 && isExact) readStatusLine();
  const end = at + length;
  demand(at === next && load<u8>(end) === COLON && fields < maxFields);
  if (!isExact) return GO_ON;
  const field = tape + FIELD_LIST + fields * BYTES_PER_FIELD;
  store<i32>(field, at - base);
  store<i32>(field + 4, end - base);
  const kind = steeringKind(at, length);
  if (kind !== 0) {
    demand(steering < MAX_STEERING);
    if (isExact) {
      const entry = tape + STEERING_LIST + steering++ * BYTES_PER_STEERING;
      store<i32>(entry, kind);
      store<i32>(entry + 4, fields);
    }
  }
  let start = end + 1;
  while (isWhiteSpace(load<u8>(start))) start++;
  nameStart = at;
  valueStart = start;
  return GO_ON;
}

export function onValue(_: i32, at: i32, length: i32): i32 {
  if (!isExact) return GO_ON;
  // An empty value's span lies behind its line end; a full one begins where the white space ends.
  const lineEnd = length === 0 ? valueStart : at + length;
  demand((length === 0 || at === valueStart) && nameStart === next && load<u16>(lineEnd) === CRLF);
  let end = lineEnd;
  while (end > valueStart && isWhiteSpace(load<u8>(end - 1))) end--;
  const field = tape + FIELD_LIST + fields++ * BYTES_PER_FIELD;
  store<i32>(field + 8, valueStart - base);
  store<i32>(field + 12, end - base);
  next = lineEnd + 2;
  return GO_ON;
}

// Where a body ends is framing's to say; llhttp's own opinion on it is never asked.
export function onHeadersComplete(_: i32): i32 {
  if (next === 0 && isExact) readStatusLine();
  demand(next !== 0 && load<u16>(next) === CRLF);
  return NO_BODY;
}

export function onMessageComplete(_: i32): i32 {
  return PAUSE;
}

/** For what is not recorded: the reason, which readStatusLine finds by itself, and bodies. */
export function onSpan(_: i32, __: i32, ___: i32): i32 {
  return GO_ON;
}

export function onMessageBegin(_: i32): i32 {
  return GO_ON;
}

/** Which of the fields that steer a connection this is: the place in facts.ts's list, from 1; else 0. */
function steeringKind(at: i32, length: i32): i32 {
  switch (length) {
    case 2:
      return is(at, 0, 2, 0x6574) ? 2 : 0; // te
    case 4: {
      const name = load<u32>(at) | <u32>LOWER;
      if (name === 0x74736f68) return 1; // host
      return name === 0x65746164 ? 3 : 0; // date
    }
    case 6:
      return is(at, 0, 6, 0x746365707865) ? 5 : 0; // expect
    case 7:
      if (is(at, 0, 7, 0x65646172677075)) return 6; // upgrade
      return is(at, 0, 7, 0x72656c69617274) ? 4 : 0; // trailer
    case 10:
      return is(at, 0, 8, 0x697463656e6e6f63) && is(at, 8, 2, 0x6e6f) ? 7 : 0; // connecti on
    case 14: // content- length
      return is(at, 0, 8, 0x2d746e65746e6f63) && is(at, 8, 6, 0x6874676e656c) ? 8 : 0;
    case 17: // transfer -encodin g
      return is(at, 0, 8, 0x726566736e617274) &&
        is(at, 8, 8, 0x6e69646f636e652d) &&
        is(at, 16, 1, 0x67)
        ? 9
        : 0;
  }
  return 0;
}

// Whether `count` octets at `from` behind `at` are those of `wanted`, letters in either case.
function is(at: i32, from: i32, count: i32, wanted: u64): bool {
  const mask: u64 = count === 8 ? ~(<u64>0) : (<u64>1 << (<u64>count * 8)) - 1;
  return ((load<u64>(at + from) | LOWER) & mask) === wanted;
}

function isWhiteSpace(octet: u8): bool {
  return octet === SP || octet === TAB;
}

// RFC 9112 §4: HTAB, SP, VCHAR and obs-text.
function isText(octet: u8): bool {
  return (octet >= SP && octet !== 0x7f) || octet === TAB;
}

function demand(isSo: bool): void {
  if (!isSo) isExact = false;
}

function put(at: i32, value: i32): void {
  store<i32>(tape + at, value);
}
