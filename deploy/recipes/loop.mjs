// A training loop in JavaScript: softmax regression, written out, on batches that fmixd hosts and on arrays
// of one's own, mixed here by plans. Both runs can begin anywhere: `start` says how many steps were done.
// usage: node loop.mjs http://localhost:8080 [EPOCHS]      (`make run` hosts the data set garments)

import { epochs, mixer } from "../clients/javascript/fmixd.mjs";

const [, , url, EPOCHS = 20] = process.argv;
const [CLASSES, BATCH, RATE, RECIPE] = [10, 16, 0.05, { seed: 7, method: "fmix,mixup" }];

/** Weights of a row of x and a 1, a column for each class. */
const modelOf = (elements) => ({ elements, weights: new Float64Array((elements + 1) * CLASSES) });

/** The probabilities of each class for row `row` of x. */
function predict({ elements, weights }, x, row) {
  const scores = weights.slice(elements * CLASSES);
  for (let i = 0; i < elements; i++)
    for (let k = 0; k < CLASSES; k++)
      scores[k] += x.data[row * elements + i] * weights[i * CLASSES + k];
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most)), sum = powers.reduce((all, power) => all + power);
  return powers.map((power) => power / sum);
}

/** One step down the gradient of the cross entropy, which takes mixed labels as they are; the loss before. */
function train(model, x, y) {
  const rows = x.shape[0], { elements, weights } = model, gradient = new Float64Array(weights.length);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const guess = predict(model, x, row);
    for (let k = 0; k < CLASSES; k++) {
      const wanted = y.data[row * CLASSES + k], slope = (guess[k] - wanted) / rows;
      loss -= wanted * Math.log(guess[k] + 1e-12) / rows;
      gradient[elements * CLASSES + k] += slope;
      for (let i = 0; i < elements; i++)
        gradient[i * CLASSES + k] += slope * x.data[row * elements + i];
    }
  }
  gradient.forEach((slope, i) => weights[i] -= RATE * slope);
  return loss;
}

const argmax = (values) => values.indexOf(Math.max(...values));

/** The share of unmixed rows whose class is guessed. */
function accuracy(model, batches) {
  const right = batches.flatMap(([x, y]) => Array.from({ length: x.shape[0] }, (_, row) =>
    argmax(predict(model, x, row)) === argmax(y.data.subarray(row * CLASSES, (row + 1) * CLASSES))));
  return right.filter(Boolean).length / right.length;
}

/** Trains on all batches of each epoch. */
async function run(name, model, batchesOf) {
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    let loss;
    for await (const { x, y } of batchesOf(epoch))
      loss = train(model, x, y);
    console.log(`${name}, epoch ${epoch}: loss ${loss.toFixed(3)}`);
  }
}

async function main() {
  if (!url)
    throw new Error("usage: loop.mjs URL [EPOCHS]");
  // Batches without mixing, for validation; below they are the arrays of one's own, too.
  const plain = [];
  for await (const { x, y } of epochs(url, "garments", { batch: BATCH, method: "none", out_dtype: "f32" }))
    plain.push([x, y]);
  const [hosted, own] = [1, 2].map(() => modelOf(plain[0][0].data.length / plain[0][0].shape[0]));
  const mix = mixer(url, { ...RECIPE, layout: "none" });
  const options = { ...RECIPE, batch: BATCH, shuffle: 1, out_dtype: "f32" };
  await run("hosted", hosted, (epoch) => epochs(url, "garments", { ...options, epoch }));
  await run("own arrays", own, (epoch) => mix.epoch(plain, epoch));
  mix.close();
  console.log(`accuracy on unmixed rows: hosted ${accuracy(hosted, plain)}, own arrays ${accuracy(own, plain)}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
