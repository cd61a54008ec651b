/**
 * Batches mixed by fmixd, for trainers in JavaScript: Node 18 or later and browsers, nothing else.
 *
 * A batch that you have, mixed by plans that are fetched ahead. The result is, bit for bit, what
 * POST /v1/mix answers (a NaN may have other bits):
 *
 *     import { mixer } from "fmixd";
 *     const mix = mixer("http://localhost:8080", { seed: 7, method: "fmix,mixup", classes: 10 });
 *     const mixed = await mix({ data: pixels, shape: [64, 1, 28, 28] }, labels, step, { epoch });
 *     mixed.x.data;  // of the type of `pixels`
 *     mixed.y.data;  // a Float32Array, 64 rows of 10
 *
 * The batches of a data set that fmixd hosts:
 *
 *     for await (const { step, x, y } of epochs("http://localhost:8080", "garments",
 *                                               { epoch: 3, batch: 64, shuffle: 1, out_dtype: "f32" }))
 *       ...
 *
 * A page of another origin needs the daemon's setting `cors`.
 */

export { Connection, Refused } from "./connection.mjs";
export { describe, epochs, stepsOf } from "./epochs.mjs";
export { mixer } from "./mixer.mjs";
export { tensors } from "./safetensors.mjs";
