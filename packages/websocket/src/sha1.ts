// bytes → [sha1] → digest: the hash of Sec-WebSocket-Accept, synchronous on every runtime

const BLOCK_BYTES = 64;

// FIPS 180-4 §5.3.1.
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;

/**
 * The SHA-1 digest, 20 bytes (FIPS 180-4 §6.1). WebCrypto's is asynchronous. It protects nothing
 * here: it proves that a server read the key (RFC 6455 §10.8).
 */
export function sha1(message: Uint8Array): Uint8Array {
  const state = Uint32Array.from(INITIAL);
  const schedule = new Uint32Array(80);
  const padded = pad(message);
  for (let at = 0; at < padded.byteLength; at += BLOCK_BYTES) compress(state, padded, at, schedule);
  const digest = new DataView(new ArrayBuffer(20));
  for (let i = 0; i < state.length; i++) digest.setUint32(i * 4, state[i]!);
  return new Uint8Array(digest.buffer);
}

// FIPS 180-4 §5.1.1: a bit of one, zeros, and the length in bits in the last eight bytes.
function pad(message: Uint8Array): DataView {
  const blocks = Math.ceil((message.length + 9) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const padded = new DataView(bytes.buffer);
  padded.setBigUint64(bytes.length - 8, BigInt(message.length) * 8n);
  return padded;
}

// FIPS 180-4 §6.1.2.
function compress(state: Uint32Array, padded: DataView, at: number, w: Uint32Array): void {
  for (let t = 0; t < 16; t++) w[t] = padded.getUint32(at + t * 4);
  for (let t = 16; t < 80; t++) w[t] = rotl(w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!, 1);
  // Not destructured, which doubles the time of the first hundred calls.
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 80; t++) {
    const next = (rotl(a, 5) + mix(t, b, c, d) + e + w[t]!) | 0;
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = next;
  }
  // The array keeps 32 bits of each sum.
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

// FIPS 180-4 §4.1.1 and §4.2.1: the function and the constant of step t.
function mix(t: number, x: number, y: number, z: number): number {
  if (t < 20) return ((x & y) ^ (~x & z)) + 0x5a827999;
  if (t < 40) return (x ^ y ^ z) + 0x6ed9eba1;
  if (t < 60) return ((x & y) ^ (x & z) ^ (y & z)) + 0x8f1bbcdc;
  return (x ^ y ^ z) + 0xca62c1d6;
}

function rotl(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
