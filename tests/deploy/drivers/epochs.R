# The batches of epochs by the R client: epochs.R URL < cases, a case a line; a batch a line, and null behind an epoch.

library(fmixd)
url <- commandArgs(trailingOnly = TRUE)

shown <- function(array) {
  if (is.list(array)) {
    return(paste0("{", paste0('"', names(array), '":', vapply(array, shown, ""), collapse = ","), "}"))
  }
  sides <- if (is.null(dim(array))) length(array) else dim(array)
  bytes <- writeBin(as.double(if (is.null(dim(array))) array else aperm(array)), raw(), endian = "little")
  sprintf('{"hex":"%s","shape":[%s],"type":"%s"}', paste(bytes, collapse = ""), paste(sides, collapse = ","),
          typeof(array))
}

for (line in readLines(file("stdin"))) {
  case <- fmixd:::json_read(line)
  following <- do.call(fmixd_epochs, c(url, case$set, case$options))
  while (!is.null(batch <- following())) {
    parts <- batch[names(batch) != "step"]
    cat(sprintf('{"step":%.0f,', batch$step), substring(shown(parts), 2), "\n", sep = "")
  }
  cat("null\n")
}
