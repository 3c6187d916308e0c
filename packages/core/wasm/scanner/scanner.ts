// bytes → [scanner] → tape: a whole head in one pass, sixteen octets at a time
//
// AssemblyScript. It accepts only a head that is complete and certain to follow the grammar of RFC
// 9112. Every other head goes to parser/slow-head.ts, which finds out what is wrong with it, if
// anything.

import {
  BYTES_PER_NAME,
  CLOSE,
  DATE,
  FIELD_LIST,
  FIELDS,
  FLAGS,
  INTS_PER_FIELD,
  INTS_PER_STEERING,
  KEEP_ALIVE,
  KNOWN_LENGTH,
  LENGTH,
  MAX_FIELDS,
  MAX_STEERING,
  METHOD,
  MINOR,
  PLAIN_HOST,
  REASON_END,
  REASON_START,
  STATUS,
  STEERING,
  STEERING_LIST,
  TARGET_END,
  TARGET_START,
  TE,
  TRAILER,
  UPGRADE,
} from "../../src/parser/tape-layout";
import {
  COLON,
  endOf,
  endOfText,
  isDigit,
  isPlainHost,
  isWhiteSpace,
  SP,
  TARGET,
  TOKEN,
} from "./octets";

// The tape counts in integers, memory in bytes.
const FIRST_STEERING = STEERING_LIST << 2;
const BYTES_PER_STEERING = INTS_PER_STEERING << 2;
const FIRST_FIELD = FIELD_LIST << 2;
const BYTES_PER_FIELD = INTS_PER_FIELD << 2;
const NAMES = FIRST_FIELD + MAX_FIELDS * BYTES_PER_FIELD;

// There is a Content-Length, a Transfer-Encoding. Used only here.
const LENGTHS = 256;
const CODINGS = 512;

const NOT_EXACT = 0;
const NOT_WHOLE = -1;

const COMMA: u8 = 0x2c;
const CRLF: u16 = 0x0a0d;
// " HTTP/1." and "HTTP/1.", read as little-endian integers.
const VERSION: u64 = 0x2e312f5054544820;
const STATUS_VERSION: u64 = 0x002e312f50545448;
// Turns each letter to lower case; this bit turns no other octet of a token into a letter.
const LOWER: u64 = 0x2020202020202020;

let base: i32 = 0;
let flags: i32 = 0;
let steering: i32 = 0;

/**
 * Reads the request head at `from`, which must end by `to`.
 *
 * @returns Its length; 0 if it is not exact, -1 if more bytes may make it so.
 */
export function scanRequest(from: i32, to: i32): i32 {
  base = from;
  // RFC 9112 §3: method SP request-target SP HTTP-version CRLF, with single spaces.
  const start = from + methodLength(load<u32>(from), load<u32>(from + 4)) + 1;
  if (start === from + 1) return failed(start, to);
  const end = endOf(TARGET, start, to);
  if (end === start) return failed(start, to);
  const minor = load<u8>(end + 8);
  const isLine = load<u64>(end) === VERSION && (minor | 1) === 0x31 && load<u16>(end + 9) === CRLF;
  if (!isLine) return failed(end + 10, to);
  put(TARGET_START, start - from);
  put(TARGET_END, end - from);
  put(MINOR, minor - 0x30);
  return scanFields(end + 11, to);
}

/** Like {@link scanRequest}, for a response head. */
export function scanResponse(from: i32, to: i32): i32 {
  base = from;
  // RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ] CRLF; the last SP may be missing.
  const minor = load<u8>(from + 7);
  const hundreds = <i32>load<u8>(from + 9) - 0x30;
  const tens = <i32>load<u8>(from + 10) - 0x30;
  const ones = <i32>load<u8>(from + 11) - 0x30;
  const isStatus = <u32>(hundreds - 1) < 9 && <u32>tens < 10 && <u32>ones < 10;
  const isVersion = (load<u64>(from) & 0x00ffffffffffffff) === STATUS_VERSION;
  if (!isVersion || (minor | 1) !== 0x31 || load<u8>(from + 8) !== SP || !isStatus) {
    return failed(from + 12, to);
  }
  let start = from + 12;
  if (load<u8>(start) === SP) start++;
  else if (load<u16>(start) !== CRLF) return failed(start + 1, to);
  const end = endOfText(start, to);
  if (load<u16>(end) !== CRLF) return failed(end + 1, to);
  put(TARGET_START, 0);
  put(TARGET_END, 0);
  put(MINOR, minor - 0x30);
  put(STATUS, hundreds * 100 + tens * 10 + ones);
  put(REASON_START, start - from);
  put(REASON_END, end - from);
  return scanFields(end + 2, to);
}

/** Like {@link scanRequest}, for a trailer section (RFC 9112 §7.1.2). */
export function scanTrailers(from: i32, to: i32): i32 {
  base = from;
  put(TARGET_START, 0);
  put(TARGET_END, 0);
  return scanFields(from, to);
}

// RFC 9112 §5: name ":" OWS value OWS CRLF, line after line, and an empty one.
function scanFields(start: i32, to: i32): i32 {
  let at = start;
  let field = FIRST_FIELD;
  flags = 0;
  steering = 0;
  while (load<u16>(at) !== CRLF) {
    const nameEnd = endOf(TOKEN, at, to);
    if (nameEnd === at || load<u8>(nameEnd) !== COLON) return failed(nameEnd, to);
    let value = nameEnd + 1;
    while (isWhiteSpace(load<u8>(value))) value++;
    const lineEnd = endOfText(value, to);
    if (lineEnd >= to) return NOT_WHOLE;
    if (load<u16>(lineEnd) !== CRLF || field === NAMES) return failed(lineEnd + 1, to);
    let valueEnd = lineEnd;
    while (valueEnd > value && isWhiteSpace(load<u8>(valueEnd - 1))) valueEnd--;
    store<i32>(field, at - base);
    store<i32>(field, nameEnd - base, 4);
    store<i32>(field, value - base, 8);
    store<i32>(field, valueEnd - base, 12);
    if (!steer(at, nameEnd - at, value, valueEnd, (field - FIRST_FIELD) / BYTES_PER_FIELD)) {
      return NOT_EXACT;
    }
    field += BYTES_PER_FIELD;
    at = lineEnd + 2;
  }
  if (at + 2 > to) return NOT_WHOLE;
  put(FIELDS, (field - FIRST_FIELD) / BYTES_PER_FIELD);
  put(FLAGS, flags);
  put(STEERING, steering);
  return at + 2 - base;
}

function failed(at: i32, to: i32): i32 {
  return at >= to ? NOT_WHOLE : NOT_EXACT;
}

// The methods of nearly all requests, numbered by their index in the list of fast-head.ts.
function methodLength(first: u32, then: u32): i32 {
  switch (first) {
    case 0x20544547: // GET SP
      return method(1, 3);
    case 0x54534f50: // POST
      return (then & 0xff) === SP ? method(2, 4) : 0;
    case 0x44414548: // HEAD
      return (then & 0xff) === SP ? method(3, 4) : 0;
    case 0x20545550: // PUT SP
      return method(4, 3);
    case 0x454c4544: // DELE
      return (then & 0xffffff) === 0x204554 ? method(5, 6) : 0; // TE SP
    case 0x43544150: // PATC
      return (then & 0xffff) === 0x2048 ? method(6, 5) : 0; // H SP
    case 0x4e4e4f43: // CONN
      return then === 0x20544345 ? method(8, 7) : 0; // ECT SP
    case 0x4954504f: // OPTI
      return then === 0x20534e4f ? method(7, 7) : 0; // ONS SP
  }
  return 0;
}

function method(number: i32, length: i32): i32 {
  put(METHOD, number);
  return length;
}

/** The index of the first field from `first` on with the name `wanted`; -1 if there is none. */
export function find(wanted: i32, length: i32, first: i32): i32 {
  const count = load<i32>(FIELDS << 2);
  const name = NAMES + wanted * BYTES_PER_NAME;
  for (let i = first; i < count; i++) {
    const field = FIRST_FIELD + i * BYTES_PER_FIELD;
    const start = load<i32>(field);
    if (load<i32>(field, 4) - start === length && isNamed(base + start, name, length)) return i;
  }
  return -1;
}

// RFC 9110 §5.1: names are case-insensitive. `wanted` is in lower case, padded with zeros.
function isNamed(at: i32, wanted: i32, length: i32): bool {
  const first = differing(at, wanted);
  if (length <= 16) return (first & ((1 << length) - 1)) === 0;
  return first === 0 && (differing(at + 16, wanted + 16) & ((1 << (length - 16)) - 1)) === 0;
}

function differing(at: i32, wanted: i32): i32 {
  const octets = v128.load(at);
  const isUpper = i8x16.lt_u(i8x16.sub(octets, i8x16.splat(0x41)), i8x16.splat(26));
  const lower = v128.or(octets, v128.and(isUpper, i8x16.splat(0x20)));
  return i8x16.bitmask(i8x16.ne(lower, v128.load(wanted)));
}

// Fields that control a connection. If a flag cannot hold the value, the kind and index of the field
// go on the tape; the kind is the index in the list of facts.ts, from 1.
function steer(name: i32, length: i32, value: i32, valueEnd: i32, field: i32): bool {
  switch (length) {
    case 2:
      return is(name, 0, 2, 0x6574) ? list(2, field) : true; // te
    case 4: {
      const four = load<u32>(name) | <u32>LOWER;
      if (four === 0x65746164) flags |= DATE; // date
      if (four !== 0x74736f68) return true; // host
      if ((flags & PLAIN_HOST) !== 0 || !isPlainHost(value, valueEnd)) return list(1, field);
      flags |= PLAIN_HOST;
      return true;
    }
    case 6:
      return is(name, 0, 6, 0x746365707865) ? list(5, field) : true; // expect
    case 7:
      if (is(name, 0, 7, 0x72656c69617274)) flags |= TRAILER; // trailer
      return is(name, 0, 7, 0x65646172677075) ? list(6, field) : true; // upgrade
    case 10: // connecti on
      if (is(name, 0, 8, 0x697463656e6e6f63) && is(name, 8, 2, 0x6e6f))
        readOptions(value, valueEnd);
      return true;
    case 14: // content- length
      if (!is(name, 0, 8, 0x2d746e65746e6f63) || !is(name, 8, 6, 0x6874676e656c)) return true;
      return readLength(value, valueEnd, field);
    case 17: // transfer -encodin g
      if (!is(name, 0, 8, 0x726566736e617274) || !is(name, 8, 8, 0x6e69646f636e652d)) return true;
      if (!is(name, 16, 1, 0x67)) return true;
      return isChunked(value, valueEnd) && frames(CODINGS) && list(9, field);
  }
  return true;
}

function list(kind: i32, field: i32): bool {
  if (steering === MAX_STEERING) return false;
  const entry = FIRST_STEERING + steering++ * BYTES_PER_STEERING;
  store<i32>(entry, kind);
  store<i32>(entry, field, 4);
  return true;
}

// A second framing field, and whatever llhttp would refuse, is left to llhttp.
function frames(flag: i32): bool {
  const isFirst = (flags & flag) === 0;
  flags |= flag;
  return isFirst;
}

// Accepts as many digits as always make a safe integer, and stores the number if it is short.
function readLength(start: i32, end: i32, field: i32): bool {
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = load<u8>(at);
    if (!isDigit(octet)) return false;
    length = length * 10 + octet - 0x30;
  }
  if (end === start || end - start > 15 || !frames(LENGTHS)) return false;
  if (end - start > 9) return list(8, field);
  put(LENGTH, length);
  flags |= KNOWN_LENGTH;
  return true;
}

function isChunked(value: i32, end: i32): bool {
  return end - value === 7 && is(value, 0, 7, 0x64656b6e756863);
}

// RFC 9110 §7.6.1: options are compared whole, ignoring case.
function readOptions(start: i32, end: i32): void {
  let at = start;
  while (at < end) {
    while (at < end && (isWhiteSpace(load<u8>(at)) || load<u8>(at) === COMMA)) at++;
    const option = at;
    while (at < end && load<u8>(at) !== COMMA) at++;
    let optionEnd = at;
    while (optionEnd > option && isWhiteSpace(load<u8>(optionEnd - 1))) optionEnd--;
    flags |= flagOf(option, optionEnd - option);
  }
}

function flagOf(option: i32, length: i32): i32 {
  switch (length) {
    case 2:
      return is(option, 0, 2, 0x6574) ? TE : 0; // te
    case 5:
      return is(option, 0, 5, 0x65736f6c63) ? CLOSE : 0; // close
    case 7:
      return is(option, 0, 7, 0x65646172677075) ? UPGRADE : 0; // upgrade
    case 10: // keep-ali ve
      return is(option, 0, 8, 0x696c612d7065656b) && is(option, 8, 2, 0x6576) ? KEEP_ALIVE : 0;
  }
  return 0;
}

// Whether the `count` octets at `at + from` are those of `wanted`, ignoring case.
function is(at: i32, from: i32, count: i32, wanted: u64): bool {
  const mask: u64 = count === 8 ? ~(<u64>0) : ((<u64>1) << (<u64>count * 8)) - 1;
  return ((load<u64>(at + from) | LOWER) & mask) === wanted;
}

function put(place: i32, value: i32): void {
  store<i32>(place << 2, value);
}
