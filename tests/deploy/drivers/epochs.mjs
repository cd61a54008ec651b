// The batches of epochs by the JavaScript client: epochs.mjs URL < cases, a case a line; a batch a line, and null
// behind an epoch. With abort in the options, what waits is aborted after so many milliseconds.

import { readFileSync } from "node:fs";
import { epochs } from "../../../deploy/clients/javascript/fmixd.mjs";

const shown = (tensor) => ArrayBuffer.isView(tensor?.data)
  ? { hex: Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString("hex"),
      shape: tensor.shape, type: tensor.data.constructor.name }
  : Object.fromEntries(Object.entries(tensor ?? {}).map(([name, part]) => [name, shown(part)]));

async function show({ set, options: { abort, most = Infinity, ...law } }) {
  const stop = new AbortController();
  if (abort !== undefined)
    setTimeout(() => stop.abort(new Error("enough")), abort);
  let count = 0;
  for await (const { step, ...parts } of epochs(process.argv[2], set, { signal: stop.signal, ...law })) {
    console.log(JSON.stringify({ step, ...shown(parts) }));
    if (++count === most)
      break;
  }
  console.log("null");
}

try {
  for (const line of readFileSync(0, "utf8").trim().split("\n"))
    await show(JSON.parse(line));
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
