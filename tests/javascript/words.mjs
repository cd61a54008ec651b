// Section 1 of the contract (lib/STREAM.md): keys by BLAKE2b, words by Philox4x32-10.

const MASK64 = (1n << 64n) - 1n;

const IV = [0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n];
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

const rotate = (x, n) => ((x >> n) | (x << (64n - n))) & MASK64;

function le64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value & MASK64, true);
  return bytes;
}

// BLAKE2b (RFC 7693) of one block at most, unkeyed, with salt and personalisation.
function blake2b(message, length, salt, personal) {
  const parameters = new Uint8Array(64);
  parameters.set([length, 0, 1, 1]);
  parameters.set(salt, 32);
  parameters.set(personal, 48);
  const p = new DataView(parameters.buffer);
  const h = IV.map((v, i) => v ^ p.getBigUint64(8 * i, true));
  const block = new Uint8Array(128);
  block.set(message);
  const words = new DataView(block.buffer);
  const m = Array.from({ length: 16 }, (_, i) => words.getBigUint64(8 * i, true));
  const v = [...h, ...IV];
  v[12] ^= BigInt(message.length);
  v[14] ^= MASK64;
  const mix = (a, b, c, d, x, y) => {
    v[a] = (v[a] + v[b] + x) & MASK64; v[d] = rotate(v[d] ^ v[a], 32n);
    v[c] = (v[c] + v[d]) & MASK64; v[b] = rotate(v[b] ^ v[c], 24n);
    v[a] = (v[a] + v[b] + y) & MASK64; v[d] = rotate(v[d] ^ v[a], 16n);
    v[c] = (v[c] + v[d]) & MASK64; v[b] = rotate(v[b] ^ v[c], 63n);
  };
  for (let round = 0; round < 12; round++) {
    const s = SIGMA[round % 10];
    for (let i = 0; i < 4; i++) mix(i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
    for (let i = 0; i < 4; i++) {
      mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
  }
  const out = new DataView(new ArrayBuffer(64));
  h.forEach((x, i) => out.setBigUint64(8 * i, x ^ v[i] ^ v[i + 8], true));
  return out;
}

export function keyOf(seed, domain) {
  const salt = new Uint8Array(16);
  salt.set(le64(BigInt(domain)));
  const personal = new TextEncoder().encode("fmixd-stream-v1\0");
  const digest = blake2b(le64(BigInt(seed)), 16, salt, personal);
  return [digest.getUint32(0, true), digest.getUint32(4, true)];
}

// High and low half of a product of 32-bit numbers.
function multiply(a, b) {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
}

export function philox(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

// The first `count` words of the stream at `index`.
export function wordsOf(key, index, count) {
  const low = Number(BigInt(index) & 0xffffffffn), high = Number(BigInt(index) >> 32n);
  const words = [];
  for (let block = 0; words.length < count; block++) words.push(...philox([block, 0, low, high], key));
  return words.slice(0, count);
}

