/** Plans: who is mixed with whom, by which method, and by which mask or weight. */

import { Connection, linked } from "./connection.mjs";
import { tensors } from "./safetensors.mjs";

/** A method's place here is its code. */
export const METHODS = ["fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none"];
const CHOOSING = ["fmix", "cutmix"]; // by a mask, between a row's own elements and its partner's
const BLOCKS = 3; // requests whose answers are held or awaited, the current one too

/** One step's. */
export class Plan {
  /** Row `place` of the tensors of several steps. */
  constructor(parts, place) {
    const rows = parts.pairing.shape[1];
    const of = (name, width = 1) => parts[name].data.subarray(place * rows * width, (place + 1) * rows * width);
    this.partners = Array.from(of("pairing"), Number);
    this.lambda = of("lambda");
    this.effective = of("lambda_eff");
    this.methods = Array.from(of("method"), (code) => METHODS[code]);
    this.width = parts.masks.shape[2]; // bytes of a row's mask
    this.bits = of("masks", this.width);
  }

  /** Whether a row has elements of its own and of its partner. */
  chooses(row) {
    return CHOOSING.includes(this.methods[row]);
  }

  /** Whether an element of a row is its own. */
  keeps(row, element) {
    return (this.bits[row * this.width + (element >> 3)] >> (7 - (element & 7))) & 1;
  }
}

/** Plans of one shape and number of rows, one step after the other. The first is fetched alone, so
 * that nobody waits for more than it; blocks grow from there. */
export class PlanStream {
  #blocks = [];
  #size = 1;

  /** @param {object} source url, options of a Connection, law (parameters of /v1/plans), shape, rows, steps, the most
   * that one request fetches, and running, a Set that has the blocks that have not come yet, the forgotten ones too */
  constructor(source) {
    this.source = source;
    this.used = 0;
  }

  /** That of a step. @param {bigint} number @param {boolean} eager what follows is fetched, too
   * @returns {Promise<Plan>} */
  async at(number, eager) {
    this.used++;
    this.#blocks = this.#blocks.filter((block) => number < block.first + BigInt(block.steps));
    let block = this.#blocks[0];
    if (this.#blocks.length === 0 || number < block.first) {
      if (number !== this.next)
        this.stop();
      block = this.#fetch(number);
    }
    while (eager && this.#blocks.length < BLOCKS && this.next + BigInt(this.#size) <= 2n ** 64n)
      this.#fetch(this.next);
    block.waiting++;
    try {
      return new Plan(await block.parts, Number(number - block.first));
    } finally {
      block.waiting--;
    }
  }

  #fetch(first) {
    const { url, options, law, shape, rows, running } = this.source, steps = this.#size;
    const ending = linked(options.signal);
    const connection = new Connection(url, { ...options, signal: ending.signal });
    const query = { ...law, shape: shape.join("x"), n: rows, dtype: "bits", step: first, steps };
    const parts = connection.get("/v1/plans.safetensors", query).then(tensors);
    const block = { of: this, first, steps, parts, ending, waiting: 0 };
    block.parts.catch(() => { // whoever asks again asks the server again
      const place = this.#blocks.indexOf(block);
      if (place >= 0)
        [this.#blocks, this.next] = [this.#blocks.slice(0, place), first];
    }).finally(() => {
      running.delete(block);
      ending.abort(); // takes its listener off the caller's signal
    });
    running.add(block);
    this.#blocks.push(block);
    this.next = first + BigInt(steps);
    this.#size = Math.min(2 * steps, this.source.steps);
    return block;
  }

  /** Forgets what was fetched. A plan that another call waits for still comes, for calls may be concurrent. */
  stop() {
    for (const block of this.source.running)
      if (block.of === this && block.waiting === 0)
        abandon(block);
    [this.#blocks, this.#size, this.next] = [[], 1, undefined];
  }
}

/** Ends a request, and whoever waits for it. */
export function abandon(block) {
  block.ending.abort(new Error("nobody waits for this plan any more"));
}
