// The golden vectors by fmix.mjs, choice.mjs, mixing.mjs and view.mjs. Prints as Python's unittest does.

import { readFileSync } from "node:fs";
import * as fmix from "./fmix.mjs";
import * as choice from "./choice.mjs";
import * as mixing from "./mixing.mjs";
import * as view from "./view.mjs";
import { keyOf, wordsOf } from "./words.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url)));
let ran = 0, failed = 0;

function check(name, is, wanted) {
  ran++;
  if (JSON.stringify(is) === JSON.stringify(wanted)) return;
  failed++;
  console.log(`FAIL ${name}: ${JSON.stringify(is).slice(0, 200)} instead of `
    + JSON.stringify(wanted).slice(0, 200));
}

// Bits in order, packed into hexadecimal digits; the last is padded with zeros to a byte.
function hex(mask) {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  mask.forEach((bit, i) => { bytes[i >> 3] |= bit << (7 - i % 8); });
  return Buffer.from(bytes).toString("hex");
}

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "hex"));
const textOf = (bytes) => Buffer.from(bytes).toString("hex");
const eightRows = (v) => Array.from({ length: 8 }, (_, i) => BigInt(v.index) + BigInt(i));

const recipeOf = (v) => ({ shape: v.shape, seed: BigInt(v.seed), t: BigInt(v.index), delta: v.delta,
  lambda: fmix.givenLambda(v.lambda ?? 0), soft: v.soft, extent: v.frequency === "extent",
  official: v.spectrum === "official", inside: v.box === "inside" });

const SECTIONS = {
  words: (v) => ({ key: keyOf(v.seed, v.domain),
    words: wordsOf(keyOf(v.seed, v.domain), v.index, v.words.length) }),
  drawn: (v) => {
    const L = fmix.drawLambda(v.seed, v.alpha, v.index);
    return { L: String(L), reformulated: String(fmix.reformulate(v.seed, v.index, L)) };
  },
  given: (v) => ({ L: String(fmix.givenLambda(v.lambda)) }),
  fmix: (v) => {
    const { weights, steps } = fmix.fmixMask(recipeOf(v));
    return steps === 1 ? { mask: hex(weights) } : { weights, steps };
  },
  grey: (v) => ({ levels: fmix.fmixGrey(recipeOf(v)) }),
  cutmix: (v) => ({ mask: hex(fmix.cutmixMask(recipeOf(v))) }),
  pairing: (v) => ({ partners: fmix.pairing(v.kind, v.seed, v.batch, v.n) }),
  addressing: (v) => {
    const { first, rows, t, batch } = fmix.epochBatch(v.samples, v.size, v.epoch, v.step);
    return { first, rows, t: String(t), batch: String(batch),
      ranks: Array.from({ length: v.world }, (_, rank) => fmix.rankRows(rows, rank, v.world)) };
  },
  shuffle: (v) => ({ order: v.order.map((_, p) => fmix.shuffled(v.seed, v.epoch, v.samples, p)) }),
  light: (v) => fmix.light(v.seed, v.index, v.sides, v.crop),
  policy: (v) => ({ choice: fmix.policy(v.policy, v.seed, v.batch, v.weights) }),
  mixing: (v) => {
    const [x1, x2] = [v.x1, v.x2].map((x) => mixing.prepare(
      mixing.decode(Buffer.from(x, "hex"), v.dtype), v.dtype, v.out_dtype));
    const mixed = mixing.mix(v.method, v.weight, x1, x2);
    return { mixed: Buffer.from(mixing.encode(mixed, v.out_dtype)).toString("hex") };
  },
  labels: (v) => ({ labels: Buffer.from(mixing.encode(
    mixing.labels(v.y1, v.y2, v.weight, v.smoothing, v.classes), "f32")).toString("hex") }),
  normalising: (v) => ({ prepared: Buffer.from(mixing.encode(mixing.prepare(
    mixing.decode(Buffer.from(v.x, "hex"), "u8"), "u8", "f32", v.mean, v.std), "f32"))
    .toString("hex") }),
  prob: (v) => ({ P: String(fmix.givenLambda(v.prob)),
    mixed: eightRows(v).map((t) => Number(choice.isMixed(v.seed, t, v.prob))) }),
  switch: (v) => ({ methods: eightRows(v).map((t) => choice.methodOfRow(v.seed, t, v.weights)) }),
  choice: (v) => {
    const own = Array.from({ length: v.n }, (_, i) => BigInt(v.index) + BigInt(i));
    const rows = choice.choices({ ...v, own, bySample: v.switch === "sample", kind: v.policy });
    return { method: rows.map((row) => row.method), L: rows.map((row) => String(row.L)) };
  },
  partners: (v) => ({ partners: choice.partnersByClass(v.kind, v.seed, v.t, v.classes) }),
  neighbour: (v) => ({ j: choice.drawPartner(v.seed, v.index, v.k),
    ...fmix.light(v.seed, v.index, v.sides, v.crop, 16) }),
  bucket: (v) => ({ batches: choice.bucketEpoch(v).map(({ batch, samples, t }) =>
    ({ batch: String(batch), samples, t: t.map(String) })) }),
  padding: (v) => {
    const type = mixing.preparedType(v.dtype, v.out_dtype, v.mean);
    const ready = mixing.prepare(mixing.decode(bytesOf(v.x), v.dtype), v.dtype, v.out_dtype, v.mean, v.std);
    return { dtype_padded: type,
      padded: textOf(mixing.encode(mixing.pad(ready, v.longest, v.pad_value, type), type)) };
  },
  dense: (v) => {
    const refused = mixing.refusesDense(v.dtype, v.method, v.lambda, v.soft);
    if (refused) return { refused };
    const [x1, x2] = [v.x1, v.x2].map(bytesOf);
    return { refused, mixed: textOf(mixing.mixDense(v.dtype, v.method, v.weight, x1, x2)) };
  },
  value_labels: (v) => {
    const [[y1], [y2]] = [v.y1, v.y2].map((y) => mixing.decode(bytesOf(y), v.dtype));
    return { labels: textOf(mixing.encode([mixing.valueLabel(y1, y2, v.weight)], "f32")) };
  },
  view_random: (v) => ({ window: view.randomWindow(v), flip: view.isFlipped(v.seed, v.index, v.neighbour) }),
  view_center: (v) => view.centerView(v),
  resize: (v) => ({ resized: textOf(Uint8Array.from(view.resize({ ...v, pixels: bytesOf(v.pixels) }))) }),
  map_view: (v) => ({ viewed: textOf(Uint8Array.from(view.mapView({ ...v, numbers: bytesOf(v.numbers) }))) }),
  pixels: (v) => {
    const samples = bytesOf(v.samples);
    const made = { rgb: () => ({ grey: view.greyOfRgb(samples) }), cmyk: () => ({ rgb: view.rgbOfInks(samples) }),
      palette: () => ({ rgb: view.lookedUp(samples, bytesOf(v.palette)) }),
      grey: () => (v.depth ? { grey: view.greyOfBits(samples, v.depth) } : { rgb: view.rgbOfGrey(samples) }) }[v.from]();
    return Object.fromEntries(Object.entries(made).map(([name, values]) => [name, textOf(Uint8Array.from(values))]));
  },
};

for (const [section, vectors] of Object.entries(read("stream.json"))) {
  for (const v of vectors) {
    const answer = SECTIONS[section](v);
    for (const part of Object.keys(answer)) check(`${section} ${JSON.stringify(v).slice(0, 90)}`, answer[part], v[part]);
  }
}

for (const v of read("vectors.json")) {
  for (let i = 0; i < v.n; i++) {
    const t = BigInt(v.index) + BigInt(i), seed = BigInt(v.seed);
    const lambda = v.lambda === null ? fmix.drawLambda(seed, v.alpha, t) : fmix.givenLambda(v.lambda);
    const name = `${v.method} ${v.shape.join("x")} seed ${v.seed} t ${t}`;
    check(`${name}: L`, Number(lambda), v.L[i]);
    const recipe = { shape: v.shape, seed, t, delta: v.delta, lambda };
    const mask = v.method === "fmix" ? fmix.fmixMask(recipe).weights : fmix.cutmixMask(recipe);
    check(`${name}: mask`, hex(mask), v.masks[i]);
  }
}

console.log(`Ran ${ran} tests`);
if (failed) console.log(`FAILED (failures=${failed})`);
process.exitCode = failed ? 1 : 0;
