// The golden vectors, and the contract's own checks, by fmix.mjs. Prints as Python's unittest does.

import { readFileSync } from "node:fs";
import * as fmix from "./fmix.mjs";

const vectors = JSON.parse(readFileSync(new URL("../golden/vectors.json", import.meta.url)));
let ran = 0, failed = 0;

function check(name, is, wanted) {
  ran++;
  if (String(is) === String(wanted)) return;
  failed++;
  console.log(`FAIL ${name}: ${String(is).slice(0, 200)} instead of ${String(wanted).slice(0, 200)}`);
}

// Bits in order, packed into hexadecimal digits; the last is padded with zeros to a byte.
function hex(mask) {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  mask.forEach((bit, i) => { bytes[i >> 3] |= bit << (7 - i % 8); });
  return Buffer.from(bytes).toString("hex");
}

for (const v of vectors) {
  for (let i = 0; i < v.n; i++) {
    const t = BigInt(v.index) + BigInt(i), seed = BigInt(v.seed);
    const lambda = v.lambda === null ? fmix.drawLambda(seed, v.alpha, t) : fmix.givenLambda(v.lambda);
    const name = `${v.method} ${v.shape.join("x")} seed ${v.seed} t ${t}`;
    check(`${name}: L`, lambda, v.L[i]);
    const recipe = { shape: v.shape, seed, t, delta: v.delta, lambda };
    const mask = v.method === "fmix" ? fmix.fmixMask(recipe) : fmix.cutmixMask(recipe);
    check(`${name}: mask`, hex(mask), v.masks[i]);
  }
}

const half = fmix.givenLambda(0.5);
const plain = (mask) => [...mask].join("");
check("section 1", fmix.wordsOf(fmix.keyOf(0n, 1), 0n, 4), "3477432570,1082735229,3588327856,3167318664");
check("section 2", fmix.drawLambda(0n, 1, 0n), 2133785041);
check("section 2, reformulated", fmix.reformulate(0n, 0n, 2133785041n), 2161182255);
check("section 3", plain(fmix.fmixMask({ shape: [3, 5], seed: 0n, t: 0n, delta: 3, lambda: half })),
  "001100111001110");
check("section 3, extent",
  plain(fmix.fmixMask({ shape: [2, 3, 4], seed: 0n, t: 0n, delta: 3, lambda: half, extent: true })),
  "000001100111001001101111");
check("section 4", plain(fmix.cutmixMask({ shape: [5, 6], seed: 0n, t: 0n, lambda: half })),
  "111111001111001111001111111111");
check("section 5", fmix.permutation(1n, 0n, 8), "3,0,4,2,7,5,6,1");
check("section 6", Array.from({ length: 10 }, (_, p) => fmix.shuffled(0n, 0n, 10, p)),
  "0,7,4,1,2,9,5,6,8,3");

console.log(`Ran ${ran} tests`);
if (failed) console.log(`FAILED (failures=${failed})`);
process.exitCode = failed ? 1 : 0;
