/** Named arrays out of a safetensors file, which is what a daemon answers with. */

import { Refused } from "./connection.mjs";

const TYPES = {
  F64: Float64Array, F32: Float32Array, F16: Uint16Array, BF16: Uint16Array, I64: BigInt64Array, I32: Int32Array,
  I16: Int16Array, I8: Int8Array, U8: Uint8Array, BOOL: Uint8Array,
};
const WIDER = { F16: half, BF16: brain };

/**
 * @typedef {object} Tensor
 * @property {ArrayBufferView} data elements, the last dimension first. Of f16 and bf16 a Float32Array,
 *     which holds their values; of i64 a BigInt64Array; of bool a Uint8Array of 0 and 1.
 * @property {number[]} shape
 * @property {string} [dtype] the daemon's name of the type it sent: f16, bf16, i64, bool, …
 */

/**
 * The arrays of a safetensors file by name.
 * @param {ArrayBuffer} file
 * @returns {Record<string, Tensor>}
 */
export function tensors(file) {
  const [header, begin] = headerOf(file);
  const found = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__")
      continue;
    const [start, end] = entry.data_offsets.map((offset) => begin + offset);
    const data = new TYPES[entry.dtype](file.slice(start, end)); // a copy begins where its type may
    const wider = WIDER[entry.dtype];
    found[name] = {
      data: wider ? Float32Array.from(data, wider) : data, shape: entry.shape, dtype: entry.dtype.toLowerCase(),
    };
  }
  return found;
}

function headerOf(file) {
  try {
    const length = Number(new DataView(file).getBigUint64(0, true));
    return [JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length))), 8 + length];
  } catch {
    const head = new TextDecoder().decode(file.slice(0, 40));
    throw new Refused(`this is not fmixd's answer, which begins with ${JSON.stringify(head)}`);
  }
}

const word = new DataView(new ArrayBuffer(4));

/** The value of a bf16's bits. */
function brain(bits) {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}

/** The value of an f16's bits. */
function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, digits = bits & 1023;
  if (exponent === 31)
    return digits ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + digits) : 2 ** -24 * digits);
}
