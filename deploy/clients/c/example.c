/* Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden
 * digest. For little-endian machines: raw answers are such.
 *
 *     cc example.c -o example $(pkg-config --cflags --libs libcurl libsodium jansson)
 *     ./example http://localhost:8080
 */
#include <curl/curl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits"
#define SHA256 "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c"
#define LAW    "seed=7&method=fmix,mixup" /* the first batch is mixed by FMix, the second by MixUp */

enum { N = 4, ELEMENTS = 8 * 8, STEPS = 2, TRIES = 10, MOST_URL = 256 };

/* An answer. The largest that is asked for are the masks of all steps. */
typedef struct body {
    char bytes[STEPS * N * ELEMENTS * sizeof(double)];
    size_t length;
} body;

static size_t take(char *bytes, size_t size, size_t count, void *of) {
    body *b = of;
    size_t n = size * count;
    if (n > sizeof b->bytes - b->length)
        return 0; /* ends the transfer: a larger answer is not what was asked for */
    memcpy(b->bytes + b->length, bytes, n);
    b->length += n;
    return n;
}

/* By GET, or by POST where there is something to send; asks again when it is told to. What the
 * server has against it is said on stderr. */
static bool ask(CURL *curl, const char *target, const double *x, body *out) {
    long status = 0;
    struct curl_slist type = {"Content-Type: application/octet-stream", NULL};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, target);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* bytes a second, */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L); /* over so many seconds */
    if (x) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, &type);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)(N * ELEMENTS * sizeof *x));
    }
    for (int try = 1; try <= TRIES; try++) {
        curl_off_t seconds = 0;
        out->length = 0;
        CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK) {
            fprintf(stderr, "%s: %s\n", target, curl_easy_strerror(code));
            return false;
        }
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
        if ((status != 503 && status != 429) || try == TRIES)
            break;
        sleep(seconds > 0 ? (unsigned)seconds : 1); /* curl says 0 where there is none, too */
    }
    if (status == 200)
        return true;
    json_t *problem = json_loadb(out->bytes, out->length, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    fprintf(stderr, "%s: %ld %s\n", target, status, detail ? detail : "");
    json_decref(problem);
    return false;
}

/* The same, of so many little-endian numbers of eight bytes. */
static bool ask_numbers(CURL *curl, const char *target, const double *x, void *out, size_t count) {
    body b;
    if (!ask(curl, target, x, &b))
        return false;
    if (b.length != 8 * count) {
        fprintf(stderr, "%s: not %zu numbers\n", target, count);
        return false;
    }
    memcpy(out, b.bytes, b.length);
    return true;
}

static bool say(const char *what, bool good) {
    printf("%s: %s\n", what, good ? "ok" : "WRONG");
    return good;
}

static bool check_batches(CURL *curl, const char *url) {
    static double masks[STEPS][N][ELEMENTS]; /* a weight everywhere, for MixUp */
    double x[N][ELEMENTS], there[N][ELEMENTS];
    int64_t pairing[STEPS][N];
    char target[512], what[16];
    const char *plan = "%s/v1/plans.raw?" LAW "&shape=8x8&n=%d&steps=%d&dtype=f64&parts=%s";
    snprintf(target, sizeof target, plan, url, N, STEPS, "masks");
    bool good = ask_numbers(curl, target, NULL, masks, STEPS * N * ELEMENTS);
    snprintf(target, sizeof target, plan, url, N, STEPS, "pairing");
    good = good && ask_numbers(curl, target, NULL, pairing, STEPS * N);
    for (int i = 0; i < N * ELEMENTS; i++)
        x[i / ELEMENTS][i % ELEMENTS] = i / 256.0;
    for (int step = 0; step < STEPS && good; step++) {
        snprintf(target, sizeof target,
                 "%s/v1/mix.raw?" LAW "&step=%d&layout=none&x_shape=%dx8x8&x_dtype=f64", url, step,
                 N);
        if (!ask_numbers(curl, target, x[0], there, N * ELEMENTS))
            return false;
        for (int row = 0; row < N; row++)
            for (int i = 0; i < ELEMENTS; i++) {
                if (pairing[step][row] < 0 || pairing[step][row] >= N) { /* it came by a network */
                    fprintf(stderr, "%s: the partner of row %d is %lld; must be from 0 to %d\n", target, row,
                            (long long)pairing[step][row], N - 1);
                    return false;
                }
                double m = masks[step][row][i];
                double here = m * x[row][i] + (1 - m) * x[pairing[step][row]][i];
                /* Nothing is rounded: weights have 32 bits, x has 8. */
                good = good && here == there[row][i];
            }
        snprintf(what, sizeof what, "batch %d", step);
        good = say(what, good);
    }
    return good;
}

static bool check_digest(CURL *curl, const char *url) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char target[512], text[2 * sizeof hash + 1];
    body b;
    snprintf(target, sizeof target, "%s" GOLDEN, url);
    if (!ask(curl, target, NULL, &b))
        return false;
    crypto_hash_sha256(hash, (const unsigned char *)b.bytes, b.length);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    return say("golden digest", strcmp(text, SHA256) == 0);
}

int main(int argc, char **argv) {
    if (argc != 2 || strlen(argv[1]) > MOST_URL) {
        fprintf(stderr, "usage: example URL (of at most %d characters)\n", MOST_URL);
        return 2;
    }
    CURL *curl = curl_easy_init();
    if (!curl || sodium_init() < 0)
        return 2;
    bool good = check_batches(curl, argv[1]) && check_digest(curl, argv[1]);
    curl_easy_cleanup(curl);
    return good ? 0 : 1;
}
