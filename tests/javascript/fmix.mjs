// Stream v1 of fmixd in JavaScript, written from the contract alone: lambda, FMix (paper, hard masks),
// CutMix, pairings, shuffles and policies. Doubles first, with an error bound; what they cannot
// decide is decided in fixed point of some hundred bits. No dependency, nothing fast.

const ONE = 1n << 32n; // L of lambda = 1
const MASK64 = (1n << 64n) - 1n;

// ---- words (section 1) ----

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

function philox(counter, key) {
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

// ---- fixed point: integers of 2^-BITS ----

const BITS = 640n; // 2^-256 of sums as large as 2^100, and room
const UNIT = 1n << BITS;

const times = (a, b) => (a * b) / UNIT; // towards zero, so that series of either sign end
const over = (a, b) => (a << BITS) / b;

function root(x) { // of x >= 0
  const n = x << BITS;
  if (n === 0n) return 0n;
  let r = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const s = (r + n / r) >> 1n;
    if (s >= r) return r;
    r = s;
  }
}

// 2 atanh(x) for small x
function twiceAtanh(x) {
  const square = times(x, x);
  let power = x, sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = times(power, square);
  }
  return 2n * sum;
}

const LN2 = twiceAtanh(UNIT / 3n);

function ln(x) { // x > 0
  let shift = 0n, m = x;
  while (m > UNIT + (UNIT >> 1n)) { m >>= 1n; shift++; }
  while (m < (UNIT * 3n) >> 2n) { m <<= 1n; shift--; }
  return shift * LN2 + twiceAtanh(over(m - UNIT, m + UNIT));
}

function exp(x) {
  const n = x / LN2;
  const rest = x - n * LN2;
  let term = UNIT, sum = 0n;
  for (let i = 1n; term !== 0n; i++) {
    sum += term;
    term = times(term, rest) / i;
  }
  return n >= 0n ? sum << n : sum >> -n;
}

function atanInverse(n) { // arctan(1/n)
  let power = UNIT / n, sum = 0n, sign = 1n;
  for (let i = 1n; power !== 0n; i += 2n, sign = -sign) {
    sum += sign * power / i;
    power /= n * n;
  }
  return sum;
}

const TAU = 8n * (4n * atanInverse(5n) - atanInverse(239n)); // Machin

// Cosine and sine of 2 pi n/d, the angle brought into an eighth by integers.
function turn(n, d) {
  const eighths = 8n * (((n % d) + d) % d);
  const octant = (eighths / d + 1n) / 2n; // of quarters, rounded
  const angle = times(TAU, over(eighths - 2n * octant * d, 8n * d));
  const square = times(angle, angle);
  let cosine = 0n, sine = 0n, term = UNIT;
  for (let i = 1n; term !== 0n; i += 2n) {
    cosine += term;
    const odd = times(term, angle) / i;
    sine += odd;
    term = -times(term, square) / (i * (i + 1n));
  }
  const quarter = Number(octant % 4n);
  return [[cosine, sine], [-sine, cosine], [-cosine, -sine], [sine, -cosine]][quarter];
}

// A double, exactly as long as its last bit is above 2^-BITS.
function fixed(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = bits >> 52n & 0x7ffn;
  const fraction = (bits & ((1n << 52n) - 1n)) | (exponent ? 1n << 52n : 0n);
  const shift = BITS - 1074n + (exponent ? exponent - 1n : 0n);
  return shift >= 0n ? fraction << shift : fraction >> -shift;
}

// ---- lambda (section 2) ----

// To the nearest multiple of 2^-32, ties to even.
function roundToLambda(x) {
  const scaled = x << 32n, below = scaled >> BITS, rest = scaled - (below << BITS);
  const half = UNIT >> 1n;
  return rest > half || (rest === half && below & 1n) ? below + 1n : below;
}

export function givenLambda(lambda) {
  return roundToLambda(fixed(lambda));
}

export function drawLambda(seed, alpha, t) {
  const [w0, w1] = wordsOf(keyOf(seed, 1), t, 2);
  const half = UNIT >> 1n;
  const [c] = turn(BigInt(w1), ONE);
  if (w0 === 0xffffffff || w1 % 2 ** 31 === 2 ** 30) return ONE / 2n;
  const u = over(BigInt(w0) + 1n, ONE);
  const q = exp(over(ln(u), fixed(alpha)));
  const rest = UNIT - q;
  const size = over(times(c, root(rest)), 2n * root(q + times(rest, times(c, c))));
  return roundToLambda(half + size);
}

export function reformulate(seed, t, lambda) {
  return BigInt(wordsOf(keyOf(seed, 1), t, 3)[2]) < lambda ? lambda : ONE - lambda;
}

// ---- FMix (section 3) ----

const signed = (bin, n) => (2 * bin <= n ? bin : bin - n);

// The bins of the half spectrum, in order: where each is, its frequency squared as a fraction, and c.
function* binsOf(shape, extent) {
  const sides = shape.map((n, d) => (d === shape.length - 1 ? Math.floor(n / 2) + 1 : n));
  const count = sides.reduce((a, b) => a * b, 1);
  for (let j = 0; j < count; j++) {
    const bin = [];
    for (let d = sides.length - 1, rest = j; d >= 0; d--) {
      bin.unshift(rest % sides[d]);
      rest = Math.floor(rest / sides[d]);
    }
    let above = 0n, below = 1n;
    bin.forEach((b, d) => {
      const k = BigInt(signed(b, shape[d])), n = extent ? 1n : BigInt(shape[d]);
      above = above * n * n + k * k * below;
      below *= n * n;
    });
    const last = bin[bin.length - 1], n = shape[shape.length - 1];
    yield { bin, above, below, mirrored: last === 0 || 2 * last === n };
  }
}

// c_j Z_j f_j^-delta in doubles: a relative error of some 2^-48, and of size r.
function approximateBins(bins, words, delta) {
  return bins.map(({ above, below, mirrored }, j) => {
    if (above === 0n) return { re: 0, im: 0, size: 0 };
    const square = Number(above) / Number(below);
    const radius = Math.sqrt(-2 * Math.log((words[2 * j] + 1) / 2 ** 32));
    const size = (mirrored ? 1 : Math.SQRT2) * radius * square ** (-delta / 2);
    const angle = 2 * Math.PI * (words[2 * j + 1] / 2 ** 32);
    return { re: size * Math.cos(angle), im: size * Math.sin(angle), size };
  });
}

// Sums over one side after the other, by definition.
function approximateField(shape, values) {
  const last = shape.length - 1;
  let lines = values.map(({ re, im }) => [re, im]);
  for (let d = 0; d <= last; d++) {
    const n = shape[d], from = d === last ? Math.floor(n / 2) + 1 : n;
    const wave = Array.from({ length: n }, (_, k) =>
      [Math.cos(2 * Math.PI * k / n), Math.sin(2 * Math.PI * k / n)]);
    const after = shape.slice(d + 1).reduce((a, m, i) =>
      a * (d + 1 + i === last ? Math.floor(m / 2) + 1 : m), 1);
    const before = shape.slice(0, d).reduce((a, m) => a * m, 1);
    const next = new Array(before * n * after);
    for (let b = 0; b < before; b++) {
      for (let e = 0; e < n; e++) {
        for (let a = 0; a < after; a++) {
          let re = 0, im = 0;
          for (let k = 0; k < from; k++) {
            const [x, y] = lines[(b * from + k) * after + a], [c, s] = wave[k * e % n];
            re += x * c - y * s;
            im += x * s + y * c;
          }
          next[(b * n + e) * after + a] = [re, im];
        }
      }
    }
    lines = next;
  }
  return lines.map(([re]) => re);
}

// The exact values of some elements, and 2^-256 of the sum of weights: what differs by less is equal.
function exactValues(shape, bins, words, delta, elements) {
  const h = over(fixed(delta), 2n * UNIT);
  const period = shape.reduce((a, n) => a * BigInt(n), 1n);
  const rootTwo = root(2n * UNIT);
  const waves = new Map();
  const wave = (phase) => {
    if (!waves.has(phase)) waves.set(phase, turn(phase, period));
    return waves.get(phase);
  };
  const at = elements.map((e) => {
    const steps = [];
    for (let d = shape.length - 1, rest = e; d >= 0; d--) {
      steps.unshift(BigInt(rest % shape[d]) * (period / BigInt(shape[d])));
      rest = Math.floor(rest / shape[d]);
    }
    return steps;
  });
  const sums = elements.map(() => 0n);
  let total = 0n;
  bins.forEach(({ bin, above, below, mirrored }, j) => {
    if (above === 0n) return;
    const weight = exp(-times(h, ln(over(above, below))));
    const scaled = mirrored ? weight : times(weight, rootTwo);
    total += scaled;
    const radius = root(-2n * ln(over(BigInt(words[2 * j]) + 1n, ONE)));
    const [c, s] = turn(BigInt(words[2 * j + 1]), ONE);
    const size = times(scaled, radius), re = times(size, c), im = times(size, s);
    at.forEach((steps, i) => {
      const phase = bin.reduce((a, b, d) => a + BigInt(b) * steps[d], 0n) % period;
      const [x, y] = wave(phase);
      sums[i] += times(re, x) - times(im, y);
    });
  });
  return { sums, tie: total >> 256n };
}

export function fmixMask({ shape, seed, t, delta, lambda, extent = false }) {
  const elements = shape.reduce((a, n) => a * n, 1);
  const k = Number((lambda * BigInt(elements) + (1n << 31n)) >> 32n);
  if (k === 0 || k === elements) return new Uint8Array(elements).fill(k ? 1 : 0);
  const bins = [...binsOf(shape, extent)];
  const words = wordsOf(keyOf(seed, 2), t, 2 * bins.length);
  const values = approximateBins(bins, words, delta);
  const g = approximateField(shape, values);
  const width = 2 ** -36 * values.reduce((a, v) => a + v.size, 0);
  const sorted = [...g].sort((a, b) => b - a);
  const kth = sorted[k - 1];
  if (kth - sorted[k] > width) return Uint8Array.from(g, (v) => (v >= kth ? 1 : 0));
  const open = [...g.keys()].filter((i) => Math.abs(g[i] - kth) <= width);
  const { sums, tie } = exactValues(shape, bins, words, delta, open);
  const order = [...open.keys()].sort((a, b) => {
    const apart = sums[b] - sums[a];
    return apart > tie ? 1 : apart < -tie ? -1 : open[a] - open[b];
  });
  const mask = Uint8Array.from(g, (v) => (v - kth > width ? 1 : 0));
  const sure = mask.reduce((a, b) => a + b, 0);
  order.slice(0, k - sure).forEach((i) => { mask[open[i]] = 1; });
  return mask;
}

// ---- CutMix (section 4) ----

export function cutmixMask({ shape, seed, t, lambda, inside = false }) {
  const words = wordsOf(keyOf(seed, 3), t, shape.length);
  const power = BigInt(shape.length);
  const box = shape.map((n, d) => {
    let r = 0n;
    while (r < BigInt(n) && (r + 1n) ** power * ONE <= BigInt(n) ** power * (ONE - lambda)) r++;
    const side = Number(r), draw = (m) => Number(BigInt(words[d]) * BigInt(m) >> 32n);
    const start = inside ? draw(n - side + 1) : draw(n) - Math.floor(side / 2);
    return [Math.max(start, 0), Math.min(start + side, n), side];
  });
  const mask = new Uint8Array(shape.reduce((a, n) => a * n, 1)).fill(1);
  if (box.some(([, , side]) => side === 0)) return mask;
  for (let e = 0; e < mask.length; e++) {
    let within = true;
    for (let d = shape.length - 1, rest = e; d >= 0; d--) {
      const at = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
      within &&= at >= box[d][0] && at < box[d][1];
    }
    if (within) mask[e] = 0;
  }
  return mask;
}

// ---- pairing and shuffle (sections 5 and 6) ----

export function permutation(seed, batch, n) {
  const words = wordsOf(keyOf(seed, 4), batch, 8 * n + 64);
  const p = Array.from({ length: n }, (_, i) => i);
  let used = 0;
  for (let i = n - 1; i > 0; i--) {
    const m = i + 1, limit = 2 ** 32 - (2 ** 32 % m);
    let w = words[used++];
    while (w >= limit) w = words[used++];
    [p[i], p[w % m]] = [p[w % m], p[i]];
  }
  return p;
}

export function shuffled(seed, epoch, n, place) {
  if (n === 1) return 0;
  const key = keyOf(seed, 5);
  const b = Math.max(4, Math.ceil((n - 1).toString(2).length / 2)), size = 2 ** b;
  const low = Number(BigInt(epoch) & 0xffffffffn), high = Number(BigInt(epoch) >> 32n);
  let p = place;
  do {
    let left = Math.floor(p / size), right = p % size;
    for (let r = 0; r < 8; r++) {
      const word = philox([right, r, low, high], key)[0];
      [left, right] = [right, ((left ^ word) >>> 0) % size];
    }
    p = left * size + right;
  } while (p >= n);
  return p;
}
