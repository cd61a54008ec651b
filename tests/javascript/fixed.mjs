// Fixed point: integers of 2^-BITS, for what doubles cannot decide.

export const BITS = 640n; // 2^-256 of sums as large as 2^100, and room
export const UNIT = 1n << BITS;

export const times = (a, b) => (a * b) / UNIT; // towards zero, so that series of either sign end
export const over = (a, b) => (a << BITS) / b;

export function root(x) { // of x >= 0
  const n = x << BITS;
  if (n === 0n) return 0n;
  let r = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const s = (r + n / r) >> 1n;
    if (s >= r) return r;
    r = s;
  }
}

// 2 atanh(x) for small x
function twiceAtanh(x) {
  const square = times(x, x);
  let power = x, sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = times(power, square);
  }
  return 2n * sum;
}

const LN2 = twiceAtanh(UNIT / 3n);

export function ln(x) { // x > 0
  let shift = 0n, m = x;
  while (m > UNIT + (UNIT >> 1n)) { m >>= 1n; shift++; }
  while (m < (UNIT * 3n) >> 2n) { m <<= 1n; shift--; }
  return shift * LN2 + twiceAtanh(over(m - UNIT, m + UNIT));
}

export function exp(x) {
  const n = x / LN2;
  const rest = x - n * LN2;
  let term = UNIT, sum = 0n;
  for (let i = 1n; term !== 0n; i++) {
    sum += term;
    term = times(term, rest) / i;
  }
  return n >= 0n ? sum << n : sum >> -n;
}

function atanInverse(n) { // arctan(1/n)
  let power = UNIT / n, sum = 0n, sign = 1n;
  for (let i = 1n; power !== 0n; i += 2n, sign = -sign) {
    sum += sign * power / i;
    power /= n * n;
  }
  return sum;
}

const TAU = 8n * (4n * atanInverse(5n) - atanInverse(239n)); // Machin

// Cosine and sine of 2 pi n/d, the angle brought into an eighth by integers.
export function turn(n, d) {
  const eighths = 8n * (((n % d) + d) % d);
  const octant = (eighths / d + 1n) / 2n; // of quarters, rounded
  const angle = times(TAU, over(eighths - 2n * octant * d, 8n * d));
  const square = times(angle, angle);
  let cosine = 0n, sine = 0n, term = UNIT;
  for (let i = 1n; term !== 0n; i += 2n) {
    cosine += term;
    const odd = times(term, angle) / i;
    sine += odd;
    term = -times(term, square) / (i * (i + 1n));
  }
  const quarter = Number(octant % 4n);
  return [[cosine, sine], [-sine, cosine], [-cosine, -sine], [sine, -cosine]][quarter];
}

// A double, exactly as long as its last bit is above 2^-BITS.
export function fixed(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = bits >> 52n & 0x7ffn;
  const fraction = (bits & ((1n << 52n) - 1n)) | (exponent ? 1n << 52n : 0n);
  const shift = BITS - 1074n + (exponent ? exponent - 1n : 0n);
  return shift >= 0n ? fraction << shift : fraction >> -shift;
}
