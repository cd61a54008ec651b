/** HTTP requests to a daemon, which are sent again where that helps. */

const AGAIN = [429, 502, 503, 504];
const MOMENT = 0.1; // seconds between two tries, at least
const PAUSE = 5; // seconds between two tries, at most, where the daemon does not say how long
const SPREAD = 0.3; // of a wait, added at random, so that clients do not come again together
const SILENCE = 2; // seconds of waiting after which a warning says so
const LONGEST = 2 ** 31 - 1; // milliseconds of a timer; one of more would end at once

/** fmixd will not answer this request, however often it is sent; the message says why. */
export class Refused extends Error {
  /** @param {string} message @param {number} [status] of HTTP, if there was an answer */
  constructor(message, status) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

/**
 * @typedef {object} ConnectionOptions
 * @property {string} [token] of the daemon, if it asks for one
 * @property {number} [patience] seconds over which a request is tried again (300)
 * @property {number} [tries] how often a request is sent at most (no limit)
 * @property {number} [timeout] seconds without a byte after which a try has failed (60)
 * @property {AbortSignal} [signal] ends every request, and the waiting between two tries
 * @property {(message: string) => void} [warn] is told of a daemon that does not answer (console.warn)
 */

/** A daemon. */
export class Connection {
  #base;
  #options;

  /** @param {string} url such as http://localhost:8080 @param {ConnectionOptions} [options] */
  constructor(url, { token, patience = 300, tries = Infinity, timeout = 60, signal, warn = console.warn } = {}) {
    this.#base = checked(url);
    check("patience", patience, patience >= 0, "a number of seconds from 0 on");
    check("tries", tries, tries >= 1, "a number from 1 on");
    check("timeout", timeout, timeout > 0, "a number of seconds above 0");
    this.#options = { patience, tries, timeout, signal, warn };
    this.headers = token === undefined || token === null ? {} : { Authorization: `Bearer ${checkedToken(token)}` };
  }

  /** The body of an answer. @param {string} path @param {object} [query] @returns {Promise<ArrayBuffer>} */
  get(path, query) {
    return this.#ask(path, query, {});
  }

  /** The same of what is uploaded: asking twice changes nothing.
   * @param {string} path @param {BufferSource} body @param {object} [query] @returns {Promise<ArrayBuffer>} */
  post(path, body, query) {
    return this.#ask(path, query, { method: "POST", body });
  }

  async #ask(path, query = {}, request) {
    const texts = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const pairs = new URLSearchParams(texts.map(([name, value]) => [name, text(value, name)]));
    const target = this.#base + path + (texts.length ? `?${pairs}` : "");
    const { patience, tries, signal, warn } = this.#options;
    const begun = performance.now(); // which does not jump when the clock is set
    for (let tried = 1, pause = MOMENT, silent = false; ; tried++, pause = Math.min(2 * pause, PAUSE)) {
      const { status, body, retryAfter, why } = await this.#try(target, request);
      if (status === 200)
        return body;
      if (status && !AGAIN.includes(status))
        throw new Refused(`${target}: ${status} ${why}`, status);
      const wait = seconds(retryAfter, pause) * (1 + SPREAD * Math.random());
      const waited = (performance.now() - begun) / 1000 + wait;
      if (waited > patience || tried >= tries)
        throw new Error(`${target}: no answer, asked ${tried} times: ${why}`);
      if (waited > SILENCE && !silent) {
        silent = true;
        warn(`${target}: no answer yet (${why}); it is asked again until ${patience} s are over`);
      }
      await sleep(wait, signal);
    }
  }

  /** One try; without a status where the connection broke. */
  async #try(target, request) {
    const { signal, timeout } = this.#options;
    signal?.throwIfAborted();
    const one = linked(signal);
    let timer;
    const touch = () => {
      clearTimeout(timer);
      if (timeout < Infinity)
        timer = setTimeout(() => one.abort(new Error(`no byte for ${timeout} s`)), Math.min(1000 * timeout, LONGEST));
    };
    touch();
    try {
      const answer = await fetch(target, { ...request, headers: this.headers, signal: one.signal });
      const body = await bodyOf(answer, touch);
      const why = answer.status === 200 ? "" : reason(body);
      return { status: answer.status, body, retryAfter: answer.headers.get("Retry-After"), why };
    } catch (broken) {
      signal?.throwIfAborted();
      return { why: (broken.cause?.message || broken.message) + foreign(target) };
    } finally {
      clearTimeout(timer);
      one.abort(); // takes its listener off the caller's signal
    }
  }
}

/** What else it may be: a browser does not say why a page may not read an answer. */
function foreign(target) {
  const own = globalThis.location?.origin;
  return own && own !== "null" && new URL(target).origin !== own
    ? ` (or the daemon's setting cors does not name ${own}, the origin of this page)` : "";
}

/** A controller that is aborted with a signal, if there is one. @param {AbortSignal} [signal] */
export function linked(signal) {
  const made = new AbortController();
  if (signal?.aborted)
    made.abort(signal.reason);
  signal?.addEventListener("abort", () => made.abort(signal.reason), { signal: made.signal });
  return made;
}

async function bodyOf(answer, touch) {
  const chunks = [];
  for (const reader = answer.body?.getReader(); reader;) {
    const { done, value } = await reader.read();
    if (done)
      break;
    touch();
    chunks.push(value);
  }
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let place = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, place);
    place += chunk.length;
  }
  return bytes.buffer;
}

function checked(url) {
  let parts;
  try {
    parts = new URL(url, globalThis.location?.href);
  } catch {
    parts = { protocol: "" };
  }
  if (!["http:", "https:"].includes(parts.protocol) || parts.username || parts.search || parts.hash)
    throw new TypeError(`url is ${JSON.stringify(url)}; it must be http:// or https://, a host and perhaps a port, ` +
                        "as http://localhost:8080");
  return parts.href.replace(/\/+$/, "");
}

function check(name, value, good, allowed) {
  if (!good || typeof value !== "number")
    throw new RangeError(`${name} is ${typeof value === "string" ? `"${value}"` : value}; it must be ${allowed}`);
}

function checkedToken(token) {
  const word = String(token).trim();
  if (!/^[!-~]+$/.test(word))
    throw new TypeError("the token must be one word of ASCII letters, digits and signs");
  return word;
}

const SHAPES = ["shape", "size", "x_shape"];

/** A parameter as the daemon reads it: truths as 1 and 0, lists with commas, the sides of shapes with x. */
function text(value, name) {
  if (typeof value === "boolean")
    return value ? "1" : "0";
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value, (each) => text(each, name)).join(SHAPES.includes(name) ? "x" : ",");
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new RangeError(`${name} is ${value}, which may have been rounded; give it as a BigInt, such as 7n`);
  return String(value);
}

/** What Retry-After says, where it is a number of seconds and no date; a moment at least. */
function seconds(said, otherwise) {
  return /^\d+$/.test(said ?? "") ? Math.max(Number(said), MOMENT) : otherwise;
}

function reason(body) {
  const words = new TextDecoder().decode(body);
  try {
    return JSON.parse(words).detail ?? words.slice(0, 200);
  } catch {
    return words.slice(0, 200);
  }
}

/** Rejects as soon as the signal is aborted. */
function sleep(time, signal) {
  signal?.throwIfAborted(); // of which no event would come any more
  return new Promise((resolve, reject) => {
    const waking = linked(signal);
    const timer = setTimeout(() => {
      resolve();
      waking.abort();
    }, Math.min(1000 * time, LONGEST));
    waking.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal?.reason); // has no effect once it is resolved
    });
  });
}
