/** A batch that you have, mixed where it is. */

import { Connection } from "./connection.mjs";
import { Labels } from "./labels.mjs";
import { abandon, PlanStream } from "./plans.mjs";
import { mixedRows, plain } from "./rows.mjs";

// Steps of an epoch, and epochs of a rank, that have numbers of their own.
const STEPS = 2 ** 24, EPOCHS = 2 ** 16;
const STREAMS = 3; // of batches that differ in shape or rows
const LAYOUTS = ["channels_first", "channels_last", "none"];
const BY_CLASS = "the classes of the samples, which plans do not have: POST x and y to /v1/mix, or take batches of a " +
                 "hosted data set by epochs";
const BY_SAMPLES = {
  other_class: BY_CLASS, same_class: BY_CLASS,
  neighbour: "the neighbours of a hosted data set: take its batches by epochs",
};

/**
 * @typedef {object} Batch
 * @property {Float32Array|Float64Array|Uint8Array|Uint8ClampedArray|Int32Array|BigInt64Array|ArrayBufferView} data
 *     elements, the last dimension first. fmix, cutmix and none copy elements of any type; the other methods blend
 *     floats and, rounded, u8 (bcplus floats alone). Bits of f16 and bf16 in a Uint16Array are copied, not blended.
 *     A Buffer is taken for the Uint8Array that it is, and its mix is a plain Uint8Array.
 * @property {number[]} shape rows first, such as [64, 1, 28, 28]
 */

/**
 * @typedef {object} MixerOptions Parameters of /v1/plans, as seed, method, alpha, delta, lambda, policy, weights,
 *     pairing, scope, prob and switch (lists may be arrays, large seeds BigInts), those of a Connection, and:
 * @property {"channels_first"|"channels_last"|"none"} [layout] where x has its channels; it must be told where the
 *     shape of x leaves it open. x of four or five dimensions has its channels first by default.
 * @property {number|Record<string, number>} [classes] how many; then y may hold class numbers. Else y is rows of
 *     floats, or [n] of floats, which are values. With several heads an object of numbers, or one for all.
 * @property {number} [smoothing] of labels, as /v1/mix has it; values are not smoothed
 * @property {boolean} [correct] false: labels are weighted by lambda, not by the mask's true mean
 * @property {number} [rank] each rank mixes its own batches, by plans of its own
 * @property {number} [world] how many ranks there are
 * @property {number} [steps] how many plans one request fetches at most (16); three requests are held ahead
 */

/**
 * Mixes batches by plans that are fetched ahead.
 * @param {string} url of a daemon, such as http://localhost:8080
 * @param {MixerOptions & import("./connection.mjs").ConnectionOptions} [options]
 */
export function mixer(url, options = {}) {
  const state = new Mixer(url, options);
  /**
   * A batch, mixed as number `step` of an epoch (or of the whole run, if no epoch is told). x stays as it is.
   * @param {Batch} x
   * @param {ArrayLike<number|bigint>|number[][]|Batch|Record<string, any>|null} y labels, or an object of heads
   * @param {number|bigint} step
   * @param {{epoch?: number}} [of]
   * @returns {Promise<{x: Batch, y: any}>} y: float32 rows {data, shape}, or an object of them, or null
   */
  const mix = (x, y, step, { epoch } = {}) => state.mix(x, y, step, epoch);
  /** Pairs of an iterable of [x, y], mixed as the steps of that epoch from `start` on. To resume within an epoch,
   * give what is left of the batches, and how many went before. */
  mix.epoch = async function* (batches, epoch, start = 0) {
    let step = start;
    for await (const [x, y] of batches)
      yield { step, ...await mix(x, y, step++, { epoch }) };
  };
  /** Stops fetching. */
  mix.close = () => state.close();
  return mix;
}

class Mixer {
  #streams = new Map(); // the last used stands last
  #running = new Set(); // blocks of plans that have not come yet
  #last = -1n;

  constructor(url, { layout, classes, smoothing = 0, correct = true, rank = 0, world = 1, steps = 16, token, patience,
                     tries, timeout, signal, warn = console.warn, ...law }) {
    const options = { token, patience, tries, timeout, signal, warn };
    new Connection(url, options); // refuses what cannot be asked
    checkLaw(law);
    check("layout", layout, layout === undefined || LAYOUTS.includes(layout), LAYOUTS.join(", "));
    check("rank", rank, Number.isInteger(rank) && rank >= 0 && rank < world && world <= 2 ** 16,
          `from 0 to world - 1, of a world of at most 65536 (world is ${world})`);
    check("smoothing", smoothing, smoothing >= 0 && smoothing <= 1, "a number from 0 to 1");
    check("correct", correct, [true, false, 0, 1].includes(correct), "true or false");
    check("steps", steps, Number.isInteger(steps) && steps >= 1, "a whole number from 1 on");
    if (Array.isArray(classes)) // its places would be taken for the names of heads
      throw new TypeError(`classes is [${classes}]; it must be a whole number from 1 on, or an object with a number ` +
                          "for each head by its name");
    classes ??= undefined;
    for (const told of typeof classes === "object" ? Object.values(classes) : [classes])
      check("classes", told, told === undefined || (Number.isInteger(told) && told >= 1), "a whole number from 1 on");
    Object.assign(this, { url, options, law, layout, rank, world, steps });
    this.labels = new Labels(classes, smoothing, correct);
  }

  async mix(x, y, step, epoch) {
    const [shape, layout] = spatial(x, this.layout);
    const plan = await this.#plan(shape, x.shape[0], this.#number(step, epoch));
    const own = { ...x, data: plain(x.data), shape: x.shape };
    const mixed = { ...own, data: mixedRows(plan, own, layout) };
    return { x: mixed, y: y === null || y === undefined ? null : this.labels.mixed(plan, y) };
  }

  /** Under which the daemon knows a step of an epoch of this rank. */
  #number(step, epoch) {
    const most = epoch === undefined && this.world === 1 ? 2n ** 64n : BigInt(STEPS);
    check("step", step, (typeof step === "bigint" || Number.isSafeInteger(step)) && step >= 0 && step < most,
          `a whole number from 0 to ${most - 1n}; beyond 2^53 a BigInt`);
    check("epoch", epoch, epoch === undefined || (Number.isInteger(epoch) && epoch >= 0 && epoch < EPOCHS),
          `a whole number from 0 to ${EPOCHS - 1}`);
    if (epoch === undefined)
      this.#lookBack(BigInt(step));
    return BigInt(this.rank * EPOCHS + (epoch ?? 0)) * BigInt(STEPS) + BigInt(step);
  }

  /** The commonest mistake: steps of each epoch counted from 0, and no epoch told. */
  #lookBack(step) {
    if (step < this.#last)
      this.options.warn(`step went back from ${this.#last} to ${step} and no epoch is told, so masks, lambdas and ` +
                        "pairings repeat: call mix(x, y, step, { epoch }), or count steps on");
    this.#last = step;
  }

  #plan(shape, rows, number) {
    const key = `${shape}/${rows}`;
    const stream = this.#streams.get(key) ?? new PlanStream({ url: this.url, options: this.options, law: this.law,
                                                              shape, rows, steps: this.steps,
                                                              running: this.#running });
    this.#streams.delete(key);
    // An epoch's last batch of fewer rows comes alone: what would follow it is not fetched.
    const eager = stream.used > 1 || ![...this.#streams.values()].some((other) => other.used > 1);
    this.#streams.set(key, stream);
    if (this.#streams.size > STREAMS) {
      const [oldest, left] = this.#streams.entries().next().value;
      this.#streams.delete(oldest);
      left.stop();
    }
    return stream.at(number, eager);
  }

  close() {
    this.#running.forEach(abandon);
    this.#streams.clear();
  }
}

function check(name, value, good, allowed) {
  if (!good)
    throw new RangeError(`${name} is ${typeof value === "string" ? `"${value}"` : value}; it must be ${allowed}`);
}

/** Refuses parameters that a plan cannot have. */
function checkLaw(law) {
  for (const name of ["index", "step", "n", "shape", "dtype", "parts", "epoch"])
    if (name in law)
      throw new TypeError(`${name} follows from each batch; a mixer does not take it`);
  if (Number(law.soft))
    throw new TypeError("soft masks do not fit into bits; use /v1/mix for them");
  if (law.pairing in BY_SAMPLES)
    throw new TypeError(`pairing=${law.pairing} needs ${BY_SAMPLES[law.pairing]}`);
}

/** The spatial sides of x, and its layout. */
function spatial(x, told) {
  if (!ArrayBuffer.isView(x?.data) || !Array.isArray(x.shape))
    throw new TypeError("x must be {data, shape}: a typed array, and its sides, rows first");
  const { data, shape } = x, words = shape.join("x");
  if (!(shape[0] >= 1) || data.length !== shape.reduce((all, side) => all * side, 1))
    throw new TypeError(`x has ${data.length} elements and the shape ${words}`);
  const layout = told ?? guessed(shape, words);
  const sides = { channels_first: shape.slice(2), channels_last: shape.slice(1, -1), none: shape.slice(1) }[layout];
  if (sides.length < 1 || sides.length > 3)
    throw new TypeError(`x has the shape ${words}, of which layout=${layout} leaves ${sides.length} spatial ` +
                        "dimensions; masks have one, two or three");
  return [sides, layout];
}

function guessed(shape, words) {
  const few = (side) => [1, 3, 4].includes(side);
  if (shape.length === 3)
    throw new TypeError(`x has the shape ${words}: layout "none" says rows of ${shape[1]} x ${shape[2]} without ` +
                        `channels, "channels_first" rows of length ${shape[2]} with ${shape[1]} channels; tell which`);
  if ([4, 5].includes(shape.length) && few(shape.at(-1)) && !few(shape[1]))
    throw new TypeError(`x has the shape ${words}, which looks like channels_last, and channels_first is what a ` +
                        'mixer takes by default: say layout: "channels_last" or "channels_first"');
  return shape.length <= 2 ? "none" : "channels_first";
}
