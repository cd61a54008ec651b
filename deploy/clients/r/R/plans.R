# Plans: who is mixed with whom, by which method, and by which mask or weight.

METHODS <- c("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")

# What gives the plan of a step, for batches of one shape and number of rows. The first is fetched alone, so that
# nobody waits for more than it; blocks grow from there.
plan_stream <- function(connection, law, shape, rows, steps) {
  parts <- NULL; first <- 0; count <- 0
  function(number) {
    if (is.null(parts) || number < first || number >= first + count) {
      wanted <- if (!is.null(parts) && number == first + count) min(2 * count, steps) else 1
      query <- list(shape = paste(sprintf("%.0f", shape), collapse = "x"), n = rows, dtype = "bits",
                    step = number, steps = wanted)
      parts <<- NULL
      parts <<- fmixd_tensors(connection$get("/v1/plans.safetensors", c(law, query)))
      first <<- number; count <<- wanted
    }
    plan_of(parts, number - first + 1, shape)
  }
}

# Row `place` of the tensors of several steps.
plan_of <- function(parts, place, shape) {
  methods <- METHODS[parts$method[place, ] + 1]
  rows <- length(methods)
  list(partners = parts$pairing[place, ] + 1, lambda = parts$lambda[place, ], effective = parts$lambda_eff[place, ],
       methods = methods, chooses = methods %in% c("fmix", "cutmix"),
       masks = unpacked(matrix(parts$masks[place, , ], rows), shape))
}

# TRUE where a row's own element is kept: c(rows, shape). The first element is a byte's highest bit.
unpacked <- function(bytes, shape) {
  bits <- matrix(as.logical(rawToBits(as.raw(t(bytes)))), 8)[8:1, , drop = FALSE]
  kept <- matrix(bits, ncol = nrow(bytes))[seq_len(prod(shape)), , drop = FALSE]
  aperm(array(kept, c(rev(shape), nrow(bytes))))
}
