import fc from "fast-check";

const TCHAR = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
// Fields that control the connection are added explicitly, never at random.
const STEERING = new Set([
  ...["connection", "content-length", "date", "expect", "host", "te"],
  ...["trailer", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"],
]);

export const token = fc.string({
  unit: fc.constantFrom(...TCHAR),
  minLength: 1,
  maxLength: 12,
});

const fieldName = token.filter((name) => !STEERING.has(name.toLowerCase()));

const fieldOctet = fc
  .oneof(
    fc.integer({ min: 0x21, max: 0x7e }),
    fc.integer({ min: 0x80, max: 0xff }),
    fc.constantFrom(0x20, 0x09),
  )
  .map((octet) => String.fromCharCode(octet));

const fieldValue = fc
  .string({ unit: fieldOctet, maxLength: 20 })
  .map((value) => value.replace(/^[\t ]+|[\t ]+$/g, ""));

/** Field lines without any effect. */
export const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 6 });

/** Trailers with names that are allowed there. */
export const trailers = fc.array(
  fc.tuple(
    token.map((name) => `X-${name}`),
    fieldValue,
  ),
  { maxLength: 3 },
);

const PATH = [..."abz019-._~!$&'()*+,;=:@/", "%41", "%fF"];

export const target = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...PATH), maxLength: 12 }),
    fc.option(fc.string({ unit: fc.constantFrom(...PATH, "?"), maxLength: 8 })),
  )
  .map(([path, query]) => `/${path}${query === null ? "" : `?${query}`}`);

export const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH");

/** A body in pieces. */
export const body = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 });

/** Where to cut an input: one seed for any length. */
export const cuts = fc.array(fc.nat({ max: 5_000 }), { maxLength: 12 });

/** The pieces of `input` between the cuts that fall into it. */
export function piecesOf(input: Uint8Array, places: readonly number[]): Uint8Array[] {
  const inside = places.map((place) => place % (input.length + 1)).sort((a, b) => a - b);
  return [...inside, input.length].map((to, i) => input.slice(i === 0 ? 0 : inside[i - 1], to));
}

// Fragments of requests and responses, valid and invalid.
const SHARDS = [
  ...["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET ", "POST ", "HEAD ", "CONNECT a:1 ", "/", "*", " "],
  ...["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "\r\n", "\r\n\r\n", "\r", "\n", "\t", ":", "\0", "\xff"],
  ...["Host: a\r\n", "Connection: close\r\n", "Connection: upgrade\r\nUpgrade: x\r\n"],
  ...["Content-Length: 3\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"],
  ...["Expect: 100-continue\r\n", "A: b\r\n", "A:\r\n", "A:  \t b \t\r\n", " folded\r\n"],
  ...[
    "3\r\nabc\r\n",
    "0\r\n",
    "0\r\n\r\n",
    "a;b=c\r\n0123456789\r\n",
    "1",
    "f",
    ";",
    "=",
    '"',
    "xyz",
  ],
  ...["HTTP/1.1 200 OK\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 103\r\n\r\n"],
  ...["HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"],
];

/** Input that is almost HTTP: fragments in any order, with some noise. */
export const nearlyHttp = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(...SHARDS).map((shard) => Buffer.from(shard, "latin1")),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((noise) => Buffer.from(noise)) },
    ),
    { maxLength: 14 },
  )
  .map((shards) => new Uint8Array(Buffer.concat(shards)));
