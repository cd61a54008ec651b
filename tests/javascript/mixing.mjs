// Mixing of the same contract (lib/STREAM.md, sections 8, 12 and 13). A double is the type that they
// count in.

// Digits and least exponent of the narrow floating types.
const NARROW = { f16: [11, -14], bf16: [8, -126] };
const WIDTH = { u8: 1, bool: 1, i32: 4, i64: 8, f16: 2, bf16: 2, f32: 4, f64: 8 };
const FLOATING = ["f16", "bf16", "f32", "f64"];

function evenHalf(x) { // to the nearest integer
  const below = Math.floor(x), rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2) ? below + 1 : below;
}

// To the nearest number of a type, half to even.
function roundTo(x, type) {
  if (type === "f64" || !Number.isFinite(x)) return x;
  if (type === "f32") return Math.fround(x);
  if (type === "u8") return Math.min(Math.max(evenHalf(x), 0), 255);
  if (type === "i32") return Math.min(Math.max(evenHalf(x), -(2 ** 31)), 2 ** 31 - 1);
  const [digits, least] = NARROW[type];
  let exponent = Math.floor(Math.log2(Math.abs(x) || 2 ** -200));
  if (2 ** exponent > Math.abs(x)) exponent--;
  const quantum = 2 ** (Math.max(exponent, least) - digits + 1);
  return evenHalf(x / quantum) * quantum;
}

// The numbers in little-endian bytes, and back; what is narrow travels as the upper half of a float32
// (bf16), or is put together here (f16).
export function decode(bytes, type) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = [];
  for (let at = 0; at < bytes.length; at += WIDTH[type]) {
    if (type === "u8") values.push(bytes[at]);
    else if (type === "i32") values.push(view.getInt32(at, true));
    else if (type === "f32") values.push(view.getFloat32(at, true));
    else if (type === "f64") values.push(view.getFloat64(at, true));
    else values.push(narrow(view.getUint16(at, true), type));
  }
  return values;
}

function narrow(bits, type) {
  const [digits, least] = NARROW[type], fractionBits = digits - 1;
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits & 0x7fff) >> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  return sign * (exponent ? 1 + fraction / 2 ** fractionBits : fraction / 2 ** fractionBits)
    * 2 ** (exponent ? exponent - 1 + least : least);
}

export function encode(values, type) {
  const bytes = new Uint8Array(values.length * WIDTH[type]);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    const x = roundTo(value, type), at = i * WIDTH[type];
    if (type === "u8") bytes[at] = x;
    else if (type === "i32") view.setInt32(at, x, true);
    else if (type === "f32") view.setFloat32(at, x, true);
    else if (type === "f64") view.setFloat64(at, x, true);
    else view.setUint16(at, narrowBits(x, type), true);
  });
  return bytes;
}

function narrowBits(x, type) { // of a finite number that the type holds
  const [digits, least] = NARROW[type], fractionBits = digits - 1, size = Math.abs(x);
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  if (size < 2 ** least) return sign | size / 2 ** (least - fractionBits);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  return sign | (exponent - least + 1) << fractionBits
    | (size / 2 ** exponent - 1) * 2 ** fractionBits;
}

// What is rounded to the output type before mixing: u8 by mean and std, or where it is to float.
export function prepare(x, type, out, mean, std) {
  const scale = type === "u8" ? 255 : 1;
  if (mean === undefined && (type !== "u8" || !FLOATING.includes(out))) return x;
  const values = mean === undefined ? x.map((v) => v / scale) : x.map((v) => (v / scale - mean) / std);
  return values.map((v) => roundTo(v, out));
}

function laneSum(values) {
  const lanes = new Array(8).fill(0);
  values.forEach((v, i) => { lanes[i % 8] += v; });
  return lanes.reduce((a, b) => a + b, 0);
}

function centred(x) {
  const mean = laneSum(x) / x.length, rest = x.map((v) => v - mean);
  return [rest, Math.sqrt(laneSum(rest.map((v) => v * v)) / x.length)];
}

function bcplus(x1, x2, r) {
  const [a, g1] = centred(x1), [b, g2] = centred(x2);
  const first = g2 * r, second = g1 * (1 - r);
  const q = first + second === 0 ? 0.5 : first / (first + second);
  const norm = Math.sqrt(q * q + (1 - q) * (1 - q));
  return a.map((v, i) => (q * v + (1 - q) * b[i]) / norm);
}

// A row and its partner, `weight` a number or a list of them.
export function mix(method, weight, x1, x2) {
  if (method === "none") return x1;
  if (method === "samplepairing") return x1.map((v, i) => (v + x2[i]) / 2);
  if (method === "bcplus") return bcplus(x1, x2, weight);
  return x1.map((v, i) => {
    const m = Array.isArray(weight) ? weight[i] : weight, chosen = Array.isArray(weight);
    if (chosen && (m === 0 || m === 1)) return m ? v : x2[i];
    return m * v + (1 - m) * x2[i];
  });
}

export function labels(y1, y2, weight, smoothing, classes) {
  const row = (y) => Array.from({ length: classes }, (_, c) =>
    (smoothing ? (1 - smoothing) * (c === y ? 1 : 0) + smoothing / classes : c === y ? 1 : 0));
  const [a, b] = [row(y1), row(y2)];
  return a.map((v, i) => weight * v + (1 - weight) * b[i]);
}

// One number a row, which nothing smooths.
export const valueLabel = (y1, y2, weight) => weight * y1 + (1 - weight) * y2;

// ---- sequences (section 12) ----

// The type of a row before it is mixed; its padding is rounded to it.
export function preparedType(type, out, mean) {
  return mean !== undefined || (type === "u8" && FLOATING.includes(out)) ? out : type;
}

export function pad(values, longest, value, type) {
  return [...values, ...new Array(longest - values.length).fill(roundTo(value, type))];
}

// ---- dense targets (section 13) ----

export function refusesDense(type, method, lambda, soft) {
  const copies = lambda === 0 || lambda === 1;
  if (FLOATING.includes(type) || method === "none" || method === "cutmix") return false;
  if (method === "fmix") return soft > 0 && !copies;
  return !copies || method === "bcplus" || method === "samplepairing";
}

// Bytes of a target's row and of its partner's, mixed: labels are copied element by element.
export function mixDense(type, method, weight, x1, x2) {
  if (FLOATING.includes(type)) {
    const [a, b] = [decode(x1, type), decode(x2, type)];
    return encode(mix(method, weight, a, b), type);
  }
  const own = (i) => (Array.isArray(weight) ? weight[i] : weight) === 1;
  return x1.map((byte, at) => (own(Math.floor(at / WIDTH[type])) ? byte : x2[at]));
}
