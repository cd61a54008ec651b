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
    bool parted; /* exactly k values are above `between` */
    double between;
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
            b.parted = true;
            b.between = x;
            break;
        }
    }
    return b;
}

/* Copies the values in (low, high] and counts the values above. */
static size_t compress(const double *g, size_t n, double low, double high, double *out,
                       size_t *above_high) {
    size_t kept = 0, more = 0, i = 0;
    for (; i + LANES <= n; i += LANES) {
        unsigned over = above(g + i, high), set = above(g + i, low) & ~over;
        more += (size_t)__builtin_popcount(over);
        kept += keep(g + i, set, out + kept);
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

/* The smallest value above x and the largest value not above x. */
static void neighbours(const double *v, size_t n, double x, double *over, double *under) {
    const doubles none = (doubles){0} + HUGE_VAL, at = (doubles){0} + x;
    doubles least = none, most = -none;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        doubles value = load(v + i);
        lanes above_x = (lanes)(value > at);
        least = lesser(least, pick(above_x, value, none));
        most = greater(most, pick(above_x, -none, value));
    }
    *over = HUGE_VAL;
    *under = -HUGE_VAL;
    for (size_t l = 0; l < LANES; l++) {
        *over = least[l] < *over ? least[l] : *over;
        *under = most[l] > *under ? most[l] : *under;
    }
    for (; i < n; i++) {
        *over = v[i] > x && v[i] < *over ? v[i] : *over;
        *under = v[i] <= x && v[i] > *under ? v[i] : *under;
    }
}

/* g may be work itself: no value is written before it was read. */
static void pair_by_counting(const double *g, size_t n, size_t k, double *work, double *kth,
                             double *next) {
    bracket b = narrow(g, n, k, FEW);
    if (b.parted) {
        neighbours(g, n, b.between, kth, next);
        return;
    }
    size_t over, kept = compress(g, n, b.low, b.high, work, &over);
    if (kept <= FEW)
        pair_of_few(work, kept, k - over, kth, next);
    else
        pair_by_select(work, kept, k - over, kth, next);
}

#define SAMPLE_MOST 2048
#define DIRECT      2048 /* below so many values, bracketing costs more than it saves */

/* Takes two values of a sample as bracket: three standard deviations of a binomial count to each
 * side of the place where rank k should be. The sample steps by the golden section, so that its
 * steps are not in phase with any side. */
static void bracket_by_sample(const double *g, size_t n, size_t k, double *low, double *high) {
    double sample[SAMPLE_MOST];
    size_t count = n / 8 < SAMPLE_MOST ? n / 8 : SAMPLE_MOST;
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
