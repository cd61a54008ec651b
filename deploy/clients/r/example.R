# Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.
# usage: Rscript example.R http://localhost:8080      (needs the package curl: r-cran-curl)

golden <- "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits"
sha256 <- "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c"
law <- "seed=7&method=fmix,mixup" # the first batch is mixed by FMix, the second by MixUp
n <- 4; elements <- 8 * 8; steps <- 2; tries <- 10
url <- commandArgs(trailingOnly = TRUE)
if (length(url) != 1) stop("usage: example.R URL", call. = FALSE)

# The body; asks again when it is told to.
ask <- function(target, body = NULL) {
  for (try in seq_len(tries)) {
    handle <- curl::new_handle()
    if (!is.null(body)) {
      curl::handle_setopt(handle, post = TRUE, postfields = body)
      curl::handle_setheaders(handle, "Content-Type" = "application/octet-stream")
    }
    reply <- curl::curl_fetch_memory(paste0(url, target), handle)
    if (reply$status_code == 200) return(reply$content)
    if (!reply$status_code %in% c(429, 503) || try == tries) {
      stop(detail(rawToChar(reply$content)), " (", reply$status_code, ")", call. = FALSE)
    }
    wait <- as.numeric(curl::parse_headers_list(reply$headers)[["retry-after"]])
    Sys.sleep(if (length(wait)) wait else 1)
  }
}

# What the server has against it. Base R reads no JSON: the string, and its escaped quotes.
detail <- function(problem) {
  string <- regmatches(problem, regexpr('"detail": *"(\\\\.|[^"\\\\])*"', problem, perl = TRUE))
  gsub('\\\\(["\\\\])', "\\1", sub('"detail": *"(.*)"', "\\1", string))
}

say <- function(what, good) {
  cat(what, ": ", if (good) "ok" else "WRONG", "\n", sep = "")
  if (!good) quit(status = 1)
}

doubles <- function(bytes) readBin(bytes, "double", length(bytes) / 8, size = 8, endian = "little")

plan <- sprintf("/v1/plans.raw?%s&shape=8x8&n=%d&steps=%d&dtype=f64&parts=", law, n, steps)
bytes <- ask(paste0(plan, "pairing"))
# 64 bits each, but numbers of rows, which fit into R's 32.
pairing <- matrix(readBin(bytes, "integer", n * steps, size = 8, endian = "little"), n)
# The server's arrays run along their last side, R's along their first: [element, row, step].
masks <- array(doubles(ask(paste0(plan, "masks"))), c(elements, n, steps))
x <- matrix((seq_len(n * elements) - 1) / 256, elements)
for (step in seq_len(steps)) {
  target <- sprintf("/v1/mix.raw?%s&step=%d&layout=none&x_shape=%dx8x8&x_dtype=f64", law, step - 1, n)
  there <- matrix(doubles(ask(target, writeBin(as.vector(x), raw(), endian = "little"))), elements)
  here <- masks[, , step] * x + (1 - masks[, , step]) * x[, pairing[, step] + 1]
  # Nothing is rounded: weights have 32 bits, x has 8.
  say(paste("batch", step - 1), all(here == there))
}
file <- tempfile()
writeBin(ask(golden), file)
digest <- system2("sha256sum", file, stdout = TRUE) # base R has no SHA-256
say("golden digest", identical(substr(digest, 1, 64), sha256))
