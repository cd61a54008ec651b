# The batches of an epoch by the R client: epochs.R URL SET OPTIONS; a batch a line.

library(fmixd)
arguments <- commandArgs(trailingOnly = TRUE)
options <- fmixd:::json_read(arguments[3])

shown <- function(array) {
  if (is.list(array)) {
    return(paste0("{", paste0('"', names(array), '":', vapply(array, shown, ""), collapse = ","), "}"))
  }
  sides <- if (is.null(dim(array))) length(array) else dim(array)
  bytes <- writeBin(as.double(if (is.null(dim(array))) array else aperm(array)), raw(), endian = "little")
  sprintf('{"hex":"%s","shape":[%s],"type":"%s"}', paste(bytes, collapse = ""), paste(sides, collapse = ","),
          typeof(array))
}

following <- do.call(fmixd_epochs, c(arguments[1], arguments[2], options))
while (!is.null(batch <- following())) {
  parts <- batch[names(batch) != "step"]
  cat(sprintf('{"step":%.0f,', batch$step), substring(shown(parts), 2), "\n", sep = "")
}
