# The batches of a data set that a daemon hosts.

fmixd_describe <- function(url, set, token = NULL, patience = 300, tries = Inf) {
  described(fmixd_connection(url, token, patience, tries), set)
}

described <- function(connection, set) {
  json_read(utf8_text(connection$get(paste0("/v1/datasets/", curl::curl_escape(set)))))
}

fmixd_epochs <- function(url, set, epoch = 0, batch = 64, start = 0, ..., stride = 1, parts = NULL, digest = NULL,
                         token = NULL, patience = 300, tries = Inf) {
  check("batch", batch, is_whole(batch) && batch >= 1, "a whole number from 1 on")
  check("start", start, is_whole(start), "a whole number from 0 on")
  check("stride", stride, is_whole(stride) && stride >= 1, "a whole number from 1 on")
  law <- list(...)
  check_names(law)
  if ("n" %in% names(law)) stop("n is not for an epoch: the rows of a batch are `batch`", call. = FALSE)
  connection <- fmixd_connection(url, token, patience, tries)
  facts <- described(connection, set)
  if (!is.null(digest) && !identical(digest, facts$digest)) {
    refuse("the data set ", set, " has the digest ", facts$digest, ", and ", digest, " is asked for: it is another ",
           "version of the set")
  }
  drop <- !is.null(law$drop_last) && as.numeric(law$drop_last) != 0
  world <- if (is.null(law$world)) 1 else as.numeric(law$world)
  if (batch < world) {
    stop("batch is ", batch, " and world ", world, ": a batch counts the rows of all ranks, and each needs one",
         call. = FALSE)
  }
  rest <- facts$count %% batch # fewer rows than ranks, of which some rank would have none, are dropped by all
  end <- facts$count %/% batch + (rest > 0 && rest >= world && !drop)
  wanted <- c("mixed", if (length(facts$heads)) "labels", if ("lengths" %in% names(facts)) "lengths")
  query <- c(law, list(epoch = epoch, n = batch, digest = facts$digest, parts = if (is.null(parts)) wanted else parts))
  step <- start
  function() {
    if (step >= end) return(NULL)
    path <- sprintf("/v1/datasets/%s/batches/%.0f.safetensors", curl::curl_escape(set), step)
    made <- named(fmixd_tensors(connection$get(path, query)))
    made$step <- step
    step <<- step + stride
    if (is.null(parts)) names(made) <- sub("^labels$", "y", sub("^mixed$", "x", names(made)))
    made
  }
}

# Tensors by part: `labels`, or a list of `labels.a` and `labels.b`.
named <- function(arrays) {
  parts <- list()
  for (key in names(arrays)) {
    part <- sub("\\..*", "", key)
    head <- stats::setNames(arrays[key], sub("^[^.]*\\.", "", key))
    parts[[part]] <- if (part == key) arrays[[key]] else c(parts[[part]], head)
  }
  parts
}
