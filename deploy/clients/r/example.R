# Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.
# usage: Rscript example.R http://localhost:8080      (after R CMD INSTALL deploy/clients/r)

library(fmixd)

golden <- "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits"
sha256 <- "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c"
law <- list(seed = 7, method = c("fmix", "mixup")) # the first batch is mixed by FMix, the second by MixUp
steps <- 2; tries <- 10
url <- commandArgs(trailingOnly = TRUE)
if (length(url) != 1) stop("usage: example.R URL", call. = FALSE)

say <- function(what, good) {
  cat(what, ": ", if (good) "ok" else "WRONG", "\n", sep = "")
  if (!good) quit(status = 1)
}

server <- fmixd_connection(url, tries = tries)
mix <- do.call(fmixd_mixer, c(url, law, layout = "none", tries = tries))
x <- aperm(array(0:255 / 256, c(8, 8, 4))) # rows first: [4, 8, 8]
for (step in seq_len(steps) - 1) {
  query <- c(law, step = step, layout = "none", x_shape = "4x8x8", x_dtype = "f64")
  # The server's arrays run along their last side, R's along their first.
  upload <- writeBin(as.vector(aperm(x)), raw(), endian = "little")
  bytes <- server$post("/v1/mix.raw", upload, query)
  there <- aperm(array(readBin(bytes, "double", length(x), endian = "little"), c(8, 8, 4)))
  say(paste("batch", step), all(mix(x, step = step)$x == there))
}
file <- tempfile()
writeBin(server$get(golden), file)
digest <- system2("sha256sum", file, stdout = TRUE) # base R has no SHA-256
say("golden digest", identical(substr(digest, 1, 64), sha256))
