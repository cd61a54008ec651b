// Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.
// usage: node example.mjs http://localhost:8080      (Node 18 or later, nothing else)

import { createHash } from "node:crypto";

const GOLDEN = "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits";
const SHA256 = "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c";
const LAW = "seed=7&method=fmix,mixup"; // the first batch is mixed by FMix, the second by MixUp
const [N, ELEMENTS, STEPS, TRIES] = [4, 8 * 8, 2, 10];
const url = process.argv[2];

/** The body; asks again when it is told to. */
async function ask(target, options) {
  for (let tries = 1; ; tries++) {
    const reply = await fetch(url + target, options);
    if (reply.ok)
      return reply.arrayBuffer();
    if (![429, 503].includes(reply.status) || tries === TRIES) {
      const problem = await reply.json().catch(() => ({}));
      throw new Error(problem.detail ?? `${target}: ${reply.status}`);
    }
    await new Promise((done) => setTimeout(done, 1000 * (reply.headers.get("Retry-After") ?? 1)));
  }
}

function say(what, good) {
  console.log(`${what}: ${good ? "ok" : "WRONG"}`);
  if (!good)
    process.exit(1);
}

async function main() {
  if (!url)
    throw new Error("usage: example.mjs URL");
  const plan = `/v1/plans.raw?${LAW}&shape=8x8&n=${N}&steps=${STEPS}&dtype=f64&parts=`;
  const masks = new Float64Array(await ask(`${plan}masks`)); // a weight everywhere, for MixUp
  const pairing = new BigInt64Array(await ask(`${plan}pairing`));
  const x = Float64Array.from({ length: N * ELEMENTS }, (_, i) => i / 256);
  for (let step = 0; step < STEPS; step++) {
    const target = `/v1/mix.raw?${LAW}&step=${step}&layout=none&x_shape=${N}x8x8&x_dtype=f64`;
    const there = new Float64Array(await ask(target, { method: "POST", body: x }));
    const here = x.map((value, i) => {
      const row = step * N + Math.floor(i / ELEMENTS);
      const m = masks[row * ELEMENTS + (i % ELEMENTS)];
      return m * value + (1 - m) * x[Number(pairing[row]) * ELEMENTS + (i % ELEMENTS)];
    });
    // Nothing is rounded: weights have 32 bits, x has 8.
    say(`batch ${step}`, here.every((value, i) => value === there[i]));
  }
  const bytes = Buffer.from(await ask(GOLDEN));
  say("golden digest", createHash("sha256").update(bytes).digest("hex") === SHA256);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
