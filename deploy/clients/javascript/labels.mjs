/** Labels, mixed as their rows are: in float64, rounded once to float32. */

import { plain } from "./rows.mjs";

const FLOATS = [Float32Array, Float64Array, globalThis.Float16Array];

/** How labels are mixed: classes, smoothing and correct are those of a mixer. */
export class Labels {
  constructor(classes, smoothing, correct) {
    Object.assign(this, { classes, smoothing, correct });
  }

  /** Those of a batch, or of each head of an object. @param {import("./plans.mjs").Plan} plan */
  mixed(plan, y) {
    if (isHead(y))
      return this.#head(plan, y, this.classes, "y");
    if (typeof y !== "object" || Object.keys(y).length === 0)
      throw new TypeError(`y is ${String(y)}; give an array of class numbers, {data, shape}, or an object of heads`);
    const classesOf = (name) => typeof this.classes === "object" ? this.classes[name] : this.classes;
    return Object.fromEntries(Object.entries(y).map(([name, head]) =>
      [name, this.#head(plan, head, classesOf(name), name)]));
  }

  #head(plan, y, classes, name) {
    if (typeof classes === "object")
      throw new TypeError("classes has a number for each head, so y must be an object with the same names");
    const head = readHead(y, plan.methods.length, name);
    const [width, at] = this.#reader(head, classes, name);
    const rows = plan.methods.length, data = new Float32Array(rows * width);
    for (let i = 0; i < rows; i++) {
      const weight = this.correct || !plan.chooses(i) ? plan.effective[i] : plan.lambda[i];
      const method = plan.methods[i], partner = plan.partners[i];
      for (let k = 0; k < width; k++)
        data[i * width + k] = method === "none" ? at(i, k) : weight * at(i, k) + (1 - weight) * at(partner, k);
    }
    return { data, shape: width === 1 && head.shape.length === 1 && !classes ? [rows] : [rows, width] };
  }

  /** How wide rows are, and what gives an element of one, smoothed. */
  #reader({ data, shape, kind }, classes, name) {
    const single = shape.length === 1 || (shape[1] === 1 && kind === "whole");
    const whole = (value) => Number.isInteger(value) && value >= 0;
    if (classes === undefined && single && kind !== "float")
      throw new TypeError(`${name} holds class numbers, or values in no type of floats: tell the mixer how many ` +
                          "`classes` there are, or give a Float32Array of values");
    if (classes !== undefined && shape[1] === 1 && kind !== "whole" && classes > 1)
      throw new TypeError(`${name} has the shape ${shape.join("x")} and floats: class numbers, or one value a row? ` +
                          "Make them integers for the first, and leave out `classes` for the second");
    if (classes !== undefined && single) {
      const wrong = data.findIndex((value) => !whole(Number(value)) || value >= classes);
      if (wrong >= 0)
        throw new RangeError(`${name} holds ${data[wrong]}; class numbers go from 0 to ${classes - 1}`);
      return [classes, this.#smoothed((i, k) => Number(Number(data[i]) === k), classes)];
    }
    if (single)
      return [1, this.#unsmoothed(data, name)];
    if (classes !== undefined && shape[1] !== classes)
      throw new TypeError(`${name} has the shape ${shape.join("x")}, but there are ${classes} classes`);
    if (kind !== "float" && data.some((value) => value < 0 || value > 1))
      throw new TypeError(`${name} holds integers in ${shape[1]} columns that are not all 0 and 1: rows of labels, ` +
                          "or a column for each of several heads? Give other weights as floats, heads as an object");
    return [shape[1], this.#smoothed((i, k) => Number(data[i * shape[1] + k]), shape[1])];
  }

  #unsmoothed(data, name) {
    if (this.smoothing && name === "y")
      throw new TypeError("y holds one value a row, and smoothing is for classes: leave it out, or tell the mixer " +
                          "how many `classes` there are");
    return (i) => data[i];
  }

  #smoothed(at, width) {
    const { smoothing } = this;
    return smoothing ? (i, k) => (1 - smoothing) * at(i, k) + smoothing / width : at;
  }
}

function isHead(y) {
  return ArrayBuffer.isView(y) || Array.isArray(y) || ArrayBuffer.isView(y?.data);
}

/** Data, shape, and whether elements are floats, whole, or numbers in a plain array, which says neither. Of rows in
 * plain arrays one number with a fraction says that all are floats. */
function readHead(y, rows, name) {
  if (!isHead(y))
    throw new TypeError(`${name} is ${String(y)}; give an array, a typed array, or {data, shape}`);
  const nested = Array.isArray(y) && Array.isArray(y[0]);
  const told = nested ? y.flat() : Array.isArray(y) ? y : [];
  const strange = told.findIndex((value) => !["number", "bigint", "boolean"].includes(typeof value));
  if (strange >= 0) // null and "" would count as 0
    throw new TypeError(`${name} holds ${JSON.stringify(told[strange])} in place ${strange}; labels are numbers`);
  const data = nested ? Float64Array.from(told, Number) : Array.isArray(y) ? y : plain(y.data ?? y);
  const shape = nested ? [y.length, y[0].length] : y.shape ?? [data.length];
  const ragged = nested && y.some((row) => row.length !== shape[1]);
  if (ragged || ![1, 2].includes(shape.length) || shape[0] !== rows || data.length !== rows * (shape[1] ?? 1))
    throw new TypeError(`${name} has the shape ${shape.join("x")} and ${data.length} elements; it must have ${rows} ` +
                        "rows, of class numbers or of floats");
  const open = nested ? data.every(Number.isInteger) : Array.isArray(data);
  const kind = open ? "plain" : FLOATS.includes(data.constructor) ? "float" : "whole";
  return { data, shape, kind };
}
