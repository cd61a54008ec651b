# Rows, mixed as STREAM says in section 8, in doubles.

mixed_rows <- function(plan, x, layout) {
  sides <- dim(x)
  flat <- matrix(x, sides[1])
  partners <- flat[plan$partners, , drop = FALSE]
  mixed <- flat
  if (any(plan$chooses)) {
    theirs <- !spread(plan$masks, sides, layout) & plan$chooses
    mixed[theirs] <- partners[theirs]
  }
  sums <- which(!plan$chooses & plan$methods != "none")
  if (length(sums) && !is.double(x)) {
    stop("x is of type ", typeof(x), ", and ", plan$methods[sums[1]], " interpolates: make it double first",
         call. = FALSE)
  }
  for (i in sums[plan$methods[sums] == "bcplus"]) {
    mixed[i, ] <- bcplus(flat[i, ], partners[i, ], plan$lambda[i], sides[-1])
  }
  # No sum of halves, which differs at the ends of the range of doubles.
  halves <- sums[plan$methods[sums] == "samplepairing"]
  if (length(halves)) mixed[halves, ] <- (flat[halves, , drop = FALSE] + partners[halves, , drop = FALSE]) / 2
  sums <- sums[!plan$methods[sums] %in% c("bcplus", "samplepairing")]
  weight <- plan$lambda[sums]
  if (length(sums)) mixed[sums, ] <- weight * flat[sums, , drop = FALSE] + (1 - weight) * partners[sums, , drop = FALSE]
  dim(mixed) <- sides
  mixed
}

# Masks for every element: c(rows, elements of a row).
spread <- function(masks, sides, layout) {
  rows <- sides[1]
  if (layout == "channels_last") return(matrix(masks, rows, prod(sides[-1])))
  if (layout == "channels_first") {
    masks <- aperm(array(masks, c(rows, length(masks) / rows, sides[2])), c(1, 3, 2))
  }
  matrix(masks, rows)
}

bcplus <- function(own, partner, weight, sides) {
  own <- centred(own, sides)
  partner <- centred(partner, sides)
  loud <- partner$deviation * weight
  soft <- own$deviation * (1 - weight)
  q <- if (loud + soft == 0) 0.5 else loud / (loud + soft)
  (q * own$values + (1 - q) * partner$values) / sqrt(q * q + (1 - q) * (1 - q))
}

# A row less its mean, and its standard deviation.
centred <- function(row, sides) {
  values <- row - lane_sum(row, sides) / length(row)
  list(values = values, deviation = sqrt(lane_sum(values * values, sides) / length(row)))
}

# In the server's order of elements, element i is added to lane i mod 8, then the lanes in order. (R's own sum is
# one of long doubles.)
lane_sum <- function(values, sides) {
  ordered <- as.vector(aperm(array(values, sides)))
  lanes <- matrix(c(ordered, numeric(-length(ordered) %% 8)), 8)
  total <- numeric(8)
  for (k in seq_len(ncol(lanes))) total <- total + lanes[, k]
  Reduce(`+`, total)
}
