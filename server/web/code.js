// Code that fetches an answer, in the languages of the boxes below the figures.

const quoted = (target) => `"${location.origin}${target}"`;

/** URLs of an answer, and code that fetches the answer by GET. `path` has no suffix; without
 * parameters of an image, the view draws the raw array. */
function fetching(image, path, pairs, rawPairs, shape) {
  const png = `${path}.png?${query({ ...pairs, ...image })}`;
  const npy = `${path}.npy?${query(pairs)}`;
  const raw = `${path}.raw?${query({ ...pairs, ...rawPairs })}`;
  return {
    target: image ? png : raw,
    curl: image ? `curl -o image.png '${location.origin}${png}'`
      : `curl -o array.npy '${location.origin}${npy}'`,
    python: `import io, urllib.request, numpy as np
reply = urllib.request.urlopen(${quoted(npy)})
array = np.load(io.BytesIO(reply.read()))`,
    javascript: `const reply = await fetch(${quoted(raw)});
const shape = reply.headers.get("X-Fmix-Shape").split("x").map(Number);
const array = new Uint8Array(await reply.arrayBuffer());`,
    r: `connection <- url(${quoted(raw)}, "rb")
bytes <- readBin(connection, "integer", ${shape.join(" * ")}, size = 1, signed = FALSE)
array <- aperm(array(bytes, c(${[...shape].reverse().join(", ")}))); close(connection)`,
  };
}

/** The URL of an answer, and code that fetches the answer by uploading a file. Python reads it as
 * `numpy` has it: npy, which is one array, or npz. */
function uploading(file, format, numpy, pairs) {
  const target = `/v1/mix.${format}?${query(pairs)}`;
  const answer = `mixed.${format}`;
  return {
    target,
    curl: `curl -o ${answer} --data-binary @${file} '${location.origin}${target}'`,
    python: `import io, urllib.request, numpy as np
reply = urllib.request.urlopen(${quoted(`/v1/mix.${numpy}?${query(pairs)}`)}, open("${file}", "rb").read())
${numpy === "npz" ? "arrays" : "mixed"} = np.load(io.BytesIO(reply.read()))`,
    javascript: `import { readFile, writeFile } from "node:fs/promises";
const reply = await fetch(${quoted(target)}, { method: "POST", body: await readFile("${file}") });
await writeFile("${answer}", Buffer.from(await reply.arrayBuffer()));`,
    r: `handle <- curl::new_handle(postfields = readBin("${file}", "raw", file.size("${file}")))
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
    curl: `curl -o mixed.png ${names.map((name) => `-F x=@${name}`).join(" ")} '${location.origin}${target}'`,
    python: `import io, urllib.request as web, numpy as np
body = b"".join(b'--pictures\\r\\nContent-Disposition: form-data; name="x"\\r\\n\\r\\n' + open(name, "rb").read() + b"\\r\\n" for name in (${list})) + b"--pictures--"
mixed = np.load(io.BytesIO(web.urlopen(web.Request(${quoted(`/v1/mix.npy?${query(pairs)}`)}, body, {"Content-Type": "multipart/form-data; boundary=pictures"})).read()))`,
    javascript: `import { readFile, writeFile } from "node:fs/promises"; const body = new FormData();
for (const name of [${list}]) body.append("x", new Blob([await readFile(name)]));
await writeFile("mixed.png", Buffer.from(await (await fetch(${quoted(target)}, { method: "POST", body })).arrayBuffer()));`,
    r: `handle <- curl::handle_setform(curl::new_handle(), ${names.map((name) => `x = curl::form_file("${name}")`).join(", ")})
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

/** A box of code below a figure; all boxes show the same language. */
function codeBox(section) {
  const box = { root: section.querySelector(".code"), lines: {} };
  box.root.append(document.querySelector("#code").content.cloneNode(true));
  box.root.addEventListener("click", async ({ target }) => {
    if (target.dataset.language) {
      language = target.dataset.language;
      showCode();
    } else if (target.classList.contains("copy")) {
      await navigator.clipboard.writeText(box.lines[language]);
      target.textContent = "Copied";
      setTimeout(() => { target.textContent = "Copy"; }, 1500);
    }
  });
  codes.push(box);
  return (lines) => {
    box.lines = lines;
    showCode();
  };
}
