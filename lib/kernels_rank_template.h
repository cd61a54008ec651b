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

/* The k-th largest is the smallest value with fewer than k values above it. */
static void pair_of_few(double *v, size_t n, size_t k, double *kth, double *next) {
    for (size_t i = n; i % LANES != 0; i++)
        v[i] = -HUGE_VAL;
    *kth = *next = HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        size_t larger = count_above(v, (n + LANES - 1) / LANES * LANES, v[i]);
        *kth = larger < k && v[i] < *kth ? v[i] : *kth;
        *next = larger <= k && v[i] < *next ? v[i] : *next;
    }
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

static void rank_pair(const double *g, size_t n, size_t k, double *work, double *kth,
                      double *next) {
    if (n >= DIRECT) {
        double low, high;
        size_t over;
        bracket_by_sample(g, n, k, &low, &high);
        size_t kept = compress(g, n, low, high, work, &over);
        if (over < k && k < over + kept) {
            pair_by_counting(work, kept, k - over, work, kth, next);
            return;
        }
    }
    pair_by_counting(g, n, k, work, kth, next);
}
