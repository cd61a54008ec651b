# JSON, of which base R reads none: what a daemon answers, as lists and vectors.

json_read <- function(text) {
  tokens <- regmatches(text, gregexpr('"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"|[][{}:,]|[^][{}:,"[:space:]]+',
                                      text, perl = TRUE))[[1]]
  place <- 0
  take <- function() {
    place <<- place + 1
    if (place > length(tokens)) stop("this is not JSON")
    tokens[place]
  }
  closes <- function(bracket) {
    ends <- identical(tokens[place + 1], bracket)
    if (ends) place <<- place + 1
    ends
  }
  members <- function() {
    found <- list()
    while (!closes("}")) {
      name <- json_string(take())
      if (take() != ":") stop("this is not JSON")
      found[name] <- list(value())
      closes(",")
    }
    found
  }
  elements <- function() {
    found <- list()
    while (!closes("]")) {
      found[length(found) + 1] <- list(value())
      closes(",")
    }
    plain <- length(found) && all(lengths(found) == 1) && !any(vapply(found, is.list, NA))
    if (plain) unlist(found) else found
  }
  value <- function() {
    token <- take()
    switch(substr(token, 1, 1), "{" = members(), "[" = elements(), "\"" = json_string(token),
           t = TRUE, f = FALSE, n = NULL, as.numeric(token))
  }
  value()
}

# A string without its quotes and escapes.
json_string <- function(token) {
  string <- substr(token, 2, nchar(token) - 1)
  if (!grepl("\\", string, fixed = TRUE)) return(string)
  parts <- regmatches(string, gregexpr("\\\\u[0-9a-fA-F]{4}|\\\\.|[^\\\\]+", string, perl = TRUE))[[1]]
  plain <- c("\\n" = "\n", "\\t" = "\t", "\\r" = "\r", "\\b" = "\b", "\\f" = "\f")
  paste(vapply(parts, function(part) {
    if (part %in% names(plain)) return(plain[[part]])
    if (startsWith(part, "\\u")) return(intToUtf8(strtoi(substr(part, 3, 6), 16)))
    sub("^\\\\", "", part)
  }, ""), collapse = "")
}
