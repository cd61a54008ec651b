#include "unit.h"

#include "ops/config.h"

#include <stdio.h>
#include <unistd.h>

/* The result of config_load for some flags, and its messages. */
typedef struct loaded {
    config_result result;
    config config;
    char said[400];
} loaded;

static loaded load_list(const char *const *flags) {
    loaded l;
    char *argv[16] = {(char[]){"fmixd"}};
    int argc = 1;
    for (; flags[argc - 1]; argc++)
        argv[argc] = strdup(flags[argc - 1]);
    FILE *errors = fmemopen(l.said, sizeof l.said, "w");
    l.result = config_load(argc, argv, 1, &l.config, errors);
    fclose(errors);
    while (argc > 1)
        free(argv[--argc]);
    return l;
}

#define LOAD(...) load_list((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(const loaded *l, const char *word) {
    assert_int_equal(l->result, CONFIG_BAD);
    if (!strstr(l->said, word))
        fail_msg("'%s' does not say '%s'", l->said, word);
}

#define AT(field) offsetof(config, field)
#define K         UINT64_C(1024)

/* Each number, its ends and one beyond each. */
static const struct {
    const char *flag, *variable;
    size_t offset;
    uint64_t fallback;
    const char *least, *most, *below, *above;
    uint64_t least_value, most_value;
} numbers[] = {
    {"--threads", "FMIXD_THREADS", AT(threads), 0, "1", "1024", "-1", "1025", 1, 1024},
    {"--io-threads", "FMIXD_IO_THREADS", AT(io_threads), 2, "1", "64", "0", "65", 1, 64},
    {"--connections", "FMIXD_CONNECTIONS", AT(connections), 8192, "16", "100000", "15", "100001",
     16, 100000},
    {"--queue", "FMIXD_QUEUE", AT(queue), 1024, "1", "100000", "0", "100001", 1, 100000},
    {"--body", "FMIXD_BODY", AT(body), 256 * K *K, "1", "16G", "0", "17179869185", 1, 16 * K *K *K},
    {"--elements", "FMIXD_ELEMENTS", AT(elements), 1 << 24, "1", "16777216", "0", "16777217", 1,
     1 << 24},
    {"--cache", "FMIXD_CACHE", AT(cache), 128 * K *K, "0", "64G", "-1", "68719476737", 0,
     64 * K *K *K},
    {"--drain", "FMIXD_DRAIN", AT(drain), 2, "0", "3600", "-1", "3601", 0, 3600},
    {"--deadline", "FMIXD_DEADLINE", AT(deadline), 20, "0", "3600", "-1", "3601", 0, 3600},
};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static uint64_t number_of(const loaded *l, size_t i) {
    return *(const uint64_t *)(const void *)((const char *)&l->config + numbers[i].offset);
}

static void without_flags_there_are_defaults(void **state) {
    (void)state;
    loaded l = LOAD(NULL);
    assert_int_equal(l.result, CONFIG_OK);
    assert_string_equal(l.config.listen, "127.0.0.1:8080");
    assert_true(l.config.threads >= 1); /* as many as there are cores */
    for (size_t i = 1; i < NUMBERS; i++)
        assert_true(number_of(&l, i) == numbers[i].fallback);
}

static void every_number_takes_its_least_and_most_and_not_one_beyond(void **state) {
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++) {
        loaded l = LOAD(numbers[i].flag, numbers[i].least);
        assert_int_equal(l.result, CONFIG_OK);
        assert_true(number_of(&l, i) == numbers[i].least_value);
        l = LOAD(numbers[i].flag, numbers[i].most);
        assert_int_equal(l.result, CONFIG_OK);
        assert_true(number_of(&l, i) == numbers[i].most_value);
        l = LOAD(numbers[i].flag, numbers[i].below);
        assert_refused(&l, numbers[i].below);
        l = LOAD(numbers[i].flag, numbers[i].above);
        assert_refused(&l, numbers[i].above);
    }
}

static void no_number_takes_garbage(void **state) {
    (void)state;
    static const char *const garbage[] = {
        "",     " 20",  "20 ",    "+20",
        "0x20", "20.0", "2e1",    "20k",
        "20T",  "20KB", "20MM",   "K",
        "20,0", "nan",  "--",     "18446744073709551616",
        "２",   "20G1", "twenty", "99999999999999999999999999",
    };
    for (size_t i = 0; i < NUMBERS; i++)
        for (size_t g = 0; g < sizeof garbage / sizeof *garbage; g++) {
            loaded l = LOAD(numbers[i].flag, garbage[g]);
            assert_refused(&l, "must be");
        }
}

static void bytes_take_units_and_counts_do_not(void **state) {
    (void)state;
    loaded l = LOAD("--body", "3K", "--cache", "5M");
    assert_true(l.config.body == 3 * K && l.config.cache == 5 * K * K);
    l = LOAD("--body", "2G", "--cache", "7");
    assert_true(l.config.body == 2 * K * K * K && l.config.cache == 7);
    static const char *const flags[] = {"--queue", "--elements", "--threads"};
    for (size_t i = 0; i < 3; i++) {
        l = LOAD(flags[i], "1K");
        assert_refused(&l, "1K");
    }
    static const char *const wrapping[] = {"18014398509481985K", "17592186044417M", "17179869185G",
                                           "18446744073709551615G"};
    for (size_t i = 0; i < 4; i++) {
        l = LOAD("--body", wrapping[i]); /* past 2^64: these would wrap to small numbers */
        assert_refused(&l, wrapping[i]);
    }
}

static void a_flag_beats_the_environment_beats_the_default(void **state) {
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++) {
        setenv(numbers[i].variable, numbers[i].most, 1);
        loaded both = LOAD(numbers[i].flag, numbers[i].least), one = LOAD(NULL);
        unsetenv(numbers[i].variable);
        assert_true(number_of(&both, i) == numbers[i].least_value);
        assert_true(number_of(&one, i) == numbers[i].most_value);
    }
    setenv("FMIXD_LISTEN", "0.0.0.0:1", 1);
    loaded l = LOAD(NULL);
    unsetenv("FMIXD_LISTEN");
    assert_string_equal(l.config.listen, "0.0.0.0:1");
}

static void a_bad_environment_is_refused_and_named(void **state) {
    (void)state;
    setenv("FMIXD_QUEUE", "many", 1);
    loaded l = LOAD(NULL);
    unsetenv("FMIXD_QUEUE");
    assert_refused(&l, "environment queue is 'many'");
}

static void a_value_follows_its_flag_or_an_equals_sign(void **state) {
    (void)state;
    loaded l = LOAD("--queue=5", "--io_threads", "3", "--io-threads=4", "--listen=[::1]:9");
    assert_int_equal(l.result, CONFIG_OK);
    assert_true(l.config.queue == 5 && l.config.io_threads == 4);
    assert_string_equal(l.config.listen, "[::1]:9");
    l = LOAD("--queue", "5", "--queue", "6"); /* the last one counts */
    assert_true(l.config.queue == 6);
}

static void an_unknown_option_is_refused_by_name(void **state) {
    (void)state;
    static const char *const unknown[] = {
        "--colour",   "--",      "-q",   "queue",    "",         "--=5",          "--queu",
        "--queues=5", "--QUEUE", "--io", "---queue", "-queue=5", "--io--threads", "--\xff"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        loaded l = LOAD(unknown[i], "5");
        assert_refused(&l, unknown[i][0] == '-' ? "unknown option '" : "unexpected argument '");
    }
}

static void an_unknown_option_is_answered_with_the_nearest(void **state) {
    (void)state;
    loaded l = LOAD("--io-thread", "5");
    assert_refused(&l, "unknown option '--io-thread'; did you mean --io-threads?");
    l = LOAD("--qeue=5");
    assert_refused(&l, "; did you mean --queue?");
    l = LOAD("--colour");
    assert_refused(&l, "; see fmixd --help");
}

static void a_missing_or_empty_value_is_refused(void **state) {
    (void)state;
    loaded l = LOAD("--queue");
    assert_refused(&l, "--queue needs a value");
    l = LOAD("--queue=");
    assert_refused(&l, "queue is ''");
    l = LOAD("--queue", "--drain", "5");
    assert_refused(&l, "queue is '--drain'");
}

static void help_and_version_may_be_asked_for_anywhere(void **state) {
    (void)state;
    assert_int_equal(LOAD("--help").result, CONFIG_HELP);
    assert_int_equal(LOAD("--queue", "5", "-h").result, CONFIG_HELP);
    assert_int_equal(LOAD("--queue", "--help").result, CONFIG_BAD);
    assert_int_equal(LOAD("--queue", "5", "--version").result, CONFIG_VERSION);
    assert_int_equal(LOAD("-V").result, CONFIG_VERSION);
}

static void only_flags_from_the_first_on_are_read(void **state) {
    (void)state;
    char *argv[] = {(char[]){"fmixd"}, (char[]){"config"}, (char[]){"--queue=9"}};
    config c;
    assert_int_equal(config_load(3, argv, 2, &c, stderr), CONFIG_OK);
    assert_true(c.queue == 9);
}

static void an_address_fits_its_field(void **state) {
    (void)state;
    loaded l = LOAD("--listen", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80");
    assert_int_equal(l.result, CONFIG_BAD); /* 64 with the colon and port */
}

static void listen_is_checked_when_the_setting_is_read(void **state) {
    (void)state;
    loaded l = LOAD("--listen", "127.0.0.1:65536");
    assert_refused(&l, "listen is '127.0.0.1:65536'");
}

static void origins_are_a_star_or_a_list_of_them(void **state) {
    (void)state;
    loaded l = LOAD("--cors", "https://a.example,http://localhost:3000");
    assert_int_equal(l.result, CONFIG_OK);
    assert_string_equal(l.config.cors, "https://a.example,http://localhost:3000");
    l = LOAD("--cors", "https://a.example/");
    assert_refused(&l, "flag cors is 'https://a.example/'; it must be * or origins");
    char text[CONFIG_ORIGINS + 1] = "https://";
    memset(text + 8, 'a', sizeof text - 9);
    l = LOAD("--cors", text);
    assert_refused(&l, "cors is 'https://aaa");
    text[CONFIG_ORIGINS - 1] = 0;
    l = LOAD("--cors", text);
    assert_int_equal(l.result, CONFIG_OK);
}

static void printed_settings_can_be_read_back(void **state) {
    (void)state;
    char text[4000] = "";
    loaded l = LOAD("--queue", "7", "--threads", "3", "--body", "1K", "--memory", "64M");
    FILE *out = fmemopen(text, sizeof text, "w");
    config_print(&l.config, out);
    fclose(out);
    static const char *const lines[] = {"listen = 127.0.0.1:8080 # default\n",
                                        "\nthreads = 3 # flag\n",
                                        "\nqueue = 7 # flag\n",
                                        "\nbody = 1024 # flag\n",
                                        "\nmemory = 67108864 # flag\n",
                                        "\nlog = json # default\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(text, lines[i]));
    config again = {.file = "printed"};
    assert_true(config_read_text(text, &again, stderr));
    assert_true(again.queue == 7 && again.body == 1024 && again.memory == 64 * K * K);
}

/* Reads a settings file of this text, and returns the messages; empty: no message. */
static config_result read_file(const char *text, config *c, char *errors, size_t room) {
    char path[] = "/tmp/fmixd-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    char *argv[] = {(char[]){"fmixd"}, (char[]){"--config"}, path, (char[]){"--queue=9"}};
    FILE *out = fmemopen(errors, room, "w");
    setenv("FMIXD_DRAIN", "33", 1);
    config_result result = config_load(4, argv, 1, c, out);
    unsetenv("FMIXD_DRAIN");
    fclose(out);
    unlink(path);
    return result;
}

static void a_file_counts_for_more_than_defaults_and_less_than_the_rest(void **state) {
    (void)state;
    char errors[400] = "";
    config c;
    assert_int_equal(read_file("# ours\r\n\r\nqueue = 5\ndrain=4 # or\nbody\t=\t2M  \r\n"
                               "  cache = 1K",
                               &c, errors, sizeof errors),
                     CONFIG_OK);
    assert_true(c.queue == 9 && c.drain == 33 && c.body == 2 * K * K && c.cache == K);
    assert_true(c.deadline == 20);
}

static void a_number_sign_within_a_word_is_part_of_it(void **state) {
    (void)state;
    char errors[400] = "";
    config c;
    assert_int_equal(read_file("data = /srv/a#b # ours\n#wisdom = x\n\t#\ntokens = /t#", &c, errors,
                               sizeof errors),
                     CONFIG_OK);
    assert_string_equal(c.data, "/srv/a#b");
    assert_string_equal(c.wisdom, "");
    assert_string_equal(c.tokens, "/t#");
}

static void an_error_in_a_file_is_named_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *said;
    } table[] = {
        {"\n\nbody = 0\n", ":3: body is '0'; it must be a number of bytes"},
        {"queue = 5\nqueue = 6", ":2: queue is set in line 1 already"},
        {"bodi = 5", ":1: unknown setting 'bodi'; did you mean body?"},
        {"QUEUE = 5", ":1: unknown setting 'QUEUE'"},
        {"io-threads = 5", ":1: unknown setting 'io-threads'; did you mean io_threads?"},
        {"zzz", ":1: unknown setting 'zzz'; see fmixd --help"},
        {"= 5", ":1: unknown setting ''"},
        {"queue", ":1: queue has no value; write queue = value"},
        {"queue 5", ":1: queue has no value"},
        {"queue =", ":1: queue is ''"},
        {"queue = 5 6", ":1: queue is '5 6'"},
        {"config = x", ":1: a settings file cannot name another by config"},
        {"listen = here", ":1: listen is 'here'; it must be ADDR:PORT"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char errors[400] = "";
        config c;
        assert_int_equal(read_file(table[i].text, &c, errors, sizeof errors), CONFIG_BAD);
        if (!strstr(errors, table[i].said))
            fail_msg("%s\n%s", table[i].text, errors);
    }
}

static void a_missing_or_too_large_file_is_refused(void **state) {
    (void)state;
    loaded l = LOAD("--config", "/nowhere/at/all");
    assert_refused(&l, "config: '/nowhere/at/all' cannot be read");
    static char large[CONFIG_FILE_BYTES + 2];
    memset(large, '#', sizeof large - 1);
    char errors[400] = "";
    config c;
    assert_int_equal(read_file(large, &c, errors, sizeof errors), CONFIG_BAD);
    assert_non_null(strstr(errors, "has more than 65536 bytes"));
}

static void an_unknown_variable_is_refused_by_name(void **state) {
    (void)state;
    setenv("FMIXD_QUEUES", "5", 1);
    loaded l = LOAD(NULL);
    unsetenv("FMIXD_QUEUES");
    assert_refused(&l, "environment: unknown setting 'QUEUES'; did you mean FMIXD_QUEUE?");
    setenv("FMIXD_queue", "5", 1);
    l = LOAD(NULL);
    unsetenv("FMIXD_queue");
    assert_refused(&l, "environment: unknown setting 'queue'; did you mean FMIXD_QUEUE?");
    setenv("FMIXD_SERVICE_HOST", "10.0.0.1", 1); /* as Kubernetes does */
    setenv("FMIXD_PORT_80_TCP", "tcp://10.0.0.1:80", 1);
    setenv("FMIXD_PORT", "tcp://10.0.0.1:80", 1);
    l = LOAD(NULL);
    unsetenv("FMIXD_SERVICE_HOST");
    unsetenv("FMIXD_PORT_80_TCP");
    unsetenv("FMIXD_PORT");
    assert_int_equal(l.result, CONFIG_OK);
}

/* The settings of the shell that runs the tests must not reach them. */
static int forget_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++)
        unsetenv(numbers[i].variable);
    return unsetenv("FMIXD_LISTEN");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(without_flags_there_are_defaults),
        T(every_number_takes_its_least_and_most_and_not_one_beyond),
        T(no_number_takes_garbage),
        T(bytes_take_units_and_counts_do_not),
        T(a_flag_beats_the_environment_beats_the_default),
        T(a_bad_environment_is_refused_and_named),
        T(a_value_follows_its_flag_or_an_equals_sign),
        T(an_unknown_option_is_refused_by_name),
        T(an_unknown_option_is_answered_with_the_nearest),
        T(a_missing_or_empty_value_is_refused),
        T(help_and_version_may_be_asked_for_anywhere),
        T(only_flags_from_the_first_on_are_read),
        T(an_address_fits_its_field),
        T(listen_is_checked_when_the_setting_is_read),
        T(origins_are_a_star_or_a_list_of_them),
        T(printed_settings_can_be_read_back),
        T(a_file_counts_for_more_than_defaults_and_less_than_the_rest),
        T(a_number_sign_within_a_word_is_part_of_it),
        T(an_error_in_a_file_is_named_with_its_line),
        T(a_missing_or_too_large_file_is_refused),
        T(an_unknown_variable_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, forget_environment, NULL);
}
