# Labels, mixed as their rows are, in doubles.

# Of a batch, or of each head of a list.
mixed_labels <- function(plan, y, how) {
  if (!is.list(y)) return(mixed_head(plan, y, how$classes, how, "y"))
  if (is.null(names(y)) || any(names(y) == "")) stop("y is a list; its heads must have names", call. = FALSE)
  heads <- lapply(names(y), function(name) {
    classes <- if (is.list(how$classes)) how$classes[[name]] else how$classes
    mixed_head(plan, y[[name]], classes, how, name)
  })
  stats::setNames(heads, names(y))
}

mixed_head <- function(plan, y, classes, how, name) {
  if (is.list(classes)) stop("classes is a list, so y must be one, with the same names", call. = FALSE)
  values <- length(dim(y)) < 2 && is.null(classes) # an array of one dimension is a vector, too
  y <- label_rows(y, length(plan$methods), classes, name)
  weight <- ifelse(how$correct | !plan$chooses, plan$effective, plan$lambda)
  if (how$smoothing && !values) {
    y <- (1 - how$smoothing) * y + how$smoothing / ncol(y)
  } else if (how$smoothing && name == "y") {
    stop("y holds one value a row, and smoothing is for classes: leave it out, or say how many `classes` there are",
         call. = FALSE)
  }
  mixed <- weight * y + (1 - weight) * y[plan$partners, , drop = FALSE]
  unmixed <- plan$methods == "none"
  mixed[unmixed, ] <- y[unmixed, , drop = FALSE]
  if (values) as.vector(mixed) else mixed
}

# A matrix of a row each.
label_rows <- function(y, rows, classes, name) {
  if (is.factor(y)) stop(name, " is a factor; class numbers count from 0: give as.integer(", name, ") - 1L",
                         call. = FALSE)
  if (!is.numeric(y) && !is.logical(y) || length(dim(y)) > 2 || NROW(y) != rows) {
    stop(name, " is ", typeof(y), " of ", paste(c(dim(y), if (is.null(dim(y))) length(y)), collapse = "x"),
         "; it must have ", rows, " rows, of class numbers or of doubles", call. = FALSE)
  }
  single <- length(dim(y)) < 2 || (ncol(y) == 1 && is.integer(y))
  if (single && is.null(classes) && !is.double(y)) {
    stop(name, " holds class numbers: say how many `classes` there are", call. = FALSE)
  }
  if (single && !is.null(classes)) return(one_hot(as.vector(y), classes, name))
  if (single) return(matrix(y, rows))
  if (!is.null(classes) && ncol(y) != classes) {
    stop(name, " has the shape ", paste(dim(y), collapse = "x"), ", but there are ", classes, " classes", call. = FALSE)
  }
  if (is.integer(y) && any(y < 0 | y > 1)) {
    stop(name, " holds integers in ", ncol(y), " columns that are not all 0 and 1: rows of labels, or a column for ",
         "each of several heads? Give other weights as doubles, and heads as a list", call. = FALSE)
  }
  y + 0
}

one_hot <- function(y, classes, name) {
  wrong <- is.na(y) | y != round(y) | y < 0 | y >= classes
  if (any(wrong)) {
    stop(name, " holds ", y[wrong][1], "; class numbers go from 0 to ", classes - 1, call. = FALSE)
  }
  rows <- matrix(0, length(y), classes)
  rows[cbind(seq_along(y), y + 1)] <- 1
  rows
}
