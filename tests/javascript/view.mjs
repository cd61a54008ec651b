// Views of pictures, resizing and pixels: section 9 of the same contract (lib/STREAM.md). Sides of
// windows are decided in fixed point, weights are doubles as the contract says, and pixels are numbers.

import { exp, fixed, ln, over, root, times, UNIT } from "./fixed.mjs";
import { keyOf, wordsOf } from "./words.mjs";

const VIEW = 8, LIGHT = 6, ATTEMPTS = 10;
const WORD = 1n << 32n;
const NEAR = UNIT >> 512n; // what is so near to a half is that half: fixed point errs far less

// ---- random (section 9) ----

const halfToEven = (below, rest, half) => (rest > half || (rest === half && below % 2n === 1n) ? below + 1n : below);

// A fraction of BigInts to the nearest integer, ties to even.
function nearest(numerator, denominator) {
  return halfToEven(numerator / denominator, 2n * (numerator % denominator), denominator);
}

// The same of a number in fixed point that is approximate.
function nearestOf(x) {
  const below = x / UNIT, half = UNIT / 2n;
  const rest = x % UNIT, off = rest - half;
  return halfToEven(below, -NEAR < off && off < NEAR ? half : rest, half);
}

function drawnSides(pixels, [a0, a1], [r0, r1], [share, power]) {
  const area = pixels * (fixed(a0) * WORD + (fixed(a1) - fixed(a0)) * BigInt(share)) / WORD;
  const growth = ln(over(fixed(r1), fixed(r0))) * BigInt(power) / WORD;
  const ratio = times(fixed(r0), exp(growth));
  return [nearestOf(root(over(area, ratio))), nearestOf(root(times(area, ratio)))];
}

const least = (a, b) => (a < b ? a : b);
const within = (x, most) => (x < 1n ? 1n : least(x, most));

function fallbackSides(height, width, [r0, r1]) {
  const low = fixed(r0), high = fixed(r1);
  if (width * UNIT < low * height) return [within(nearest(width * UNIT, low), height), width];
  if (width * UNIT > high * height) return [height, within(nearest(height * high, UNIT), width)];
  return [height, width];
}

// Top, left, height and width of the window of a picture.
export function randomWindow({ seed, index, neighbour, sides, area, ratio }) {
  const [height, width] = sides.map(BigInt), first = neighbour ? 64 : 0;
  const words = wordsOf(keyOf(seed, VIEW), index, first + 4 * ATTEMPTS).slice(first);
  for (let k = 0; k < ATTEMPTS; k++) {
    const drawn = words.slice(4 * k, 4 * k + 4);
    const [h, w] = drawnSides(height * width, area, ratio, drawn);
    if (h < 1n || h > height || w < 1n || w > width) continue;
    const top = BigInt(drawn[2]) * (height - h + 1n) / WORD;
    const left = BigInt(drawn[3]) * (width - w + 1n) / WORD;
    return [top, left, h, w].map(Number);
  }
  const [h, w] = fallbackSides(height, width, ratio);
  return [(height - h) / 2n, (width - w) / 2n, h, w].map(Number);
}

export function isFlipped(seed, index, neighbour) {
  const word = neighbour ? 18 : 2;
  return wordsOf(keyOf(seed, LIGHT), index, word + 1)[word] < 2 ** 31;
}

// ---- center ----

export function centerView({ sides, size, short }) {
  const shorter = Math.min(...sides), wanted = short ?? Math.floor(8 * Math.min(...size) / 7);
  const resized = sides.map((side) => (side === shorter ? wanted : Math.floor(wanted * side / shorter)));
  const missing = size.map((side, d) => Math.max(side - resized[d], 0));
  return { resized, before: missing.map((m) => Math.floor(m / 2)),
    begin: size.map((side, d) => Number(nearest(BigInt(resized[d] + missing[d] - side), 2n))) };
}

// ---- resizing ----

function bilinear(z) {
  return z < 1 ? 1 - z : 0;
}

function bicubic(z) {
  if (z < 1) return ((1.5 * z - 2.5) * z) * z + 1;
  return z < 2 ? (((z - 5) * z + 8) * z - 4) * -0.5 : 0;
}

const FILTERS = { bilinear: [bilinear, 1], bicubic: [bicubic, 2] };

// Where the elements of an output begin, and by which integers they are weighed.
function weightsOf(n, m, i, [f, support]) {
  const scale = n / m, s = Math.max(scale, 1), reach = support * s, inverse = 1 / s;
  const centre = (i + 0.5) * scale;
  const lo = Math.max(Math.trunc((centre - reach) + 0.5), 0);
  const hi = Math.min(Math.trunc((centre + reach) + 0.5), n);
  const weights = [];
  for (let x = lo; x < hi; x++) weights.push(f(Math.abs(((x - centre) + 0.5) * inverse)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { lo, weights: weights.map((w) => w / sum)
    .map((w) => Math.trunc(w * 2 ** 22 + (w < 0 ? -0.5 : 0.5))) };
}

// One line of values, resized.
function resizedLine(values, m, filter) {
  const n = values.length;
  if (n === m) return values;
  return Array.from({ length: m }, (_, i) => {
    if (filter === "nearest") return values[Number((2n * BigInt(i) + 1n) * BigInt(n) / (2n * BigInt(m)))];
    const { lo, weights } = weightsOf(n, m, i, FILTERS[filter]);
    const sum = weights.reduce((total, c, j) => total + c * values[lo + j], 2 ** 21);
    return Math.min(Math.max(Math.floor(sum / 2 ** 22), 0), 255);
  });
}

const transposed = (rows) => rows[0].map((_, x) => rows.map((row) => row[x]));

// Pixels in flat order, with channels last.
export function resize({ pixels, sides: [height, width], channels, size, filter }) {
  const planes = Array.from({ length: channels }, (_, c) => {
    const rows = Array.from({ length: height }, (_row, y) =>
      Array.from({ length: width }, (_pixel, x) => pixels[(y * width + x) * channels + c]));
    const wide = rows.map((row) => resizedLine(row, size[1], filter));
    return transposed(transposed(wide).map((column) => resizedLine(column, size[0], filter))).flat();
  });
  return transposed(planes).flat();
}

// ---- label maps ----

// Rows of a map of h x w numbers, of which the view wants a part amid zeros.
function cut(rows, before, begin, [height, width]) {
  const at = (y, x) => (rows[y] ?? [])[x] ?? 0;
  return Array.from({ length: height }, (_row, y) =>
    Array.from({ length: width }, (_number, x) => at(y + begin[0] - before[0], x + begin[1] - before[1])));
}

function unmirroredMap(v) {
  const rows = inGroups([...v.numbers], v.sides[1]);
  const resized = (from, size) => inGroups(resize({ pixels: from.flat(), sides: [from.length, from[0].length],
    channels: 1, size, filter: "nearest" }), size[1]);
  if (v.kind === "stretch") return resized(rows, v.size);
  if (v.kind === "random") {
    const [top, left, height, width] = randomWindow(v);
    return resized(cut(rows, [0, 0], [top, left], [height, width]), v.size);
  }
  const { resized: sides, before, begin } = centerView(v);
  return cut(resized(rows, sides), before, begin, v.size);
}

// The view of a label map, mirrored where the row is.
export function mapView(v) {
  const rows = unmirroredMap(v);
  return (isFlipped(v.seed, v.index, v.neighbour) ? rows.map((row) => [...row].reverse()) : rows)
    .flat();
}

// ---- pixels ----

const inGroups = (values, n) => Array.from({ length: values.length / n }, (_, i) => values.slice(n * i, n * i + n));

export function greyOfRgb(samples) {
  return inGroups(samples, 3).map(([r, g, b]) => (19595 * r + 38470 * g + 7471 * b + 2 ** 15) >> 16);
}

export function rgbOfGrey(samples) {
  return [...samples].flatMap((v) => [v, v, v]);
}

export function rgbOfInks(samples) {
  return inGroups(samples, 4).flatMap((stored) => {
    const [c, m, y, k] = Array.from(stored, (v) => 255 - v), left = 255 - k;
    return [c, m, y].map((ink) => {
      const u = ink * left + 128;
      return Math.max(left - ((Math.floor(u / 256) + u) >> 8), 0);
    });
  });
}

export function lookedUp(samples, palette) {
  const entries = inGroups(palette, 3);
  return [...samples].flatMap((place) => [...(entries[place] ?? [0, 0, 0])]);
}

export function greyOfBits(samples, depth) {
  if (depth === 16) return [...samples].filter((_, i) => i % 2 === 0);
  return Array.from(samples, (v) => v * { 1: 255, 2: 85, 4: 17 }[depth]);
}
