# HTTP requests to a daemon, which are sent again where that helps.

MOMENT <- 0.1 # seconds between two tries, at least
PAUSE <- 5 # seconds between two tries, at most, where the daemon does not say how long
SPREAD <- 0.3 # of a wait, added at random, so that clients do not come again together
SILENCE <- 2 # seconds of waiting after which a warning says so

fmixd_connection <- function(url, token = NULL, patience = 300, tries = Inf) {
  if (!is.character(url) || length(url) != 1 || !grepl("^https?://[^/?#@[:space:]]+(/[^?#[:space:]]*)?$", url)) {
    stop("url is ", deparse(url), "; it must be http:// or https://, a host and perhaps a port, as ",
         "http://localhost:8080", call. = FALSE)
  }
  check("patience", patience, is.numeric(patience) && length(patience) == 1 && isTRUE(patience >= 0),
        "a number of seconds from 0 on")
  check("tries", tries, is.numeric(tries) && length(tries) == 1 && isTRUE(tries >= 1), "a number from 1 on")
  base <- sub("/+$", "", url)
  headers <- list()
  if (!is.null(token)) {
    if (!grepl("^[!-~]+$", trimws(token))) {
      stop("the token must be one word of ASCII letters, digits and signs", call. = FALSE)
    }
    headers <- list(Authorization = paste("Bearer", trimws(token)))
  }
  ask <- function(path, query, body = NULL) {
    target <- paste0(base, path, query_text(query))
    gone <- 0; pause <- MOMENT; silent <- FALSE; tried <- 0
    repeat {
      tried <- tried + 1
      reply <- one_try(target, headers, body)
      if (reply$status == 200) return(reply$content)
      if (!reply$status %in% c(0, 429, 502, 503, 504)) refuse(target, ": ", reply$status, " ", reply$why)
      wait <- (if (is.na(reply$wait)) pause else max(reply$wait, MOMENT)) * (1 + SPREAD * jitter())
      gone <- gone + reply$took + wait
      if (gone > patience || tried >= tries) {
        stop(target, ": no answer, asked ", tried, " times: ", reply$why, call. = FALSE)
      }
      if (gone > SILENCE && !silent) {
        silent <- TRUE
        warning(target, ": no answer yet (", reply$why, "); it is asked again until ", patience, " s are over",
                call. = FALSE, immediate. = TRUE)
      }
      Sys.sleep(wait)
      pause <- min(2 * pause, PAUSE)
    }
  }
  list(get = function(path, query = list()) ask(path, query),
       post = function(path, body, query = list()) ask(path, query, body))
}

# From 0 to 1, by the clock: runif would change the random numbers of whoever called set.seed.
jitter <- function() (as.numeric(Sys.time()) * 1e4) %% 1

refuse <- function(...) {
  stop(structure(class = c("fmixd_refused", "error", "condition"), list(message = paste0(...), call = NULL)))
}

# Its status (0 where the connection broke), its content, how long it asks to wait, and the seconds that it took.
# These are curl's, by a clock that does not jump when the time is set; R itself has only the other.
one_try <- function(target, headers, body) {
  handle <- curl::new_handle(connecttimeout = 60, low_speed_limit = 1, low_speed_time = 60)
  if (!is.null(body)) {
    curl::handle_setopt(handle, post = TRUE, postfields = body)
    headers <- c(headers, "Content-Type" = "application/octet-stream", Expect = "")
  }
  do.call(curl::handle_setheaders, c(list(handle), headers))
  reply <- tryCatch(curl::curl_fetch_memory(target, handle), error = conditionMessage)
  took <- curl::handle_data(handle)$times[["total"]]
  if (is.character(reply)) return(list(status = 0, wait = NA, why = reply, took = took))
  if (reply$status_code == 200) return(list(status = 200, content = reply$content))
  wait <- curl::parse_headers_list(reply$headers)[["retry-after"]]
  list(status = reply$status_code, why = reason(reply$content), took = took,
       wait = if (length(wait) && grepl("^[0-9]+$", wait)) as.numeric(wait) else NA)
}

# What the daemon has against a request.
reason <- function(content) {
  words <- rawToChar(content[content != as.raw(0)])
  problem <- tryCatch(json_read(words), error = function(wrong) NULL)
  if (is.list(problem) && is.character(problem$detail)) problem$detail else substr(words, 1, 200)
}

query_text <- function(query) {
  query <- query[!vapply(query, is.null, NA)]
  if (!length(query)) return("")
  texts <- mapply(parameter_text, query, names(query))
  paste0("?", paste0(names(query), "=", vapply(texts, curl::curl_escape, ""), collapse = "&"))
}

SHAPES <- c("shape", "size", "x_shape")

# A parameter as the daemon reads it: truths as 1 and 0, vectors with commas, the sides of shapes with x.
parameter_text <- function(value, name) {
  if (is.logical(value)) value <- as.integer(value)
  if (is.numeric(value)) {
    whole <- value == round(value)
    if (any(whole & abs(value) > 2^53)) {
      stop(name, " is ", sprintf("%.0f", value), ", which may have been rounded; give it as a string", call. = FALSE)
    }
    # The daemon reads points, whatever the option OutDec says.
    short <- format(value, digits = 15, scientific = FALSE, trim = TRUE, decimal.mark = ".")
    exact <- as.numeric(short) == value
    value <- ifelse(whole, sprintf("%.0f", value), ifelse(exact, short, sprintf("%.17g", value)))
  }
  paste(value, collapse = if (name %in% SHAPES) "x" else ",")
}
