// Code that fetches an answer, in the languages of the boxes below the figures.

const quoted = (target) => `"${location.origin}${target}"`;

// A server that asks for a token gets one from the code, too; which one, its reader knows.
const BEARER = "Authorization: Bearer TOKEN";
const HEADERS = '"Authorization": "Bearer TOKEN"';
const requestInPython = (target, data) => (token
  ? `urllib.request.Request(${quoted(target)}, ${data ?? "None"}, {${HEADERS}})`
  : quoted(target) + (data ? `, ${data}` : ""));
const curlTo = (file) => `curl ${token ? `-H '${BEARER}' ` : ""}-o ${file}`;

/** URLs of an answer, and code that fetches the answer by GET. `path` has no suffix; without
 * parameters of an image, the view draws the raw array, which has u8 or f32. */
function fetching(image, path, pairs, rawPairs, shape) {
  const bytes = Object.values(rawPairs).includes("u8");
  const [array, kind, size] = bytes ? ["Uint8Array", "integer", "size = 1, signed = FALSE"]
    : ["Float32Array", "numeric", 'size = 4, endian = "little"'];
  const png = `${path}.png?${query({ ...pairs, ...image })}`;
  const npy = `${path}.npy?${query(pairs)}`;
  const raw = `${path}.raw?${query({ ...pairs, ...rawPairs })}`;
  return {
    target: image ? png : raw,
    curl: image ? `${curlTo("image.png")} '${location.origin}${png}'`
      : `${curlTo("array.npy")} '${location.origin}${npy}'`,
    python: `import io, urllib.request, numpy as np
reply = urllib.request.urlopen(${requestInPython(npy)})
array = np.load(io.BytesIO(reply.read()))`,
    javascript: `const reply = await fetch(${quoted(raw)}${token ? `, { headers: { ${HEADERS} } }` : ""});
const shape = reply.headers.get("X-Fmix-Shape").split("x").map(Number);
const array = new ${array}(await reply.arrayBuffer());`,
    r: `connection <- url(${quoted(raw)}, "rb"${token ? ', headers = c(Authorization = "Bearer TOKEN")' : ""})
values <- readBin(connection, "${kind}", ${shape.join(" * ")}, ${size})
array <- aperm(array(values, c(${[...shape].reverse().join(", ")}))); close(connection)`,
  };
}

const headersInR = () => (token ? '\ncurl::handle_setheaders(handle, Authorization = "Bearer TOKEN")' : "");

/** The URL of an answer, and code that fetches the answer by uploading a file. Python reads it as
 * `numpy` has it: npy, which is one array, or npz. */
function uploading(file, format, numpy, pairs) {
  const target = `/v1/mix.${format}?${query(pairs)}`;
  const answer = `mixed.${format}`;
  return {
    target,
    curl: `${curlTo(answer)} --data-binary @${file} '${location.origin}${target}'`,
    python: `import io, urllib.request, numpy as np
reply = urllib.request.urlopen(${requestInPython(`/v1/mix.${numpy}?${query(pairs)}`, `open("${file}", "rb").read()`)})
${numpy === "npz" ? "arrays" : "mixed"} = np.load(io.BytesIO(reply.read()))`,
    javascript: `import { readFile, writeFile } from "node:fs/promises";
const reply = await fetch(${quoted(target)}, { method: "POST",${token ? ` headers: { ${HEADERS} },` : ""} body: await readFile("${file}") });
await writeFile("${answer}", Buffer.from(await reply.arrayBuffer()));`,
    r: `handle <- curl::new_handle(postfields = readBin("${file}", "raw", file.size("${file}")))${headersInR()}
reply <- curl::curl_fetch_memory(${quoted(target)}, handle)
writeBin(reply$content, "${answer}")`,
  };
}

/** The same for pictures, as a form. */
function uploadingPictures(names, pairs) {
  const target = `/v1/mix.png?${query(pairs)}`;
  const list = names.map((name) => `"${name}"`).join(", ");
  return {
    target,
    curl: `${curlTo("mixed.png")} ${names.map((name) => `-F x=@${name}`).join(" ")} '${location.origin}${target}'`,
    python: `import io, urllib.request as web, numpy as np
body = b"".join(b'--pictures\\r\\nContent-Disposition: form-data; name="x"\\r\\n\\r\\n' + open(name, "rb").read() + b"\\r\\n" for name in (${list})) + b"--pictures--"
mixed = np.load(io.BytesIO(web.urlopen(web.Request(${quoted(`/v1/mix.npy?${query(pairs)}`)}, body, {"Content-Type": "multipart/form-data; boundary=pictures"${token ? `, ${HEADERS}` : ""}})).read()))`,
    javascript: `import { readFile, writeFile } from "node:fs/promises"; const body = new FormData();
for (const name of [${list}]) body.append("x", new Blob([await readFile(name)]));
await writeFile("mixed.png", Buffer.from(await (await fetch(${quoted(target)}, { method: "POST",${token ? ` headers: { ${HEADERS} },` : ""} body })).arrayBuffer()));`,
    r: `handle <- curl::handle_setform(curl::new_handle(), ${names.map((name) => `x = curl::form_file("${name}")`).join(", ")})${headersInR()}
reply <- curl::curl_fetch_memory(${quoted(target)}, handle)
writeBin(reply$content, "mixed.png")`,
  };
}

const codes = [];
let language = "curl";

function showCode() {
  for (const { root, lines } of codes) {
    root.querySelector("code").textContent = lines[language] ?? "";
    for (const button of root.querySelectorAll("[data-language]"))
      button.setAttribute("aria-pressed", button.dataset.language === language);
  }
}

/** Browsers give pages that came by plain http no clipboard but of what is selected. */
async function copy(code) {
  if (navigator.clipboard)
    await navigator.clipboard.writeText(code.textContent);
  else
    getSelection().selectAllChildren(code);
  return Boolean(navigator.clipboard) || document.execCommand("copy");
}

/** A box of code below a figure; all boxes show the same language. */
function codeBox(section) {
  const box = { root: section.querySelector(".code"), lines: {} };
  box.root.append(document.querySelector("#code").content.cloneNode(true));
  box.root.addEventListener("click", async ({ target }) => {
    if (target.dataset.language) {
      language = target.dataset.language;
      showCode();
    } else if (target.classList.contains("copy")) {
      target.textContent = await copy(box.root.querySelector("code")) ? "Copied" : "Selected";
      setTimeout(() => { target.textContent = "Copy"; }, 1500);
    }
  });
  codes.push(box);
  return (lines) => {
    box.lines = lines;
    showCode();
  };
}
