/** The batches of a data set that a daemon hosts. */

import { Connection, linked, Refused } from "./connection.mjs";
import { tensors } from "./safetensors.mjs";

/** What there is of a data set: count, shape, dtype, heads, digest, …
 * @param {string} url @param {string} set its name @param {import("./connection.mjs").ConnectionOptions} [options] */
export async function describe(url, set, options) {
  const body = await new Connection(url, options).get(`/v1/datasets/${encodeURIComponent(set)}`);
  return JSON.parse(new TextDecoder().decode(body));
}

/** How many batches an epoch has. `world` ranks share each: a last batch of fewer rows than ranks, of which some rank
 * would have none, is dropped by all.
 * @param {number} count of rows @param {number} batch @param {boolean|0|1} [dropLast] @param {number} [world] */
export function stepsOf(count, batch, dropLast = 0, world = 1) {
  if (batch < world)
    throw new RangeError(`batch is ${batch} and world ${world}: a batch counts the rows of all ranks, and each needs ` +
                         "one");
  const rest = count % batch;
  return Math.floor(count / batch) + (rest > 0 && rest >= world && !Number(dropLast) ? 1 : 0);
}

/**
 * @typedef {object} EpochOptions Parameters of the resource, as seed, method, lambda, alpha, prob, switch, pairing,
 *     shuffle, crop, flip, size, mean, std, out_dtype, layout and drop_last (without `method` batches are mixed by
 *     fmix; validate by method: "none"), those of a Connection, and:
 * @property {number} [epoch] its number, from 0
 * @property {number} [batch] rows of a batch, of all ranks together (64)
 * @property {number} [start] the first step: how many of the epoch were done; past the last one there are no batches
 * @property {number} [rank] which share of each batch is wanted
 * @property {number} [world] how many shares there are. A last batch of fewer rows is dropped by all ranks.
 * @property {number} [stride] takes every so many steps only
 * @property {number} [ahead] how many batches are fetched before they are asked for (3)
 * @property {string} [digest] of the set, which pins its version: another one is refused
 * @property {string[]} [parts] names of the parts that are wanted; then each batch is an object of them instead
 */

/**
 * The batches of an epoch, from step `start` on. Of several heads y is an object; of none, null. Tensors are
 * {data, shape, dtype}: bf16 and f16 come as Float32Arrays, i64 as BigInt64Arrays. A set of sequences has `lengths`,
 * too.
 * @param {string} url
 * @param {string} set its name
 * @param {EpochOptions & import("./connection.mjs").ConnectionOptions} [options]
 * @returns {AsyncGenerator<{step: number, x: import("./safetensors.mjs").Tensor, y: any, lengths?: any}>}
 */
export async function* epochs(url, set, { epoch = 0, batch = 64, start = 0, stride = 1, ahead = 3, parts, digest,
                                          token, patience, tries, timeout, signal, warn, ...law } = {}) {
  if ("n" in law)
    throw new TypeError("n is not for an epoch: the rows of a batch are `batch`");
  for (const [name, value, least] of [["batch", batch, 1], ["start", start, 0], ["stride", stride, 1],
                                      ["ahead", ahead, 1]])
    if (!Number.isInteger(value) || value < least)
      throw new RangeError(`${name} is ${value}; it must be a whole number from ${least} on`);
  const ending = linked(signal);
  const options = { token, patience, tries, timeout, signal: ending.signal, warn };
  try {
    const facts = await describe(url, set, options);
    if (digest !== undefined && digest !== null && digest !== facts.digest)
      throw new Refused(`the data set ${set} has the digest ${facts.digest}, and ${digest} is asked for: it is ` +
                        "another version of the set");
    const end = stepsOf(facts.count, batch, law.drop_last, Number(law.world ?? 1));
    const query = { ...law, epoch, n: batch, digest: facts.digest, parts: parts ?? wantedOf(facts) };
    const connection = new Connection(url, options), path = `/v1/datasets/${encodeURIComponent(set)}/batches`;
    const coming = [];
    for (let step = start, next = start; step < end; step += stride) {
      for (; next < end && coming.length <= ahead; next += stride) {
        const made = connection.get(`${path}/${next}.safetensors`, query);
        made.catch(() => {}); // whoever takes it sees the error
        coming.push(made);
      }
      const made = named(tensors(await coming.shift()));
      const { mixed: x, labels: y = null, ...lengths } = made;
      yield parts ? { step, ...made } : { step, x, y, ...lengths };
    }
  } finally {
    ending.abort(new Error("nobody waits for this batch any more"));
  }
}

function wantedOf(facts) {
  return ["mixed", ...facts.heads.length ? ["labels"] : [], ..."lengths" in facts ? ["lengths"] : []];
}

/** Tensors by part: `labels`, or an object of `labels.a` and `labels.b`. */
function named(arrays) {
  const parts = {};
  for (const [key, array] of Object.entries(arrays)) {
    const dot = key.indexOf(".");
    if (dot < 0)
      parts[key] = array;
    else
      (parts[key.slice(0, dot)] ??= {})[key.slice(dot + 1)] = array;
  }
  return parts;
}
