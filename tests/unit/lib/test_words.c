#include "unit.h"

#include "words.h"

static void philox_gives_the_published_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        fmix_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].words, sizeof out);
    }
}

static void lanes_give_the_words_of_each_counter(void **state) {
    (void)state;
    uint64_t random = 4;
    const uint32_t key[2] = {0xa4093822, 0x299f31d0};
    for (unsigned run = 0; run < 100; run++) {
        uint32_t c[4][FMIX_PHILOX_LANES], expected[FMIX_PHILOX_LANES][4];
        for (unsigned l = 0; l < FMIX_PHILOX_LANES; l++) {
            uint32_t counter[4];
            for (unsigned i = 0; i < 4; i++)
                c[i][l] = counter[i] = (uint32_t)unit_random(&random);
            fmix_philox(counter, key, expected[l]);
        }
        fmix_philox_lanes(key, c);
        for (unsigned l = 0; l < FMIX_PHILOX_LANES; l++)
            for (unsigned i = 0; i < 4; i++)
                assert_int_equal(c[i][l], expected[l][i]);
    }
}

static void key_and_first_words_are_those_of_the_contract(void **state) {
    (void)state;
    fmix_key key;
    uint32_t w[4];
    assert_ok(fmix_key_derive(0, FMIX_DOMAIN_LAMBDA, &key));
    assert_int_equal(key.k[0], 2221398954u);
    assert_int_equal(key.k[1], 3382510279u);
    fmix_words_block(&key, 0, 0, w);
    assert_int_equal(w[0], 3477432570u);
    assert_int_equal(w[1], 1082735229u);
    assert_int_equal(w[2], 3588327856u);
    assert_int_equal(w[3], 3167318664u);
}

static void later_domains_begin_with_the_words_of_the_contract(void **state) {
    (void)state;
    static const struct {
        fmix_domain domain;
        uint32_t words[2];
    } known[] = {{FMIX_DOMAIN_VIEW, {3779658516u, 1806583703u}},
                 {FMIX_DOMAIN_CHOICE, {3222680216u, 1219193272u}},
                 {FMIX_DOMAIN_PARTNER, {1908639587u}},
                 {FMIX_DOMAIN_BUCKET, {217067717u}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        fmix_key key;
        uint32_t w[4];
        assert_ok(fmix_key_derive(0, known[i].domain, &key));
        fmix_words_block(&key, 0, 0, w);
        assert_int_equal(w[0], known[i].words[0]);
        if (known[i].words[1])
            assert_int_equal(w[1], known[i].words[1]);
    }
}

static void numbers_below_m_come_from_the_first_words_below_its_last_multiple(void **state) {
    (void)state;
    static const uint32_t ms[] = {1, 2, 3, 1000, UINT32_C(0x80000001), UINT32_MAX};
    fmix_key key;
    assert_ok(fmix_key_derive(3, FMIX_DOMAIN_PAIRING, &key));
    for (size_t i = 0; i < sizeof ms / sizeof *ms; i++) {
        fmix_word_reader reader = {.key = &key, .index = 12};
        uint64_t next = 0, whole = (UINT64_C(1) << 32) / ms[i] * ms[i];
        for (unsigned drawn = 0; drawn < 1000; drawn++) {
            uint32_t w[4];
            do
                fmix_words_block(&key, 12, next / 4, w);
            while (w[next++ % 4] >= whole);
            assert_int_equal(fmix_words_below(&reader, ms[i]), w[(next - 1) % 4] % ms[i]);
        }
    }
}

static void domains_and_seeds_have_different_keys(void **state) {
    (void)state;
    fmix_key a, b;
    assert_ok(fmix_key_derive(7, FMIX_DOMAIN_LAMBDA, &a));
    assert_ok(fmix_key_derive(7, FMIX_DOMAIN_BOX, &b));
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_ok(fmix_key_derive(UINT64_C(7) << 32, FMIX_DOMAIN_LAMBDA, &b));
    assert_memory_not_equal(&a, &b, sizeof a);
}

RUN(T(philox_gives_the_published_known_answers), T(lanes_give_the_words_of_each_counter),
    T(key_and_first_words_are_those_of_the_contract), T(domains_and_seeds_have_different_keys),
    T(later_domains_begin_with_the_words_of_the_contract),
    T(numbers_below_m_come_from_the_first_words_below_its_last_multiple))
