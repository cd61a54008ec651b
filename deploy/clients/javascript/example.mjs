// Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.
// usage: node example.mjs http://localhost:8080      (Node 18 or later, nothing else)

import { createHash } from "node:crypto";
import { Connection, mixer } from "./fmixd.mjs";

const GOLDEN = "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits";
const SHA256 = "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c";
const LAW = { seed: 7, method: ["fmix", "mixup"] }; // the first batch is mixed by FMix, the second by MixUp
const [STEPS, TRIES] = [2, 10];

function say(what, good) {
  console.log(`${what}: ${good ? "ok" : "WRONG"}`);
  if (!good)
    process.exit(1);
}

async function main(url) {
  if (!url)
    throw new Error("usage: example.mjs URL");
  const server = new Connection(url, { tries: TRIES });
  const mix = mixer(url, { ...LAW, layout: "none", tries: TRIES });
  const x = { data: Float32Array.from({ length: 4 * 8 * 8 }, (_, i) => i / 256), shape: [4, 8, 8] };
  for (let step = 0; step < STEPS; step++) {
    const query = { ...LAW, step, layout: "none", x_shape: x.shape.join("x"), x_dtype: "f32" };
    const there = new Float32Array(await server.post("/v1/mix.raw", x.data, query));
    const here = (await mix(x, null, step)).x.data;
    say(`batch ${step}`, here.every((value, i) => value === there[i]));
  }
  mix.close();
  const bytes = Buffer.from(await server.get(GOLDEN));
  say("golden digest", createHash("sha256").update(bytes).digest("hex") === SHA256);
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
