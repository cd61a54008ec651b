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
  #ending;

  /** @param {object} source url, options of a Connection, law (parameters of /v1/plans), shape, rows and steps, the
   * most that one request fetches */
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
    const parts = await block.parts;
    return new Plan(parts, Number(number - block.first));
  }

  #fetch(first) {
    const { url, options, law, shape, rows } = this.source, steps = this.#size;
    this.#ending ??= linked(options.signal);
    const connection = new Connection(url, { ...options, signal: this.#ending.signal });
    const query = { ...law, shape: shape.join("x"), n: rows, dtype: "bits", step: first, steps };
    const block = { first, steps, parts: connection.get("/v1/plans.safetensors", query).then(tensors) };
    block.parts.catch(() => { // whoever asks again asks the server again
      const place = this.#blocks.indexOf(block);
      if (place >= 0)
        [this.#blocks, this.next] = [this.#blocks.slice(0, place), first];
    });
    this.#blocks.push(block);
    this.next = first + BigInt(steps);
    this.#size = Math.min(2 * steps, this.source.steps);
    return block;
  }

  /** Forgets what was fetched. */
  stop() {
    this.#ending?.abort(new Error("nobody waits for this plan any more"));
    [this.#blocks, this.#size, this.#ending, this.next] = [[], 1, undefined, undefined];
  }
}
