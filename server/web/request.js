// Requests that forms describe, and their answers.

let token = "";

const query = (pairs) => Object.entries(pairs)
  .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");

/** The detail of a problem, or else the status line. */
async function explain(reply) {
  const isProblem = (reply.headers.get("Content-Type") ?? "").includes("problem+json");
  return isProblem ? (await reply.json()).detail : `${reply.status} ${reply.statusText}`;
}

async function ask(target, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const reply = await fetch(target, { ...options, headers });
  document.querySelector("#token").hidden = reply.status !== 401;
  if (!reply.ok)
    throw new Error(await explain(reply));
  return reply;
}

function showWrong(caption, why) {
  caption.classList.add("wrong");
  caption.textContent = why;
}

/** Runs `work`, and cancels the run of an earlier call that has not ended. */
function newest(caption, work) {
  let control = new AbortController();
  return async () => {
    control.abort();
    const { signal } = control = new AbortController();
    try {
      const text = await work(signal);
      signal.throwIfAborted();
      caption.classList.remove("wrong");
      caption.textContent = text;
    } catch (error) {
      if (!signal.aborted)
        showWrong(caption, error.message);
    }
  };
}

async function show(image, reply) {
  const url = URL.createObjectURL(await reply.blob());
  const old = image.src;
  image.src = url;
  try {
    await image.decode();
  } finally { // also where the next image is given meanwhile
    if (old.startsWith("blob:"))
      URL.revokeObjectURL(old);
  }
}

/** Puts a file behind a link. */
function offer(link, bytes) {
  if (link.href)
    URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([bytes]));
}

// ---- forms ----

/** The values of a form that are not at their defaults. */
function valuesOf(form, names) {
  const pairs = {};
  for (const name of names) {
    const field = form.elements[name];
    const value = field.type === "checkbox" ? (field.checked ? field.value : "") : field.value;
    if (value !== "" && value !== field.dataset.default)
      pairs[name] = value;
  }
  return pairs;
}

function showValues(form) {
  for (const label of form.querySelectorAll(".slider"))
    label.querySelector("output").textContent = label.querySelector("input").value;
}

/** Calls `redraw` now and whenever the form changes. */
function watch(form, redraw) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    showValues(form);
    redraw();
  });
  showValues(form);
  redraw();
}
