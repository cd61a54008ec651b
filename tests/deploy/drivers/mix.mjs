// What the JavaScript client makes of batches: mix.mjs URL < cases, a case a line; its outcome, a line each.

import { createInterface } from "node:readline";
import { mixer } from "../../../deploy/clients/javascript/fmixd.mjs";

const TYPES = { f32: Float32Array, f64: Float64Array, u8: Uint8Array, i8: Int8Array, i32: Int32Array,
                i64: BigInt64Array, f16: Uint16Array, bf16: Uint16Array };

const batch = ({ dtype, hex, shape, buffer }) => {
  if (buffer) // of Node's pool
    return { data: Buffer.from(hex, "hex"), shape };
  const bytes = new Uint8Array(Buffer.from(hex, "hex")); // a copy, which begins where any type may
  return { data: new TYPES[dtype](bytes.buffer), shape };
};
const hex = ({ data, shape }) =>
  ({ hex: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"), shape,
     type: data.constructor.name });
const heads = (y, make) => y && ("plain" in y ? y.plain : y.hex !== undefined || y.data ? make(y) : Object.fromEntries(
  Object.entries(y).map(([name, head]) => [name, make(head)])));

async function outcome({ options, seed, x, y, steps, together }) {
  const warnings = [];
  const warn = (message) => warnings.push(message);
  try {
    const mix = mixer(process.argv[2], { warn, ...options, ...seed && { seed: BigInt(seed) } });
    const given = x.plain ?? batch(x), before = JSON.stringify(x.plain ?? hex(given));
    const made = [], calls = [];
    for (const { step, epoch } of steps) {
      const call = mix(given, heads(y, batch), typeof step === "string" ? BigInt(step) : step, { epoch });
      calls.push(together ? call : await call);
    }
    for (const mixed of await Promise.all(calls))
      made.push({ x: hex(mixed.x), y: heads(mixed.y, hex) });
    mix.close();
    return { made, warnings, kept: JSON.stringify(hex(given)) === before };
  } catch (error) {
    return { error: error.message, name: error.name };
  }
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await outcome(JSON.parse(line))));
