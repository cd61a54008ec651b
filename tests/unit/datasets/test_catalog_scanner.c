/* The thread that scans: nobody waits for it, and it stops at once. */
#include "small_set.h"

#include "datasets/catalog_scanner.h"

static char reason[CATALOG_REASON];

static catalog *fill(void) {
    catalog *c = catalog_new(folder_root, DATASET_VERIFY_START, folder_errors);
    assert_non_null(c);
    return c;
}

static bool is_served(catalog *c, const char *name) {
    dataset *d = catalog_find(c, name, reason);
    bool served = d && dataset_state(d) == MAPPED_FILE_WHOLE;
    dataset_release(d);
    return served;
}

/* As an answer looks at its set. */
static void look_at(catalog *c, const char *name) {
    dataset *d = catalog_find(c, name, reason);
    dataset_is_whole(d);
    dataset_release(d);
}

/* A set of 32 GiB of zeros that the disk need not hold. Reading them takes half a minute, after
 * which the digest is wrong. */
static void write_large(void) {
    static const char head[] =
        "{\"fmixd\": 1, \"count\": 32768, \"dtype\": \"u8\", \"shape\": [1024, 1024],"
        " \"layout\": \"none\", \"heads\": [], \"digest\": \"";
    char manifest[400];
    snprintf(manifest, sizeof manifest, "%s%064d\"}", head, 0);
    folder_make(".large");
    folder_write(".large/manifest.json", manifest, strlen(manifest));
    folder_write(".large/data.bin", "", 0);
    assert_int_equal(truncate(folder_path(".large/data.bin"), (off_t)32 << 30), 0);
    assert_int_equal(rename(folder_path(".large"), folder_path("large")), 0);
}

static bool is_mapped(const char *name) {
    char line[1000];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

static void a_scan_that_is_asked_for_finds_a_new_set(void **state) {
    (void)state;
    catalog *c = fill();
    catalog_scanner *s = catalog_scanner_new(c, folder_errors);
    assert_non_null(s);
    small_write("a");
    catalog_scanner_ask(s);
    UNIT_UNTIL(is_served(c, "a"));
    catalog_scanner_free(s);
    catalog_free(c);
}

static void a_doubtful_set_is_read_again_without_being_asked_for(void **state) {
    (void)state;
    small_write("a");
    small_make_old("a");
    catalog *c = fill();
    small_await_tick("a/data.bin");
    assert_int_equal(chmod(folder_path("a/data.bin"), 0640), 0);
    look_at(c, "a");
    assert_false(is_served(c, "a"));
    catalog_scanner *s = catalog_scanner_new(c, folder_errors);
    UNIT_UNTIL(is_served(c, "a"));
    assert_false(catalog_has_doubtful(c));
    catalog_scanner_free(s);
    catalog_free(c);
}

static void altered_bytes_are_never_served_even_with_their_time_set_back(void **state) {
    (void)state;
    small_write("a");
    small_make_old("a");
    catalog *c = fill();
    small_await_tick("a/data.bin");
    small_alter("a/data.bin", 9);
    look_at(c, "a");
    assert_false(is_served(c, "a"));
    catalog_scanner *s = catalog_scanner_new(c, folder_errors);
    UNIT_UNTIL(!is_served(c, "a") && reason[0]);
    assert_non_null(strstr(reason, "its digest is "));
    small_alter("a/data.bin", 1);
    catalog_scanner_ask(s);
    UNIT_UNTIL(is_served(c, "a"));
    catalog_scanner_free(s);
    catalog_free(c);
}

static void asking_does_not_wait_and_the_end_interrupts_a_scan(void **state) {
    (void)state;
    small_write("a");
    catalog *c = fill();
    catalog_scanner *s = catalog_scanner_new(c, folder_errors);
    write_large();
    catalog_scanner_ask(s);
    UNIT_UNTIL(is_mapped("large/data.bin"));
    small_write("b");
    catalog_scanner_ask(s);
    assert_true(is_served(c, "a"));
    assert_true(is_mapped("large/data.bin")); /* the scan is still under way */
    catalog_scanner_free(s);
    assert_false(is_mapped("large/data.bin"));
    assert_false(is_served(c, "large"));
    assert_string_equal(reason, "");
    assert_true(is_served(c, "a"));
    catalog_free(c);
}

static void after_the_end_nothing_is_scanned(void **state) {
    (void)state;
    catalog *c = fill();
    catalog_scanner *s = catalog_scanner_new(c, folder_errors);
    catalog_scanner_end(s);
    small_write("a");
    catalog_scanner_ask(s);
    catalog_scanner_free(s);
    assert_false(is_served(c, "a"));
    catalog_scanner_free(NULL);
    catalog_free(c);
}

RUN(IN_FOLDER(a_scan_that_is_asked_for_finds_a_new_set),
    IN_FOLDER(a_doubtful_set_is_read_again_without_being_asked_for),
    IN_FOLDER(altered_bytes_are_never_served_even_with_their_time_set_back),
    IN_FOLDER(asking_does_not_wait_and_the_end_interrupts_a_scan),
    IN_FOLDER(after_the_end_nothing_is_scanned))
