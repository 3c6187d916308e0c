// bytes → [octets] → scanner: sets of octets, and where a run of them ends

const TAB: u8 = 0x09;
export const SP: u8 = 0x20;
export const COLON: u8 = 0x3a;

// A set of octets below 0x80 is one table: for each low half, a bit for each high half with which it
// is in the set. HIGH gives the bit for each high half.
const HIGH = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
// RFC 9110 §5.6.2: tchar.
export const TOKEN = i8x16(-24, -4, -8, -4, -4, -4, -4, -4, -8, -8, -12, 84, -48, 84, -12, 112);
// The octets that message/target.ts allows in a path and a query: 0x21 to 0x7e except `"`, `#`, `<`, `>`.
export const TARGET = i8x16(-8, -4, -8, -8, -4, -4, -4, -4, -4, -4, -4, -4, -12, -4, -12, 124);

// RFC 3986 §3.2.2: reg-name, except "%".
const REG_NAME = i8x16(-88, -4, -8, -8, -4, -8, -4, -4, -4, -4, -12, 92, 84, 92, -44, 112);

// A bit for each of the sixteen octets that is not in the set.
function outside(octets: v128, set: v128): i32 {
  const low = i8x16.swizzle(set, v128.and(octets, i8x16.splat(0x0f)));
  const high = i8x16.swizzle(HIGH, i8x16.shr_u(octets, 4));
  return i8x16.bitmask(i8x16.eq(v128.and(low, high), i8x16.splat(0)));
}

// The position of the first octet from `start` on that is not in the set; `to` or more if none is.
export function endOf(set: v128, start: i32, to: i32): i32 {
  for (let at = start; at < to; at += 16) {
    const mask = outside(v128.load(at), set);
    if (mask !== 0) return at + ctz(mask);
  }
  return to;
}

// RFC 9110 §7.2: uri-host [":" port], with neither "%" nor "[" in the host.
export function isPlainHost(value: i32, valueEnd: i32): bool {
  const hostEnd = endOf(REG_NAME, value, valueEnd);
  if (hostEnd >= valueEnd) return true;
  if (hostEnd === value || load<u8>(hostEnd) !== COLON || valueEnd - hostEnd > 6) return false;
  let port = 0;
  for (let at = hostEnd + 1; at < valueEnd; at++) {
    if (!isDigit(load<u8>(at))) return false;
    port = port * 10 + load<u8>(at) - 0x30;
  }
  return port <= 65_535;
}

// RFC 9110 §5.5, RFC 9112 §4: HTAB, SP, VCHAR and obs-text.
export function endOfText(start: i32, to: i32): i32 {
  let at = start;
  while (at < to) {
    const octets = v128.load(at);
    const isControl = i8x16.lt_u(octets, i8x16.splat(0x20));
    const mask = i8x16.bitmask(v128.or(isControl, i8x16.eq(octets, i8x16.splat(0x7f))));
    if (mask === 0) {
      at += 16;
      continue;
    }
    at += ctz(mask);
    if (load<u8>(at) !== TAB) return at;
    at++;
  }
  return to;
}

export function isDigit(octet: u8): bool {
  return <u32>(octet - 0x30) < 10;
}

export function isWhiteSpace(octet: u8): bool {
  return octet === SP || octet === TAB;
}
