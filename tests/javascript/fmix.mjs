// Stream v1 of fmixd in JavaScript, written from the contract alone (lib/STREAM.md, sections 1 to 7):
// lambda, FMix, CutMix, pairings, addressing and policies. Doubles first, with an error bound; what
// they cannot decide is decided in fixed point of some hundred bits. No dependency, nothing fast.

import { BITS, UNIT, exp, fixed, ln, over, root, times, turn } from "./fixed.mjs";
import { keyOf, philox, wordsOf } from "./words.mjs";

const ONE = 1n << 32n; // L of lambda = 1

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

// A sum of (k/n)^2 as a fraction.
function sumOfSquares(terms) {
  let above = 0n, below = 1n;
  for (const [k, n] of terms) {
    const square = BigInt(n) * BigInt(n);
    above = above * square + BigInt(k) * BigInt(k) * below;
    below *= square;
  }
  return { above, below };
}

// The bins that add to G, in order: where each is, the number of its normal, f^2 of the real and the
// imaginary part, and the square of its factor.
function paperBins(shape, extent) {
  const last = shape.length - 1;
  const sides = shape.map((n, d) => (d === last ? Math.floor(n / 2) + 1 : n));
  const bins = [];
  for (let j = 1; j < sides.reduce((a, b) => a * b, 1); j++) {
    const bin = placeOf(j, sides);
    const f = sumOfSquares(bin.map((b, d) => [signed(b, shape[d]), extent ? 1 : shape[d]]));
    const mirrored = bin[last] === 0 || 2 * bin[last] === shape[last];
    bins.push({ bin, j, f: [f, f], gain: mirrored ? 1 : 2 });
  }
  return bins;
}

function officialBins(shape) {
  const [first, second = 1, third = 1] = shape, last = shape[shape.length - 1];
  const longest = Math.max(...shape);
  const kept = (n) => Math.min(n, Math.floor(n / 2) + 1 + n % 2);
  const outer = shape.length === 3 ? third : 1, inner = shape.length >= 2 ? kept(second) : 1;
  const bins = [];
  for (let j = 1; j < 2 * outer * inner; j++) {
    const [a, b, c] = placeOf(j, [outer, inner, 2]);
    const bin = [a, b, c].slice(3 - shape.length);
    const inside = bin.every((x, d) => x < (d === shape.length - 1 ? Math.floor(last / 2) + 1 : shape[d]));
    const f = [0, 1].map((r) => {
      const sum = sumOfSquares([[signed(a, outer), outer], [signed(b, second), second], [r, first]]);
      return sum.above ? sum : { above: 1n, below: BigInt(longest) ** 2n };
    });
    if (inside) bins.push({ bin, j, f, gain: c === 1 && last > 2 ? 4 : 1 });
  }
  return bins;
}

function placeOf(number, sides) {
  const place = [];
  for (let d = sides.length - 1; d >= 0; d--) {
    place.unshift(number % sides[d]);
    number = Math.floor(number / sides[d]);
  }
  return place;
}

// What a bin adds, in doubles: a relative error of some 2^-48, and at most `size`.
function approximateBin({ j, f, gain }, words, delta) {
  const [p, q] = f.map(({ above, below }) => (Number(above) / Number(below)) ** (-delta / 2));
  const radius = Math.sqrt(-2 * gain * Math.log((words[2 * j] + 1) / 2 ** 32));
  const angle = 2 * Math.PI * (words[2 * j + 1] / 2 ** 32);
  return { re: p * radius * Math.cos(angle), im: q * radius * Math.sin(angle),
    size: Math.max(p, q) * radius };
}

// Sums over one side after the other, by definition.
function approximateValues(shape, bins, parts) {
  const last = shape.length - 1;
  const sides = shape.map((n, d) => (d === last ? Math.floor(n / 2) + 1 : n));
  let lines = Array.from({ length: sides.reduce((a, b) => a * b, 1) }, () => [0, 0]);
  bins.forEach(({ bin }, i) => {
    lines[bin.reduce((at, b, d) => at * sides[d] + b, 0)] = [parts[i].re, parts[i].im];
  });
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

// Exact values of some elements.
function exactValues({ shape, bins, words, delta }, elements) {
  const h = over(fixed(delta), 2n * UNIT);
  const period = shape.reduce((a, n) => a * BigInt(n), 1n);
  const waves = new Map();
  const wave = (phase) => {
    if (!waves.has(phase)) waves.set(phase, turn(phase, period));
    return waves.get(phase);
  };
  const steps = elements.map((e) =>
    placeOf(e, shape).map((x, d) => BigInt(x) * (period / BigInt(shape[d]))));
  const sums = elements.map(() => 0n);
  bins.forEach(({ bin, j, f, gain }) => {
    const [p, q] = f.map(({ above, below }) => exp(-times(h, ln(over(above, below)))));
    const radius = root(BigInt(-2 * gain) * ln(over(BigInt(words[2 * j]) + 1n, ONE)));
    const [c, s] = turn(BigInt(words[2 * j + 1]), ONE);
    const re = times(times(p, radius), c), im = times(times(q, radius), s);
    steps.forEach((step, i) => {
      const phase = bin.reduce((a, b, d) => a + BigInt(b) * step[d], 0n) % period;
      const [x, y] = wave(phase);
      sums[i] += times(re, x) - times(im, y);
    });
  });
  return sums;
}

// G of one sample: in doubles `g`, each within width/2; what differs by less than `tie` is equal.
function fieldOf({ shape, seed, t, delta, extent = false, official = false }) {
  const bins = official ? officialBins(shape) : paperBins(shape, extent);
  const normals = bins.length ? bins[bins.length - 1].j + 1 : 0;
  const words = wordsOf(keyOf(seed, 2), t, 2 * normals);
  const parts = bins.map((bin) => approximateBin(bin, words, delta));
  const h = over(fixed(delta), 2n * UNIT), gains = [0n, UNIT, root(2n * UNIT), 0n, 2n * UNIT];
  const weight = ({ above, below }) => exp(-times(h, ln(over(above, below))));
  return { shape, bins, words, delta, g: approximateValues(shape, bins, parts),
    width: 2 ** -36 * parts.reduce((a, v) => a + v.size, 0),
    tie: () => bins.reduce((a, { f: [p, q], gain }) => {
      const [x, y] = [weight(p), weight(q)];
      return a + times(x > y ? x : y, gains[gain]);
    }, 0n) >> 256n };
}

// Elements in order, the largest first; places from-1 to `to` are decided, others perhaps not.
function rankedElements(field, from, to) {
  const { g, width } = field;
  const order = [...g.keys()].sort((a, b) => g[b] - g[a]);
  for (let first = 0, end; first < order.length; first = end) {
    end = first + 1;
    while (end < order.length && g[order[end - 1]] - g[order[end]] <= width) end++;
    if (end - first === 1 || first >= to || end <= from) continue;
    const run = order.slice(first, end), tie = field.tie();
    const value = new Map(exactValues(field, run).map((v, i) => [run[i], v]));
    run.sort((a, b) => {
      const apart = value.get(b) - value.get(a);
      return apart >= tie ? 1 : apart <= -tie ? -1 : a - b;
    });
    order.splice(first, run.length, ...run);
  }
  return order;
}

const share = (L, n) => Number((L * BigInt(n) + (1n << 31n)) >> 32n);

// A mask as whole numbers over `steps`: of a hard one, 1.
export function fmixMask(recipe) {
  const { shape, lambda, soft = 0 } = recipe;
  const n = shape.reduce((a, side) => a * side, 1), k = share(lambda, n);
  const hard = new Uint8Array(n);
  if (k === 0 || k === n) return { weights: hard.fill(k ? 1 : 0), steps: 1 };
  const field = fieldOf(recipe);
  const h = Math.min(share(givenLambda(soft), n), k, n - k);
  if (h < 2) {
    rankedElements(field, k, k).slice(0, k).forEach((e) => { hard[e] = 1; });
    return { weights: hard, steps: 1 };
  }
  const steps = 2 * h - 1, weights = new Array(n);
  rankedElements(field, k - h, k + h).forEach((e, rank) => {
    weights[e] = Math.min(Math.max(steps - (rank - (k - h)), 0), steps);
  });
  return { weights, steps };
}

// Levels 0 to 255 of G between its least and its greatest.
export function fmixGrey(recipe) {
  const field = fieldOf(recipe), { g, width } = field;
  const least = Math.min(...g), most = Math.max(...g), spread = most - least;
  const rough = g.map((v) => (spread > 0 ? 255 * (v - least) / spread : 0));
  const doubt = 2 * 255 * width / spread + 2 ** -40;
  const open = [...g.keys()].filter((e) =>
    !(Math.abs(rough[e] - Math.floor(rough[e]) - 0.5) > doubt));
  const levels = rough.map((v) => Math.round(v)); // no half is left but among the open
  if (!open.length || g.length === 1) return levels;
  const ends = [...g.keys()].filter((e) => g[e] <= least + width || g[e] >= most - width);
  const values = exactValues(field, [...open, ...ends]);
  const low = values.reduce((a, v) => (v < a ? v : a)), high = values.reduce((a, v) => (v > a ? v : a));
  const constant = high - low < field.tie();
  open.forEach((e, i) => { levels[e] = constant ? 0 : levelOf(over(255n * (values[i] - low), high - low)); });
  return levels;
}

// Half to even, and what is within 2^-256 of a half is one.
function levelOf(quotient) {
  const below = quotient >> BITS, apart = quotient - (below << BITS) - (UNIT >> 1n);
  const near = UNIT >> 256n;
  if (apart > near) return Number(below + 1n);
  return Number(apart < -near ? below : below + (below & 1n));
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

// ---- pairing (section 5) ----

// Numbers below m, every one as likely.
export function* drawsOf(key, index) {
  let m = yield;
  for (let block = 0; ; block++) {
    const low = Number(BigInt(index) & 0xffffffffn), high = Number(BigInt(index) >> 32n);
    for (const word of philox([block, 0, low, high], key)) {
      if (word < 2 ** 32 - (2 ** 32 % m)) m = yield word % m;
    }
  }
}

export function pairing(kind, seed, batch, n) {
  const p = Array.from({ length: n }, (_, i) => i);
  if (kind === "none") return p;
  if (kind === "flip") return p.reverse();
  if (kind === "roll") return p.map((i) => (i + n - 1) % n);
  return swapped(drawsOf(keyOf(seed, 4), batch), n, kind === "derangement" ? 0 : 1);
}

// 0 to n-1, swapped by fresh draws; each place with a lower one, or (more = 1) perhaps itself.
export function swapped(draws, n, more) {
  const p = Array.from({ length: n }, (_, i) => i);
  draws.next();
  for (let i = n - 1; i > 0; i--) {
    const j = draws.next(i + more).value;
    [p[i], p[j]] = [p[j], p[i]];
  }
  return p;
}

// ---- addressing (section 6) ----

export function epochBatch(samples, size, epoch, step) {
  const batches = Math.ceil(samples / size), first = step * size;
  return { first, rows: Math.min(first + size, samples) - first,
    t: BigInt(epoch) * BigInt(samples) + BigInt(first),
    batch: BigInt(epoch) * BigInt(batches) + BigInt(step) };
}

export function rankRows(rows, rank, world) {
  return [Math.floor(rank * rows / world), Math.floor((rank + 1) * rows / world)];
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

// By words from `first` on: 0, or 16 of a neighbour.
export function light(seed, t, sides, crop, first = 0) {
  const words = wordsOf(keyOf(seed, 6), t, first + sides + 1).slice(first);
  return { offsets: words.slice(0, sides).map((w) => Number(BigInt(w) * BigInt(2 * crop + 1) >> 32n)),
    flip: words[sides] < 2 ** 31 };
}

// ---- policies (section 7) ----

export function policy(kind, seed, batch, weights) {
  if (kind === "alternate") return Number(BigInt(batch) % BigInt(weights.length));
  return pick(wordsOf(keyOf(seed, 7), batch, 1)[0], weights);
}

export function pick(word, weights) {
  const drawn = BigInt(word) * BigInt(weights.reduce((a, b) => a + b));
  let reached = 0n;
  return weights.findIndex((w) => (reached += BigInt(w)) * ONE > drawn);
}
