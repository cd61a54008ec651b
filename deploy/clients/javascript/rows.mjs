/** Rows, mixed as STREAM says in section 8: in float64, rounded once to the type of x. */

const SUMMED = [Float32Array, Float64Array, Uint8Array, Uint8ClampedArray, globalThis.Float16Array];

/** Elements as a typed array of the language's own, in the same memory. A Buffer of Node is a Uint8Array whose `slice`
 * is a view and no copy; and where a program runs in contexts, an array of another context has other constructors.
 * @param {ArrayBufferView} data */
export function plain(data) {
  const type = globalThis[data[Symbol.toStringTag]];
  return type === data.constructor ? data : new type(data.buffer, data.byteOffset, data.length);
}

/** The data of a batch, mixed. @param {import("./plans.mjs").Plan} plan @param {{data, shape: number[]}} x
 * @param {string} layout */
export function mixedRows(plan, x, layout) {
  const mixed = x.data.slice();
  const size = mixed.length / x.shape[0];
  const row = (i) => x.data.subarray(i * size, (i + 1) * size);
  plan.methods.forEach((method, i) => {
    const into = mixed.subarray(i * size, (i + 1) * size), partner = row(plan.partners[i]);
    if (plan.chooses(i))
      choose(into, partner, (element) => plan.keeps(i, element), channelsOf(x.shape, layout));
    else if (method !== "none")
      sumOf(method, x)(into, row(i), partner, plan.lambda[i]);
  });
  return mixed;
}

/** How often a mask's element counts: in blocks, and side by side. */
function channelsOf(shape, layout) {
  return [layout === "channels_first" ? shape[1] : 1, layout === "channels_last" ? shape.at(-1) : 1];
}

/** Takes what the mask does not keep from the partner. */
function choose(into, partner, keeps, [blocks, beside]) {
  const elements = into.length / blocks / beside;
  for (let element = 0; element < elements; element++) {
    if (keeps(element))
      continue;
    for (let block = 0; block < blocks; block++) {
      const place = (block * elements + element) * beside;
      for (let i = place; i < place + beside; i++)
        into[i] = partner[i];
    }
  }
}

/** What mixes two rows of x by a method; refuses the types that it cannot. */
function sumOf(method, x) {
  const type = x.data.constructor;
  if (!SUMMED.includes(type) || (method === "bcplus" && type.name.startsWith("Uint8")))
    throw new TypeError(`x is a ${type.name}, and ${method} interpolates: make it a Float32Array first`);
  if (method === "bcplus")
    return bcplus;
  const made = method === "samplepairing" ? half : sum;
  return type === Uint8Array ? (into, ...rest) => made(new Uint8ClampedArray(into.buffer, into.byteOffset,
                                                                            into.length), ...rest) : made;
}

/** A Uint8ClampedArray rounds to the nearest, half to even, as the daemon does; a Uint8Array cuts. */
function sum(into, own, partner, weight) {
  for (let i = 0; i < into.length; i++)
    into[i] = weight * own[i] + (1 - weight) * partner[i];
}

/** Not 0.5 * own + 0.5 * partner, which differs where a half or the sum leaves the range of float64. */
function half(into, own, partner) {
  for (let i = 0; i < into.length; i++)
    into[i] = (own[i] + partner[i]) / 2;
}

function bcplus(into, own, partner, weight) {
  const [first, g1] = centred(own), [second, g2] = centred(partner);
  const loud = g2 * weight, soft = g1 * (1 - weight);
  const q = loud + soft === 0 ? 0.5 : loud / (loud + soft);
  const norm = Math.sqrt(q * q + (1 - q) * (1 - q));
  for (let i = 0; i < into.length; i++)
    into[i] = (q * first[i] + (1 - q) * second[i]) / norm;
}

/** A row in float64 less its mean, and its standard deviation. */
function centred(row) {
  const values = Float64Array.from(row), mean = laneSum(values) / row.length;
  for (let i = 0; i < values.length; i++)
    values[i] -= mean;
  return [values, Math.sqrt(laneSum(values.map((value) => value * value)) / row.length)];
}

/** Element i is added to lane i mod 8, then the lanes in order. */
function laneSum(values) {
  const lanes = new Float64Array(8);
  for (let i = 0; i < values.length; i++)
    lanes[i % 8] += values[i];
  return lanes.reduce((all, lane) => all + lane, 0);
}
