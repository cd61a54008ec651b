# A training loop in R: multinomial regression by hand, on batches that fmixd hosts and on arrays of one's own,
# mixed here by plans. Both runs can begin anywhere: `start` and `step` say how many steps were done.
# usage: Rscript loop.R http://localhost:8080 [EPOCHS]
#        (after R CMD INSTALL deploy/clients/r; `make run` hosts the data set garments)

library(fmixd)

arguments <- commandArgs(trailingOnly = TRUE)
if (!length(arguments)) stop("usage: loop.R URL [EPOCHS]", call. = FALSE)
url <- arguments[1]
epochs <- if (length(arguments) > 1) as.integer(arguments[2]) else 20
size <- 16
rate <- 0.05

# A row of x as a row of a matrix, and a 1 after it.
flat <- function(x) cbind(matrix(x, dim(x)[1]), 1)

# The probabilities of each class: a row for each row of x.
predicted <- function(weights, x) {
  scores <- flat(x) %*% weights
  powers <- exp(scores - apply(scores, 1, max))
  powers / rowSums(powers)
}

# One step down the gradient of the cross entropy, which takes mixed labels as they are.
stepped <- function(weights, x, y) weights - rate * crossprod(flat(x), predicted(weights, x) - y) / nrow(y)

loss <- function(weights, x, y) -mean(rowSums(y * log(predicted(weights, x) + 1e-12)))

accuracy <- function(weights, batches) {
  mean(unlist(lapply(batches, function(batch) {
    max.col(predicted(weights, batch$x), "first") == max.col(batch$y, "first")
  })))
}

# Batches without mixing, for validation; below they are the arrays of one's own, too.
plain <- list()
following <- fmixd_epochs(url, "garments", batch = size, method = "none", out_dtype = "f32")
while (!is.null(batch <- following())) plain[[length(plain) + 1]] <- batch
elements <- prod(dim(plain[[1]]$x)[-1])

hosted <- matrix(0, elements + 1, ncol(plain[[1]]$y))
for (epoch in seq_len(epochs) - 1) {
  following <- fmixd_epochs(url, "garments", epoch, size, seed = 7, method = "fmix,mixup", shuffle = 1,
                            out_dtype = "f32")
  while (!is.null(batch <- following())) {
    now <- loss(hosted, batch$x, batch$y)
    hosted <- stepped(hosted, batch$x, batch$y)
  }
  cat(sprintf("hosted, epoch %d: loss %.3f\n", epoch, now))
}

own <- 0 * hosted
mix <- fmixd_mixer(url, seed = 7, method = "fmix,mixup", layout = "none")
for (epoch in seq_len(epochs) - 1) {
  for (step in seq_along(plain) - 1) {
    mixed <- mix(plain[[step + 1]]$x, plain[[step + 1]]$y, step, epoch)
    now <- loss(own, mixed$x, mixed$y)
    own <- stepped(own, mixed$x, mixed$y)
  }
  cat(sprintf("own arrays, epoch %d: loss %.3f\n", epoch, now))
}

cat(sprintf("accuracy on unmixed rows: hosted %s, own arrays %s\n", accuracy(hosted, plain), accuracy(own, plain)))
