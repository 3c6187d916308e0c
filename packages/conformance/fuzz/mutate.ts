import type { Random } from "./random.ts";

// What an attacker writes in place of valid text.
const SHARDS = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    "  ",
    ":",
    ",",
    ";",
    "=",
    '"',
    "\0",
    "\x7f",
    "\x80",
  ],
  ...[
    "Host: a\r\n",
    "Host:\r\n",
    "Host: [::1]:80\r\n",
    "Content-Length: 3\r\n",
    "content-length:0\r\n",
  ],
  ...[
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
  ],
  ...[
    "Connection: keep-alive\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Upgrade: x\r\n",
  ],
  ...[
    "Expect: 100-continue\r\n",
    "TE: trailers\r\n",
    "A: b\r\n",
    "A:\r\n",
    " folded\r\n",
    "A : b\r\n",
  ],
  ...[
    "0\r\n\r\n",
    "0\r\nA: b\r\n\r\n",
    "3\r\nabc\r\n",
    "3;a=b\r\nabc\r\n",
    '5;q="\\"" ;r\r\nhello\r\n',
    "00003\r\nabc\r\n",
  ],
  ...[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1",
    "HTTP/1.0",
  ],
  ...[
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Hints\r\nA: b\r\n\r\n",
    "HTTP/1.1 204\r\n\r\n",
  ],
  ...[
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "CONNECT a:1 ",
    "OPTIONS * ",
  ],
  ...[
    "http://a/",
    "//",
    "%zz",
    "%41",
    "?",
    "#",
    "chunked",
    "identity",
    "xchunked",
    "close",
    "upgrade",
  ],
];
const NUMBERS = [
  ...[
    "0",
    "1",
    "-1",
    "+5",
    "1e3",
    "0x10",
    "5,5",
    "00",
    "007",
    "99",
    "100",
    "101",
    "199",
    "204",
    "304",
  ],
  ...["999", "1000", "65535", "65536", "4294967295", "4294967296", "9007199254740991"],
  ...["9007199254740992", "ffffffff", "1fffffffffffff", "fffffffffffff", "10000000000000"],
  ...["18446744073709551615", "18446744073709551616", "fffffffffffffffff"],
];
const ODD_OCTETS = [...'\r\n\t :,;="\\/?#%*[]@\0\x0b\x0c\x1f\x7f\x80\xa0\xff019afAFzZ+-'];
const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "CONNECT",
  "OPTIONS",
  "PATCH",
  "PURGE",
  "M-SEARCH",
  "get",
  "QUERY",
];

type Mutation = (text: string, random: Random, other: string) => string;

const MUTATIONS: readonly Mutation[] = [
  flip,
  replaceOctet,
  replaceOctet,
  insertOctet,
  deleteSpan,
  deleteSpan,
  insertShard,
  insertShard,
  insertShard,
  duplicateLine,
  duplicateLine,
  moveLine,
  deleteLine,
  deleteLine,
  duplicateToken,
  replaceToken,
  exchangeLines,
  swapLineEnd,
  breakLineEnd,
  boundary,
  boundary,
  boundary,
  splice,
  splice,
  follow,
  changeCase,
  changeMethod,
  changeVersion,
  repeat,
  truncate,
];

/** One to five mutations of `text`; pieces of `other` may be spliced in. */
export function mutate(text: string, other: string, random: Random): string {
  let mutant = text;
  let rounds = 1 + random.below(3);
  if (random.oneIn(4)) rounds += 2;
  for (let i = 0; i < rounds; i++) mutant = random.pick(MUTATIONS)(mutant, random, other);
  return mutant;
}

function put(text: string, at: number, removed: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at + removed);
}

/** A position, sometimes at the beginning of a line or in its end. */
function place(text: string, random: Random): number {
  const at = random.below(text.length + 1);
  if (random.oneIn(2)) return at;
  const line = text.indexOf("\r\n", at);
  if (line === -1) return at;
  return line + random.below(3);
}

function flip(text: string, random: Random): string {
  if (text === "") return text;
  const at = random.below(text.length);
  return put(text, at, 1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))));
}

function replaceOctet(text: string, random: Random): string {
  return put(text, place(text, random), 1, random.pick(ODD_OCTETS));
}

function insertOctet(text: string, random: Random): string {
  const octet = random.oneIn(3) ? String.fromCharCode(random.below(256)) : random.pick(ODD_OCTETS);
  return put(text, place(text, random), 0, octet);
}

function deleteSpan(text: string, random: Random): string {
  return put(text, place(text, random), 1 + random.below(random.oneIn(3) ? 12 : 2), "");
}

function insertShard(text: string, random: Random): string {
  return put(text, place(text, random), 0, random.pick(SHARDS));
}

/** Start and length of one line, its end included. */
function lineOf(text: string, random: Random): [start: number, length: number] {
  const at = random.below(text.length + 1);
  const start = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  return [start, (end === -1 ? text.length : end + 1) - start];
}

function duplicateLine(text: string, random: Random): string {
  const [start, length] = lineOf(text, random);
  return put(text, start, 0, text.slice(start, start + length));
}

function deleteLine(text: string, random: Random): string {
  const [start, length] = lineOf(text, random);
  return put(text, start, length, "");
}

function moveLine(text: string, random: Random): string {
  const [start, length] = lineOf(text, random);
  const rest = put(text, start, length, "");
  const [to] = lineOf(rest, random);
  return put(rest, to, 0, text.slice(start, start + length));
}

function exchangeLines(text: string, random: Random, other: string): string {
  const [start, length] = lineOf(text, random);
  const [from, taken] = lineOf(other, random);
  return put(text, start, length, other.slice(from, from + taken));
}

function tokenOf(text: string, random: Random): [start: number, length: number] {
  const at = random.below(text.length + 1);
  const pattern = /[^\s:;,=/]+/g;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null ? [at, 0] : [match.index, match[0].length];
}

function duplicateToken(text: string, random: Random): string {
  const [start, length] = tokenOf(text, random);
  const joint = random.pick(["", " ", ",", ", ", ";", ":"]);
  return put(text, start, 0, text.slice(start, start + length) + joint);
}

function replaceToken(text: string, random: Random, other: string): string {
  const [start, length] = tokenOf(text, random);
  const [from, taken] = tokenOf(other, random);
  return put(text, start, length, other.slice(from, from + taken));
}

/** Replaces half of a line end. */
function breakLineEnd(text: string, random: Random): string {
  const at = text.indexOf("\r\n", random.below(text.length + 1));
  return at === -1 ? text : put(text, at + random.below(2), 1, random.pick(ODD_OCTETS));
}

function swapLineEnd(text: string, random: Random): string {
  const at = text.indexOf("\r\n", random.below(text.length + 1));
  if (at === -1) return text;
  return put(
    text,
    at,
    2,
    random.pick(["\n", "\r", "\n\r", "\r\r\n", "\r\n\r\n", " \r\n", "\t\r\n", ""]),
  );
}

function boundary(text: string, random: Random): string {
  const pattern = /[0-9][0-9a-fA-F]*/g;
  pattern.lastIndex = random.below(text.length + 1);
  const match = pattern.exec(text);
  if (match === null) return text;
  const [digits] = match;
  const near = Number(digits) + random.pick([-1, 1, 2]);
  const other = random.oneIn(2) ? random.pick(NUMBERS) : String(near);
  return put(text, match.index, digits.length, other);
}

function splice(text: string, random: Random, other: string): string {
  return text.slice(0, place(text, random)) + other.slice(place(other, random));
}

function follow(text: string, _random: Random, other: string): string {
  return text + other;
}

function changeCase(text: string, random: Random): string {
  const [start, length] = tokenOf(text, random);
  const token = text.slice(start, start + length);
  const upper = token.toUpperCase();
  // Beyond ASCII, upper case is a different octet, or none.
  if (/[^\0-\x7f]/.test(token)) return text;
  return put(text, start, length, upper === token ? token.toLowerCase() : upper);
}

function changeMethod(text: string, random: Random): string {
  return text.replace(/^(?:[A-Z-]+(?= )|(?=HTTP))/m, random.pick(METHODS));
}

function changeVersion(text: string, random: Random): string {
  return text.replace(
    /HTTP\/[0-9]\.[0-9]/,
    random.pick(["HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9"]),
  );
}

function repeat(text: string, random: Random): string {
  const [start, length] = random.oneIn(2)
    ? lineOf(text, random)
    : [place(text, random), 1 + random.below(8)];
  // Rarely enough to exceed a limit or the time.
  const times = random.oneIn(64) ? 2_000 : 1 + random.below(40);
  const piece = text.slice(start, start + length);
  return put(
    text,
    start,
    0,
    piece.repeat(Math.min(times, Math.ceil(100_000 / (piece.length + 1)))),
  );
}

function truncate(text: string, random: Random): string {
  return text.slice(0, place(text, random));
}
