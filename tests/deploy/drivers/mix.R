# What the R client makes of batches: mix.R URL < cases, a case a line; its outcome, a line each.

library(fmixd)
url <- commandArgs(trailingOnly = TRUE)
options(warn = -1)

bytes_of <- function(hex) {
  at <- seq_len(nchar(hex) / 2) * 2
  as.raw(strtoi(substring(hex, at - 1, at), 16L))
}
array_of <- function(it) {
  values <- fmixd:::decode(bytes_of(it$hex), toupper(it$dtype))
  if (length(it$shape) == 1) if (is.null(it$array)) values else array(values) else fmixd:::turned(values, it$shape)
}
hex_of <- function(array) {
  sides <- if (is.null(dim(array))) length(array) else dim(array)
  bytes <- writeBin(as.double(if (is.null(dim(array))) array else aperm(array)), raw(), endian = "little")
  sprintf('{"hex":"%s","shape":[%s],"type":"%s"}', paste(bytes, collapse = ""), paste(sides, collapse = ","),
          typeof(array))
}
heads <- function(y, make) {
  if (is.null(y)) NULL else if (!is.list(y) || !is.null(y$hex)) make(y) else lapply(y, make)
}
json_of <- function(y) {
  if (is.null(y)) "null"
  else if (!is.list(y)) hex_of(y)
  else paste0("{", paste0('"', names(y), '":', vapply(y, hex_of, ""), collapse = ","), "}")
}
quoted <- function(words) sprintf('"%s"', gsub('(["\\\\])', "\\\\\\1", gsub("\n", " ", words)))

outcome <- function(case) {
  warnings <- character()
  made <- withCallingHandlers({
    mix <- do.call(fmixd_mixer, c(url, case$options))
    x <- array_of(case$x)
    vapply(case$steps, function(at) {
      mixed <- mix(x, heads(case$y, array_of), at$step, at$epoch)
      sprintf('{"x":%s,"y":%s}', hex_of(mixed$x), json_of(mixed$y))
    }, "")
  }, warning = function(told) warnings <<- c(warnings, conditionMessage(told)))
  sprintf('{"made":[%s],"warnings":[%s]}', paste(made, collapse = ","), paste(quoted(warnings), collapse = ","))
}

for (line in readLines(file("stdin"))) {
  cat(tryCatch(outcome(fmixd:::json_read(line)), error = function(wrong) {
    sprintf('{"error":%s,"name":"%s"}', quoted(conditionMessage(wrong)), class(wrong)[1])
  }), "\n", sep = "")
}
