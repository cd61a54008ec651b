// The batches of an epoch by the JavaScript client: epochs.mjs URL SET OPTIONS; a batch a line.
// With abort in the options, what waits is aborted after so many milliseconds.

import { epochs } from "../../../deploy/clients/javascript/fmixd.mjs";

const [, , url, set, options] = process.argv;
const { abort, most = Infinity, ...law } = JSON.parse(options);
const stop = new AbortController();
if (abort !== undefined)
  setTimeout(() => stop.abort(new Error("enough")), abort);

const shown = (tensor) => ArrayBuffer.isView(tensor?.data)
  ? { hex: Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString("hex"),
      shape: tensor.shape, type: tensor.data.constructor.name }
  : Object.fromEntries(Object.entries(tensor ?? {}).map(([name, part]) => [name, shown(part)]));

try {
  let count = 0;
  for await (const { step, ...parts } of epochs(url, set, { signal: stop.signal, ...law })) {
    console.log(JSON.stringify({ step, ...shown(parts) }));
    if (++count === most)
      break;
  }
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
