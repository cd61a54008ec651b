/*
 * kernels_rank_template.h - selection, the longest part of kernels_template.h
 */
static size_t count_above(const double *v, size_t n, double x) {
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += v[i] > x;
    return (size_t)count;
}

static inline doubles pick(lanes where, doubles yes, doubles no) {
    return (doubles)(((lanes)yes & where) | ((lanes)no & ~where));
}

static inline doubles lesser(doubles a, doubles b) {
#ifdef OP
    return OP(min_pd)(a, b);
#else
    return pick((lanes)(a < b), a, b);
#endif
}

static inline doubles greater(doubles a, doubles b) {
#ifdef OP
    return OP(max_pd)(a, b);
#else
    return pick((lanes)(a > b), a, b);
#endif
}

static void find_extremes(const double *v, size_t n, double *least, double *most) {
    doubles low = (doubles){0} + v[0], high = low;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        doubles x = load(v + i);
        low = lesser(low, x);
        high = greater(high, x);
    }
    *least = *most = v[0];
    for (size_t l = 0; l < LANES; l++) {
        *least = low[l] < *least ? low[l] : *least;
        *most = high[l] > *most ? high[l] : *most;
    }
    for (; i < n; i++) {
        *least = v[i] < *least ? v[i] : *least;
        *most = v[i] > *most ? v[i] : *most;
    }
}

/* Fewer than k values are above `high`, and more than k are above `low`: so the k-th and the next
 * value are both in (low, high]. */
typedef struct bracket {
    double low, high;
    size_t above_low, above_high;
} bracket;

#define NARROWINGS 16 /* then quickselect finds the values */

/* Narrows the bracket until at most `enough` values are in it. Each guess is by proportion, as if
 * values were spread evenly, and a little to the far side of the end that is further away in rank.
 */
static bracket narrow(const double *v, size_t n, size_t k, size_t enough) {
    double least, most;
    find_extremes(v, n, &least, &most);
    bracket b = {.low = -HUGE_VAL, .high = most, .above_low = n};
    for (int i = 0; i < NARROWINGS && b.above_low - b.above_high > enough; i++) {
        double count = (double)(b.above_low - b.above_high), upper = (double)(k - b.above_high);
        double margin = 0.5 * sqrt(count) + 1, half = 2 * upper > count ? -margin : margin;
        double at = upper + half, foot = b.low < least ? least : b.low;
        at = at < 1 ? 1 : at > count - 1 ? count - 1 : at;
        double x = b.high - (b.high - foot) * (at / count);
        if (!(x < b.high && x > b.low))
            break;
        size_t above_x = count_above(v, n, x);
        if (above_x > k) {
            b.low = x;
            b.above_low = above_x;
        } else if (above_x < k) {
            b.high = x;
            b.above_high = above_x;
        } else {
            break;
        }
    }
    return b;
}

#define AT_ONCE 16 /* values that are skipped together */

/* Copies the values in (low, high] and counts the values above. Values that are close lie close
 * together, so most vectors hold none, and a branch for several is foreseen well. */
static size_t compress(const double *g, size_t n, double low, double high, double *out,
                       size_t *above_high) {
    size_t kept = 0, more = 0, i = 0;
    for (; i + AT_ONCE <= n; i += AT_ONCE) {
        uint64_t over = 0, set = 0;
        for (unsigned l = 0; l < AT_ONCE; l += LANES) {
            over |= (uint64_t)above(g + i + l, high) << l;
            set |= (uint64_t)above(g + i + l, low) << l;
        }
        more += (size_t)__builtin_popcountll(over);
        set &= ~over;
        if (set)
            for (unsigned l = 0; l < AT_ONCE; l += LANES)
                kept += keep(g + i + l, (unsigned)(set >> l) & ((1u << LANES) - 1), out + kept);
    }
    for (; i < n; i++) {
        out[kept] = g[i];
        kept += (g[i] > low) & (g[i] <= high);
        more += g[i] > high;
    }
    *above_high = more;
    return kept;
}

static void exchange(double *a, double *b) {
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's quickselect, largest first: afterwards every value before `at` is >= v[at], and every
 * value after is <= v[at]. The pivot is a median of three. Scans stop at equal values, so ties
 * split evenly. */
static void select_descending(double *v, size_t n, size_t at) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle] > v[low])
            exchange(&v[middle], &v[low]);
        if (v[high] > v[low])
            exchange(&v[high], &v[low]);
        if (v[high] > v[middle])
            exchange(&v[high], &v[middle]);
        double pivot = v[middle];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] > pivot)
                i++;
            while (v[j] < pivot)
                j--;
            if (i >= j)
                break;
            exchange(&v[i++], &v[j--]);
        }
        /* v[low … j] >= pivot >= v[j+1 … high]; j < high, as the middle stops i */
        if (at <= j)
            high = j;
        else
            low = j + 1;
    }
}

static void pair_by_select(double *v, size_t n, size_t k, double *kth, double *next) {
    double least;
    select_descending(v, n, k - 1);
    *kth = v[k - 1];
    find_extremes(v + k, n - k, &least, next);
}

static double greater_size(double a, double b) {
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    return a > b ? a : b;
}

/* Counts values by eighths of their range, from `least` on; an eighth is 1/scale. The eighth of a
 * value is in the bits of a double that has room for 20 bits of fraction, and counts are bytes of
 * lanes. */
#define EIGHTHS       8
#define FRACTION_BITS 20
#define COUNTED_MOST  255 /* vectors whose counts fit bytes */

static inline size_t eighth_of(double x, double least, double scale) {
    return bits_of((x - least) * scale + 0x1.8p32) >> FRACTION_BITS & (EIGHTHS - 1);
}

static void count_eighths(const double *v, size_t n, double least, double scale, size_t *counts) {
    const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff);
    size_t i = 0;
    memset(counts, 0, EIGHTHS * sizeof *counts);
    while (i + LANES <= n) {
        size_t whole = (n - i) / LANES, most = whole < COUNTED_MOST ? whole : COUNTED_MOST;
        lanes bytes = {0};
        uint64_t even = 0, odd = 0;
        for (size_t end = i + most * LANES; i < end; i += LANES) {
            lanes at = (lanes)((load(v + i) - least) * scale + 0x1.8p32);
            bytes += spread(1) << (at >> (FRACTION_BITS - 3) & 8 * (EIGHTHS - 1));
        }
        for (size_t l = 0; l < LANES; l++) {
            even += bytes[l] & pairs;
            odd += bytes[l] >> 8 & pairs;
        }
        for (size_t b = 0; b < EIGHTHS; b++)
            counts[b] += (b % 2 ? odd : even) >> 8 * (b - b % 2) & UINT16_MAX;
    }
    for (; i < n; i++)
        counts[eighth_of(v[i], least, scale)]++;
}

/*
 * Sets (low, high] to some eighths of the range that hold the k-th largest value and the next. An
 * eighth is widened by 2^-16 of itself, which is more than the fraction's last bit and the rounding
 * here: false where the range is too small for that beside its ends.
 */
static bool find_eighths(const double *v, size_t n, size_t k, double least, double most,
                         double *low, double *high) {
    double range = most - least, scale = EIGHTHS * (1 - 0x1p-20) / range;
    double size = greater_size(least, most);
    size_t counts[EIGHTHS], above = 0, first = EIGHTHS - 1;
    if (!(range > 0x1p-30 * size) || !(range < HUGE_VAL && scale < HUGE_VAL))
        return false;
    count_eighths(v, n, least, scale, counts);
    while (above + counts[first] < k)
        above += counts[first--];
    size_t last = first;
    for (above += counts[first]; above <= k;)
        above += counts[--last];
    *high = first == EIGHTHS - 1 ? most : least + ((double)first + (1 + 0x1p-16)) / scale;
    *low = last == 0 ? -HUGE_VAL : least + ((double)last - 0x1p-16) / scale;
    return true;
}

#define FEW 32

static inline unsigned count_bits(uint64_t set) {
    return (unsigned)__builtin_popcountll(set);
}

/* Bit j: whether v[j] > x, or v[j] = x and j < i, of n values: a multiple of LANES. */
static inline uint64_t before(const double *v, size_t n, double x, size_t i) {
    uint64_t larger = 0, as_large = 0;
    for (size_t j = 0; j < n; j += LANES) {
        larger |= (uint64_t)above(v + j, x) << j;
        as_large |= (uint64_t)at_least(v + j, x) << j;
    }
    return larger | (as_large & ((UINT64_C(1) << i) - 1));
}

/* Sorts by counting the values that come before each one, without a branch that depends on values.
 * Fills v up to a multiple of LANES. */
static void pair_of_few(double *v, size_t n, size_t k, double *kth, double *next) {
    double sorted[FEW + LANES];
    for (size_t l = 0; l < LANES; l++)
        v[n + l] = -HUGE_VAL;
    n = (n + LANES - 1) / LANES * LANES;
    size_t i = 0;
    do
        for (size_t l = 0; l < LANES; l++)
            sorted[count_bits(before(v, n, v[i + l], i + l))] = v[i + l];
    while ((i += LANES) < n);
    *kth = sorted[k - 1];
    *next = sorted[k];
}

#define ROUNDS_MOST 16 /* then quickselect finds the values */

/* g may be work itself: no value is written before it was read. */
static void pair_by_counting(const double *g, size_t n, size_t k, double *work, double *kth,
                             double *next) {
    double least, most, low, high;
    find_extremes(g, n, &least, &most);
    for (int i = 0; i < ROUNDS_MOST && n > FEW; i++) {
        if (!find_eighths(g, n, k, least, most, &low, &high))
            break;
        size_t over, kept = compress(g, n, low, high, work, &over);
        g = work;
        n = kept;
        k -= over;
        least = low > least ? low : least;
        most = high < most ? high : most;
    }
    if (g != work)
        memcpy(work, g, n * sizeof *g);
    if (n <= FEW)
        pair_of_few(work, n, k, kth, next);
    else
        pair_by_select(work, n, k, kth, next);
}

#define SAMPLE_MOST 2048
#define DIRECT      20480 /* below so many values, bracketing costs more than it saves */
#define BYTES_FROM  128   /* fewer are found as soon by eighths */

/* Takes two values of a sample as bracket: three standard deviations of a binomial count to each
 * side of the place where rank k should be. The sample steps by the golden section, so that its
 * steps are not in phase with any side. */
static void bracket_by_sample(const double *g, size_t n, size_t k, double *low, double *high) {
    double sample[SAMPLE_MOST];
    size_t count = n < SAMPLE_MOST ? n : SAMPLE_MOST;
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++, at += UINT64_C(0x9e3779b97f4a7c15))
        sample[i] = g[(at >> 32) * n >> 32];
    double p = (double)k / (double)n, centre = p * (double)count;
    double margin = 3 * sqrt(centre * (1 - p)) + 4;
    *low = -HUGE_VAL;
    *high = HUGE_VAL;
    if (centre - margin >= 1)
        *high = narrow(sample, count, (size_t)(centre - margin), 8).high;
    if (centre + margin < (double)(count - 1))
        *low = narrow(sample, count, (size_t)(centre + margin), 8).low;
}

/*
 * Selection by bytes. A byte is a value's place in the range of a sample, or the range's end. Each
 * operation that makes it is monotone, so of two values with different bytes the one with the
 * larger byte is larger, whatever was rounded. Bytes of values are from -PLACES_HALF to
 * PLACES_HALF; those that fill the last BATCH are smaller.
 */
#define BATCH          64
#define PLACES_HALF    127
#define SAMPLE_VECTORS 16 /* four times as many for more values than SHORT */
#define SHORT          1024

/* Steps by the golden section, as bracket_by_sample does. */
static void sample_extremes(const double *v, size_t n, double *least, double *most) {
    size_t whole = n / LANES, count = n > SHORT ? 4 * SAMPLE_VECTORS : SAMPLE_VECTORS;
    doubles low = load(v), high = low;
    for (uint64_t at = 0; count; count--, at += UINT64_C(0x9e3779b97f4a7c15)) {
        doubles x = load(v + (at >> 32) * whole / (UINT64_C(1) << 32) * LANES);
        low = lesser(low, x);
        high = greater(high, x);
    }
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++) {
            low[l] = low[l + half] < low[l] ? low[l + half] : low[l];
            high[l] = high[l + half] > high[l] ? high[l + half] : high[l];
        }
    *least = low[0];
    *most = high[0];
}

static void to_places(const double *v, size_t n, double scale, double offset, signed char *q) {
    double last[BATCH];
    size_t i = 0;
    for (; i + BATCH <= n; i += BATCH)
        places(v + i, scale, offset, q + i);
    if (i == n)
        return;
    memset(last, 0, sizeof last);
    memcpy(last, v + i, (n - i) * sizeof *v);
    places(last, scale, offset, q + i);
    memset(q + n, -PLACES_HALF - 1, BATCH);
}

static size_t count_over(const signed char *q, size_t n, int x) {
    size_t count = 0;
    for (size_t i = 0; i < n; i += BATCH)
        count += count_bits(over(q + i, (signed char)x));
    return count;
}

/* The k-th largest byte. *above: how many are larger; *from: how many are as large or larger. */
static int rank_byte(const signed char *q, size_t n, size_t k, size_t *above, size_t *from) {
    int low = -PLACES_HALF - 1; /* k or more are over `low`, fewer than k over low + 2 step */
    *above = 0;
    *from = n;
    for (int step = PLACES_HALF + 1; step; step /= 2) {
        size_t count = count_over(q, n, low + step);
        bool more = count >= k;
        low = more ? low + step : low;
        *from = more ? count : *from;
        *above = more ? *above : count;
    }
    return low + 1;
}

/* Copies the values whose bytes are from `low` to `high`; at most `most`. */
static size_t gather(const double *v, const signed char *q, size_t n, int low, int high,
                     size_t most, double *out) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i += BATCH) {
        uint64_t set = over(q + i, (signed char)(low - 1)) & ~over(q + i, (signed char)high);
        for (; set && kept < most; set &= set - 1)
            out[kept++] = v[i + (size_t)__builtin_ctzll(set)];
    }
    return kept;
}

/* False, and nothing found, where values are too close for bytes to tell them apart. */
static bool pair_by_bytes(const double *g, size_t n, size_t k, double *work, double *kth,
                          double *next) {
    double least, most;
    sample_extremes(g, n, &least, &most);
    double range = most - least, scale = 2 * PLACES_HALF / range;
    if (!(range > 0x1p-30 * greater_size(least, most)) || !(range < HUGE_VAL && scale < HUGE_VAL))
        return false;
    signed char *q = (signed char *)work;
    double *out = work + (n + 2 * BATCH) / sizeof *work;
    size_t above, from, unused, room = n / 2;
    to_places(g, n, scale, -PLACES_HALF - least * scale, q);
    int at = rank_byte(q, n, k, &above, &from), low = at;
    if (from == k) { /* the next value is often in the next place */
        from = count_over(q, n, --low - 1);
        if (from == k)
            low = rank_byte(q, n, k + 1, &unused, &from);
    }
    if (from - above > room)
        return false;
    size_t kept = gather(g, q, n, low, at, room, out);
    if (kept <= FEW)
        pair_of_few(out, kept, k - above, kth, next);
    else
        pair_by_counting(out, kept, k - above, out, kth, next);
    return true;
}

static void rank_pair(const double *g, size_t n, size_t k, double *work, double *kth,
                      double *next) {
    if (n >= DIRECT) {
        double low, high;
        size_t over_high;
        bracket_by_sample(g, n, k, &low, &high);
        size_t kept = compress(g, n, low, high, work, &over_high);
        if (over_high < k && k < over_high + kept) {
            pair_by_counting(work, kept, k - over_high, work, kth, next);
            return;
        }
    }
    if (n < BYTES_FROM || n >= DIRECT || !pair_by_bytes(g, n, k, work, kth, next))
        pair_by_counting(g, n, k, work, kth, next);
}
