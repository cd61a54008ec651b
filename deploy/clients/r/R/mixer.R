# A batch that you have, mixed where it is.

# Steps of an epoch, and epochs of a rank, that have numbers of their own. A rank's numbers stay below 2^53.
STEPS <- 2^24
EPOCHS <- 2^16
WORLD <- 2^13

BY_SAMPLES <- c(
  other_class = "the classes of the samples", same_class = "the classes of the samples",
  neighbour = "the neighbours of a data set")

fmixd_mixer <- function(url, ..., layout = NULL, classes = NULL, smoothing = 0, correct = TRUE, rank = 0, world = 1,
                        steps = 16, token = NULL, patience = 300, tries = Inf) {
  connection <- fmixd_connection(url, token, patience, tries)
  law <- list(...)
  check_law(law)
  check("layout", layout, is.null(layout) || layout %in% c("channels_first", "channels_last", "none"),
        "channels_first, channels_last or none")
  check("rank", rank, is_whole(rank) && rank < world && world <= WORLD,
        paste0("a whole number from 0 to world - 1, of a world of at most ", WORLD, " (world is ", world, ")"))
  check("smoothing", smoothing, is.numeric(smoothing) && isTRUE(smoothing >= 0 && smoothing <= 1), "from 0 to 1")
  check("correct", correct, isTRUE(correct %in% c(0, 1)), "TRUE or FALSE")
  check("steps", steps, is_whole(steps) && steps >= 1, "a whole number from 1 on")
  classes <- counts_of(classes)
  for (told in as.list(classes)) check("classes", told, is_whole(told) && told >= 1, "a whole number from 1 on")
  how <- list(classes = classes, smoothing = smoothing, correct = as.logical(correct))
  streams <- list()
  last <- -1
  plan <- function(shape, rows, number) {
    key <- paste(c(rows, shape), collapse = "x")
    stream <- streams[[key]]
    if (is.null(stream)) stream <- plan_stream(connection, law, shape, rows, steps)
    streams <<- utils::tail(c(streams[names(streams) != key], stats::setNames(list(stream), key)), 3)
    stream(number)
  }
  function(x, y = NULL, step, epoch = NULL) {
    layout <- layout_of(x, layout)
    number <- step_number(step, epoch, rank, world)
    if (is.null(epoch) && step < last) {
      warning("step went back from ", last, " to ", step, " and no epoch is told, so masks, lambdas and pairings ",
              "repeat: call mix(x, y, step, epoch), or count steps on", call. = FALSE, immediate. = TRUE)
    }
    if (is.null(epoch)) last <<- step
    planned <- plan(spatial(dim(x), layout), dim(x)[1], number)
    list(x = mixed_rows(planned, x, layout), y = if (!is.null(y)) mixed_labels(planned, y, how))
  }
}

# One number, or a list of one for each head by its name, of which c() makes a vector.
counts_of <- function(classes) {
  if (is.list(classes) || length(classes) > 1 || !is.null(names(classes))) {
    if (is.null(names(classes)) || any(names(classes) == "")) {
      stop("classes is ", deparse(classes), "; it must be a whole number from 1 on, or a list with a number for each ",
           "head by its name", call. = FALSE)
    }
    classes <- as.list(classes)
  }
  classes
}

is_whole <- function(value) is.numeric(value) && length(value) == 1 && !is.na(value) && value >= 0 && value %% 1 == 0

check <- function(name, value, good, allowed) {
  if (!good) stop(name, " is ", deparse(value), "; it must be ", allowed, call. = FALSE)
}

check_names <- function(law) {
  if (length(law) && (is.null(names(law)) || any(names(law) == ""))) {
    stop("a parameter without a name: say seed = 7 or the like", call. = FALSE)
  }
}

# Refuses parameters that a plan cannot have.
check_law <- function(law) {
  check_names(law)
  for (name in intersect(c("index", "step", "n", "shape", "dtype", "parts", "epoch"), names(law))) {
    stop(name, " follows from each batch; a mixer does not take it", call. = FALSE)
  }
  # Against what is no number the daemon has something.
  if (isTRUE(suppressWarnings(as.numeric(law$soft)) != 0)) {
    stop("soft masks do not fit into bits; use /v1/mix for them", call. = FALSE)
  }
  if (!is.null(law$pairing) && law$pairing %in% names(BY_SAMPLES)) {
    stop("pairing=", law$pairing, " needs ", BY_SAMPLES[[law$pairing]], ", which plans do not have: take batches ",
         "of a hosted data set by fmixd_epochs", call. = FALSE)
  }
}

# Under which the daemon knows a step of an epoch of a rank.
step_number <- function(step, epoch, rank, world) {
  most <- if (is.null(epoch) && world == 1) 2^53 else STEPS
  check("step", step, is_whole(step) && step < most, paste("a whole number from 0 to", sprintf("%.0f", most - 1)))
  check("epoch", epoch, is.null(epoch) || (is_whole(epoch) && epoch < EPOCHS),
        paste("a whole number from 0 to", EPOCHS - 1))
  (rank * EPOCHS + (if (is.null(epoch)) 0 else epoch)) * STEPS + step
}

# Where x has its channels.
layout_of <- function(x, told) {
  sides <- dim(x)
  if (is.null(sides) || length(sides) < 2 || any(sides < 1) || !(is.numeric(x) || is.logical(x))) {
    stop("x must be an array of numbers or logicals with rows first, such as c(64, 28, 28); it is ", typeof(x),
         " with the dimensions ", deparse(sides), call. = FALSE)
  }
  if (!is.null(told)) return(told)
  words <- paste(sides, collapse = "x")
  if (length(sides) == 3) {
    stop("x has the dimensions ", words, ": layout=\"none\" says rows of ", sides[2], " x ", sides[3], " without ",
         "channels, \"channels_first\" rows of length ", sides[3], " with ", sides[2], " channels; tell which",
         call. = FALSE)
  }
  few <- c(1, 3, 4)
  if (length(sides) > 3 && utils::tail(sides, 1) %in% few && !sides[2] %in% few) {
    stop("x has the dimensions ", words, ", which looks like channels_last, and channels_first is what a mixer takes ",
         "by default: say layout=\"channels_last\" or layout=\"channels_first\"", call. = FALSE)
  }
  if (length(sides) == 2) "none" else "channels_first"
}

# The sides that masks have.
spatial <- function(sides, layout) {
  cut <- switch(layout, channels_first = sides[-(1:2)], channels_last = sides[-c(1, length(sides))], none = sides[-1])
  if (!length(cut) %in% 1:3) {
    stop("x has the dimensions ", paste(sides, collapse = "x"), ", of which layout=", layout, " leaves ", length(cut),
         " spatial ones; masks have one, two or three", call. = FALSE)
  }
  cut
}
