# Named arrays out of a safetensors file, which is what a daemon answers with.

# The server's arrays run along their last side, R's along their first: each is turned, so that an array of n
# rows of 28x28 has the dimensions c(n, 28, 28).
fmixd_tensors <- function(bytes) {
  size <- readBin(bytes, "integer", 1, size = 8, endian = "little")
  if (length(bytes) < 10 || bytes[9] != charToRaw("{") || size > length(bytes)) {
    refuse("this is not fmixd's answer, which begins with ", deparse(utf8_text(utils::head(bytes, 40))))
  }
  header <- json_read(utf8_text(bytes[8 + seq_len(size)]))
  header[["__metadata__"]] <- NULL
  lapply(header, function(entry) {
    begin <- 8 + size + entry$data_offsets[1]
    values <- decode(bytes[begin + seq_len(diff(entry$data_offsets))], entry$dtype)
    turned(values, as.numeric(unlist(entry$shape)))
  })
}

utf8_text <- function(bytes) {
  text <- rawToChar(bytes[bytes != as.raw(0)])
  Encoding(text) <- "UTF-8"
  text
}

# Elements in the server's order as an array of that shape.
turned <- function(values, shape) {
  if (length(shape) < 2) return(values)
  aperm(array(values, rev(shape)))
}

decode <- function(bytes, dtype) {
  read <- function(what, size, signed = TRUE) {
    readBin(bytes, what, length(bytes) / size, size = size, signed = signed, endian = "little")
  }
  switch(dtype,
         F64 = read("double", 8), F32 = read("double", 4), F16 = half(read("integer", 2, FALSE)),
         BF16 = readBin(as.vector(rbind(as.raw(0), as.raw(0), matrix(bytes, 2))), "double", length(bytes) / 2,
                        size = 4, endian = "little"),
         I64 = whole64(read("integer", 4)), I32 = whole32(read("integer", 4)), I16 = read("integer", 2),
         I8 = read("integer", 1), U8 = read("integer", 1, FALSE), BOOL = as.logical(as.integer(bytes)),
         refuse("fmixd's answer has elements of ", dtype, ", which this version does not know"))
}

# 64-bit integers as doubles, out of their low and high halves.
whole64 <- function(halves) {
  halves <- matrix(whole32(halves), 2)
  whole <- halves[2, ] * 2^32 + halves[1, ] %% 2^32
  if (any(abs(whole) > 2^53)) stop("an i64 is ", sprintf("%.0f", whole[abs(whole) > 2^53][1]),
                                   "; beyond 2^53 R cannot hold it", call. = FALSE)
  whole
}

# R has no integer -2^31, whose bits are its NA.
whole32 <- function(whole) {
  if (anyNA(whole)) whole <- ifelse(is.na(whole), -2^31, whole)
  whole
}

half <- function(bits) {
  sign <- ifelse(bits >= 2^15, -1, 1)
  exponent <- bits %/% 2^10 %% 32
  digits <- bits %% 2^10
  size <- ifelse(exponent == 0, 2^-24 * digits, 2^(exponent - 25) * (1024 + digits))
  sign * ifelse(exponent == 31, ifelse(digits == 0, Inf, NaN), size)
}
