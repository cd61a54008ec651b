// Choices of a row, partners by class and neighbourhood, and sequences: sections 10 to 12 of the same
// contract (lib/STREAM.md). Indices t are BigInt; classes, lengths and samples are numbers.

import { drawLambda, drawsOf, givenLambda, pick, policy, shuffled, swapped } from "./fmix.mjs";
import { keyOf, wordsOf } from "./words.mjs";

const CHOICE = 9, PARTNER = 10, BUCKET = 11;

// ---- choices of a row (section 10) ----

export function isMixed(seed, t, prob) {
  return BigInt(wordsOf(keyOf(seed, CHOICE), t, 1)[0]) < givenLambda(prob);
}

export function methodOfRow(seed, t, weights) {
  return pick(wordsOf(keyOf(seed, CHOICE), t, 2)[1], weights);
}

// The t by which each row of a batch draws, of the rows' own.
export function sharedIndices(own, scope) {
  if (scope === "batch") return own.map(() => own[0]);
  if (scope === "pair") return own.map((t, i) => own[Math.min(i, own.length - 1 - i)]);
  return own;
}

// Of each row the place of its method, -1 where it is not mixed, and L.
export function choices({ seed, batch, own, scope, prob, bySample, kind, weights, alphas, lambda }) {
  const batchMethod = policy(kind, seed, batch, weights);
  return sharedIndices(own, scope).map((t) => {
    if (!isMixed(seed, t, prob)) return { method: -1, L: 1n << 32n };
    const method = bySample ? methodOfRow(seed, t, weights) : batchMethod;
    return { method, L: lambda === null ? drawLambda(seed, alphas[method], t) : givenLambda(lambda) };
  });
}

// ---- partners (section 11) ----

export function drawPartner(seed, t, limit) {
  const draws = drawsOf(keyOf(seed, PARTNER), t);
  draws.next();
  return draws.next(limit).value;
}

export function partnersByClass(kind, seed, own, classes) {
  return classes.map((mine, i) => {
    const candidates = [...classes.keys()].filter((j) =>
      j !== i && (classes[j] === mine) === (kind === "same_class"));
    return candidates.length ? candidates[drawPartner(seed, own[i], candidates.length)] : i;
  });
}

// ---- sequences (section 12) ----

// The batches of an epoch in the order in which they are served.
export function bucketEpoch({ seed, epoch, lengths, size, bucket, shuffle }) {
  const n = lengths.length, batch = Math.min(size, n), window = bucket * batch;
  const windows = Math.ceil(n / window), served = [];
  for (let m = 0; m < windows; m++) {
    const rows = [];
    for (let place = m * window; place < Math.min((m + 1) * window, n); place++) {
      const sample = shuffle ? shuffled(seed, epoch, n, place) : place;
      rows.push({ sample, place, t: BigInt(epoch) * BigInt(n) + BigInt(place) });
    }
    rows.sort((a, b) => lengths[a.sample] - lengths[b.sample] || a.place - b.place);
    const cut = [];
    for (let at = 0; at < rows.length; at += batch) cut.push(rows.slice(at, at + batch));
    const whole = Math.floor(rows.length / batch);
    const draws = drawsOf(keyOf(seed, BUCKET), BigInt(epoch) * BigInt(windows) + BigInt(m));
    const turns = swapped(draws, whole, 1);
    served.push(...turns.map((turn) => cut[turn]), ...cut.slice(whole));
  }
  const before = BigInt(epoch) * BigInt(Math.ceil(n / batch));
  return served.map((rows, step) => ({ batch: before + BigInt(step), samples: rows.map((r) => r.sample),
    t: rows.map((r) => r.t) }));
}
