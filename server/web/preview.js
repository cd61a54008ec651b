// The preview page. Each view has a form, sends the request that the form describes, draws the
// answer, and shows code that fetches the same bytes. /preview.js is this file behind request.js,
// code.js and picture.js, as one module.

/** The parts that every view has. */
function view(id) {
  const section = document.getElementById(id);
  return {
    section,
    form: section.querySelector("form"),
    caption: section.querySelector("figcaption"),
    setCode: codeBox(section),
  };
}

// ---- masks ----

function masks() {
  const { section, form, caption, setCode } = view("masks");
  const image = section.querySelector("figure img");
  const count = 12;
  watch(form, newest(caption, async (signal) => {
    const { height, width, fixed, lambda } = form.elements;
    lambda.disabled = !fixed.checked;
    const shape = [Number(height.value), Number(width.value)];
    const names = ["method", "seed", "delta", "soft", fixed.checked ? "lambda" : "alpha"];
    const pairs = { shape: shape.join("x"), n: count, ...valuesOf(form, names) };
    const soft = pairs.soft ? {} : { dtype: "u8" };
    const lines = fetching({ columns: 4 }, "/v1/masks", pairs, soft, [count, ...shape]);
    setCode(lines);
    const start = performance.now();
    const reply = await ask(lines.target, { signal });
    await show(image, reply);
    return `${count} masks of ${shape.join("×")} in ${(performance.now() - start).toFixed(0)} ms`;
  }));
}

// ---- two images ----

function mix() {
  const { section, form, caption, setCode } = view("mix");
  const canvases = [...section.querySelectorAll(".drop canvas")];
  const images = [...section.querySelectorAll("figure img")];
  const saves = [...section.querySelectorAll(".save")];
  const files = [];
  drawDunes(penOf(canvases[0]), 0); // images to mix before the user chooses any
  drawLeaves(penOf(canvases[1]), 0);
  const redraw = newest(caption, async (signal) => {
    const body = new FormData();
    for (const [place, link] of saves.entries()) {
      const drawn = files[place] ?? await blobOf(canvases[place]);
      files[place] ??= drawn; // a file may have been chosen meanwhile
      offer(link, files[place]);
      link.download = ["first", "second"][place] + (files[place].type === "image/jpeg" ? ".jpg" : ".png");
      link.textContent = link.download;
      body.append("x", files[place], link.download);
    }
    const pairs = { size: SIDE, view: "center", short: SIDE, pairing: "flip",
                    ...valuesOf(form, ["lambda", "delta", "seed"]) };
    const names = saves.map((link) => link.download);
    const linesOf = (method) => uploadingPictures(names, { ...pairs, method, columns: 1 });
    setCode(linesOf("fmix"));
    await Promise.all(images.map(async (image) => {
      const { target } = linesOf(image.dataset.method);
      await show(image, await ask(target, { method: "POST", body, signal }));
    }));
    return "Above, the first image keeps the share λ of itself; below, the second image does.";
  });
  takeImages([...section.querySelectorAll(".drop")], files, redraw, (why) => showWrong(caption, why));
  watch(form, redraw);
}

// ---- a recipe, row by row ----

const TILE = 112;
const METHODS = ["fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none"];
const KINDS = [drawDunes, drawLeaves]; // the class of an image is its place here
const ARRAYS = { U8: Uint8Array, F32: Float32Array, F64: Float64Array, I64: BigInt64Array };

/** Draws eight numbered images, in two lines; returns their pixels [8, TILE, TILE, 3] and classes. */
function drawRows(canvas) {
  const pen = penOf(canvas);
  const pixels = new Uint8Array(8 * TILE * TILE * 3);
  const classes = Uint8Array.from({ length: 8 }, (_, row) => row % KINDS.length);
  classes.forEach((kind, row) => {
    const [left, top] = [TILE * (row % 4), TILE * Math.floor(row / 4)];
    pen.save();
    pen.translate(left, top);
    pen.scale(TILE / SIDE, TILE / SIDE);
    pen.beginPath();
    pen.rect(0, 0, SIDE, SIDE);
    pen.clip();
    KINDS[kind](pen, 45 * row);
    pen.fillStyle = "#fff";
    pen.font = "bold 64px sans-serif";
    pen.fillText(row, 12, 62);
    pen.restore();
    const { data } = pen.getImageData(left, top, TILE, TILE);
    pixels.set(data.filter((_, i) => i % 4 !== 3), row * TILE * TILE * 3);
  });
  return { pixels, classes };
}

/** Images and their classes as a safetensors file. */
function safetensorsOf({ pixels, classes }) {
  const [start, end] = [pixels.length, pixels.length + classes.length];
  const text = JSON.stringify({
    x: { dtype: "U8", shape: [classes.length, TILE, TILE, 3], data_offsets: [0, start] },
    y: { dtype: "U8", shape: [classes.length], data_offsets: [start, end] },
  });
  const head = new TextEncoder().encode(text.padEnd(8 * Math.ceil(text.length / 8)));
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  bytes.set(pixels, 8 + head.length);
  bytes.set(classes, 8 + head.length + start);
  return bytes;
}

/** The arrays of a safetensors file, by name. */
function arraysOf(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(buffer.slice(8, start)));
  const arrays = {};
  for (const [name, { dtype, data_offsets: [from, to] }] of Object.entries(entries))
    arrays[name] = new ARRAYS[dtype](buffer.slice(start + from, start + to));
  return arrays;
}

/** The methods that are chosen, and α: one number, or one for each method where they differ. */
function methodsOf(form) {
  const chosen = [], alphas = [];
  form.elements.method.forEach((box, i) => {
    const alpha = form.elements.alpha[i];
    alpha.disabled = !box.checked;
    if (box.checked) {
      chosen.push(box.value);
      alphas.push(alpha.value || "1");
    }
  });
  if (!chosen.length)
    throw new Error("Choose at least one method.");
  const alpha = alphas.every((one) => one === alphas[0]) ? alphas[0] : alphas.join(",");
  return { method: chosen.join(","), ...(alpha === "1" ? {} : { alpha }) };
}

/** One row of an answer: its pixels, and how it was made. */
function showRow(item, row, { mixed, method, lambda, pairing }) {
  const [canvas, text] = item.children;
  const pixels = new ImageData(TILE, TILE);
  for (let i = 0, at = row * TILE * TILE * 3; i < pixels.data.length; i += 4, at += 3)
    pixels.data.set([mixed[at], mixed[at + 1], mixed[at + 2], 255], i);
  penOf(canvas).putImageData(pixels, 0, 0);
  const name = METHODS[method[row]];
  const share = name === "samplepairing" ? "" : ` λ ${lambda[row].toFixed(2)},`; // it is one half
  text.innerHTML = name === "none" ? `<b>${row} unmixed</b>`
    : `<b>${row} ${name}</b>${share} with&nbsp;row&nbsp;${pairing[row]}`;
  canvas.setAttribute("aria-label", `Row ${text.textContent}`);
}

function rows() {
  const { section, form, caption, setCode } = view("rows");
  const { scope, pairing } = form.elements;
  const body = safetensorsOf(drawRows(section.querySelector("form canvas")));
  const list = section.querySelector(".rows");
  list.append(...Array.from({ length: 8 }, () => document.querySelector("#row").content.cloneNode(true)));
  offer(section.querySelector(".save"), body);
  watch(form, newest(caption, async (signal) => {
    pairing.disabled = scope.value === "pair"; // which is for flip alone
    if (pairing.disabled)
      pairing.value = "flip";
    const pairs = { layout: "channels_last", classes: KINDS.length, parts: "mixed,labels,pairing,lambda,method",
      ...methodsOf(form), ...valuesOf(form, ["prob", "switch", "scope", "pairing", "step", "seed"]) };
    const lines = uploading("rows.safetensors", "safetensors", "npz", pairs);
    setCode(lines);
    const reply = await ask(lines.target, { method: "POST", body, signal });
    const arrays = arraysOf(await reply.arrayBuffer());
    [...list.children].forEach((item, row) => showRow(item, row, arrays));
    const mixed = arrays.method.filter((one) => METHODS[one] !== "none").length;
    return `${mixed} of 8 rows are mixed. λ is the share of the row itself.`;
  }));
}

// ---- data sets ----

const GAP = 4; // pixels around each image of a sheet
const ACROSS = 4;

/** "cat 0.62, dog 0.38": the heaviest classes of a row, or the values to predict. */
function labelOf({ kind, class_names: names }, weights) {
  if (kind === "values")
    return [weights].flat().map((value) => Number(value.toPrecision(4))).join(", ");
  const heavy = weights.map((weight, at) => ({ weight, name: names?.[at] ?? `class ${at}` }))
    .filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight).slice(0, 3);
  return heavy.map(({ weight, name }) => (weight === 1 ? name : `${name} ${weight.toFixed(2)}`)).join(", ");
}

/** The labels of each row, by the parts of an answer in JSON. */
function labelsOf({ heads }, answer) {
  return answer.rows.map((_, row) => heads.map((head) => {
    const suffix = head.name.slice(1); // behind y
    return (suffix && `${suffix.slice(1)}: `) + labelOf(head, answer[`labels${suffix}`][row]);
  }).join("; "));
}

/** Draws each image of a sheet, with the number of its row and its labels. */
function showTiles(list, sheet, size, rows, labels) {
  const template = document.querySelector("#row").content;
  list.replaceChildren(...rows.map((row, at) => {
    const item = template.cloneNode(true);
    const [canvas, text] = item.querySelectorAll("canvas, p");
    const number = document.createElement("b");
    [canvas.width, canvas.height] = [size, size];
    penOf(canvas).drawImage(sheet, GAP + (size + GAP) * (at % ACROSS),
                            GAP + (size + GAP) * Math.floor(at / ACROSS), size, size, 0, 0, size, size);
    number.textContent = `row ${row}`;
    text.append(number, labels[at]); // names of classes are text, whatever they hold
    canvas.setAttribute("aria-label", `Row ${row}: ${labels[at]}`);
    return item;
  }));
}

/** Buttons that move a slider. */
function takeSteps(section, slider) {
  section.addEventListener("click", ({ target }) => {
    if (!target.dataset.by)
      return;
    slider.value = Number(slider.value) + Number(target.dataset.by);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Parameters of the views of an image set. */
function viewsOf(form) {
  const { view, area } = form.elements;
  area.disabled = view.value !== "random";
  const { area: least, ...pairs } = valuesOf(form, ["size", "view", "filter", ...(area.disabled ? [] : ["area"])]);
  return { ...pairs, ...(least ? { area: `${least},1` } : {}) };
}

async function data() {
  const { section, form, caption, setCode } = view("data");
  const image = section.querySelector("figure img");
  const list = section.querySelector(".rows");
  const { set, step, method, pairing, size } = form.elements;
  let sets = [];
  const redraw = newest(caption, async (signal) => {
    if (!sets.length) {
      sets = (await (await ask("/v1/datasets", { signal })).json()).datasets;
      set.replaceChildren(...sets.map(({ name }) => new Option(name)));
    }
    const chosen = sets.find(({ name }) => name === set.value);
    const drawn = chosen && !chosen.lengths;
    const pictures = Boolean(chosen?.images);
    section.querySelector("figure .code").hidden = !drawn;
    section.querySelector("figure .image").hidden = !drawn || pictures;
    list.hidden = !pictures;
    form.querySelectorAll("[data-of]").forEach((part) => { part.hidden = (part.dataset.of === "pictures") !== pictures; });
    if (!chosen)
      return "This server has no data sets. Write one with fmixd import, and serve it with fmixd --data DIRECTORY.";
    if (!drawn)
      return `${set.value} holds ${chosen.count} sequences of ${chosen.dtype}. This page draws images alone.`;
    const hasClasses = chosen.heads.some(({ kind }) => kind === "numbers");
    for (const option of [...method.options, ...pairing.options])
      option.disabled = option.value === "neighbour" ? !chosen.neighbours
        : option.value === "bcplus" ? chosen.dtype === "u8" // of which there is no deviation
        : option.value.endsWith("_class") && !hasClasses;
    for (const select of [method, pairing])
      if (select.selectedOptions[0].disabled)
        select.value = select.dataset.default;
    const n = Math.min(pictures ? 3 * ACROSS : 8 * ACROSS, chosen.count);
    step.max = Math.ceil(chosen.count / n) - 1;
    const [back, forward] = section.querySelectorAll("[data-by]");
    [back.disabled, forward.disabled] = [step.value === "0", step.value === step.max];
    const pairs = { n, ...valuesOf(form, ["method", "prob", "pairing", "epoch", "seed", "shuffle", "flip"]),
                    ...(pictures ? viewsOf(form) : valuesOf(form, ["crop"])) };
    const path = `/v1/datasets/${set.value}/batches/${step.value}`;
    const count = Math.min(n, chosen.count - step.value * n); // of a short final batch
    const shape = pictures ? [size.value, size.value, ...chosen.shape.slice(2)] : chosen.shape;
    const lines = fetching({ columns: pictures ? ACROSS : 8 }, path, pairs, { out_dtype: chosen.dtype === "u8" ? "u8" : "f32" }, [count, ...shape]);
    setCode(lines);
    showValues(form);
    if (pictures)
      await showPictures(chosen, lines.target, `${path}.json?${query({ ...pairs, parts: chosen.heads.length ? "rows,labels" : "rows" })}`, signal);
    else
      await show(image, await ask(lines.target, { signal }));
    const kind = pictures ? "pictures" : `samples of ${shape.join("×")}`;
    return `Batch ${step.value} of ${Number(step.max) + 1}: ${count} of ${chosen.count} ${kind}`;
  });
  const showPictures = async (chosen, target, labels, signal) => {
    const side = Number(size.value);
    const [sheet, answer] = await Promise.all([
      ask(target, { signal }).then((reply) => reply.blob()).then(createImageBitmap),
      ask(labels, { signal }).then((reply) => reply.json())]);
    signal.throwIfAborted();
    showTiles(list, sheet, side, answer.rows, labelsOf(chosen, answer));
    sheet.close();
  };
  takeSteps(section, step);
  watch(form, redraw);
}

// ---- a volume ----

const VOLUME = 48;

function volume() {
  const { section, form, caption, setCode } = view("volume");
  const canvas = section.querySelector("canvas");
  const shape = [VOLUME, VOLUME, VOLUME];
  let mask = null, fetched = "";
  const drawSlice = () => {
    const slice = Number(form.elements.slice.value);
    const pen = penOf(canvas);
    const pixels = pen.createImageData(VOLUME, VOLUME);
    for (let i = 0; i < VOLUME * VOLUME; i++)
      pixels.data.set([...Array(3).fill(255 * mask[slice * VOLUME * VOLUME + i]), 255], 4 * i);
    pen.putImageData(pixels, 0, 0);
    return `Slice ${slice} of ${VOLUME}, along the first dimension of ${shape.join("×")}`;
  };
  watch(form, newest(caption, async (signal) => {
    const pairs = { shape: shape.join("x"), ...valuesOf(form, ["delta", "lambda", "seed"]) };
    const lines = fetching(null, "/v1/masks", pairs, { dtype: "u8" }, shape);
    setCode(lines);
    if (lines.target !== fetched) {
      mask = new Uint8Array(await (await ask(lines.target, { signal })).arrayBuffer());
      fetched = lines.target;
    }
    return drawSlice();
  }));
}

const views = [masks, mix, rows, data, volume];
views.forEach((start) => start());

document.querySelector("#token").addEventListener("submit", (event) => {
  event.preventDefault();
  token = event.target.elements.token.value;
  for (const form of document.querySelectorAll("section > form"))
    form.dispatchEvent(new Event("input"));
});
