// Reads recipes of rows, of sequences and of views from stdin, as JSON, and prints what they give.

import { readFileSync } from "node:fs";
import * as choice from "./choice.mjs";
import * as fmix from "./fmix.mjs";
import * as mixing from "./mixing.mjs";
import * as view from "./view.mjs";

const METHODS = ["fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none"];
const hex = (bytes) => Buffer.from(bytes).toString("hex");

// The weight of the row's own values, a number or a list of them, and lambda_eff.
function weightOf(v, method, t, L) {
  const lambda = Number(L) / 2 ** 32;
  if (method === "samplepairing" || method === "none") return [method === "none" ? 1 : 0.5, 1];
  if (method !== "fmix" && method !== "cutmix") return [lambda, lambda];
  const recipe = { shape: v.shape, seed: BigInt(v.seed), t, delta: v.delta, lambda: L, soft: v.soft,
    extent: v.frequency === "extent", official: v.spectrum === "official", inside: v.box === "inside" };
  const { weights, steps } = method === "fmix" ? fmix.fmixMask(recipe)
    : { weights: fmix.cutmixMask(recipe), steps: 1 };
  const sum = weights.reduce((a, b) => a + b, 0);
  return [Array.from(weights, (w) => w / steps), Math.floor(sum / steps) / weights.length];
}

function partnersOf(v, own) {
  return v.pairing.endsWith("_class") ? choice.partnersByClass(v.pairing, v.seed, own, v.classes)
    : fmix.pairing(v.pairing, v.seed, BigInt(v.batch), v.n);
}

function rowsOf(v) {
  const own = Array.from({ length: v.n }, (_, i) => BigInt(v.index) + BigInt(i));
  const shared = choice.sharedIndices(own, v.scope);
  const partners = partnersOf(v, own);
  const x = v.x.map((row) => mixing.prepare(mixing.decode(Buffer.from(row, "hex"), v.dtype), v.dtype, v.out));
  const rows = choice.choices({ ...v, own, bySample: v.switch === "sample", kind: v.policy });
  return rows.map((row, i) => {
    const method = row.method < 0 ? "none" : v.methods[row.method];
    const drawn = row.method >= 0 && v.lambda === null && v.reformulate;
    const L = drawn ? fmix.reformulate(BigInt(v.seed), shared[i], row.L) : row.L;
    const [weight, effective] = weightOf(v, method, shared[i], L);
    const full = v.correct || method === "samplepairing" || method === "none";
    const labels = mixing.labels(v.classes[i], v.classes[partners[i]], full ? effective : Number(L) / 2 ** 32,
      v.smoothing, v.labels);
    const mask = Array.isArray(weight) ? weight : new Array(v.shape.reduce((a, b) => a * b, 1)).fill(weight);
    return { method: METHODS.indexOf(method), L: String(L), partner: partners[i], effective,
      mask: hex(mixing.encode(mask, "f64")), labels: hex(mixing.encode(labels, "f32")),
      mixed: hex(mixing.encode(mixing.mix(method, weight, x[i], x[partners[i]]), v.out)) };
  });
}

function epochOf(v) {
  return choice.bucketEpoch(v).map(({ batch, samples, t }) =>
    ({ batch: String(batch), samples, t: t.map(String) }));
}

const asked = JSON.parse(readFileSync(0));
const resized = (v) => hex(Uint8Array.from(view.resize({ ...v, pixels: Buffer.from(v.pixels, "hex") })));
process.stdout.write(JSON.stringify({ rows: asked.rows.map(rowsOf), epochs: asked.epochs.map(epochOf),
  windows: (asked.windows ?? []).map(view.randomWindow), pictures: (asked.pictures ?? []).map(resized) }));
