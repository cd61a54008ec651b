/* The command line of an import, and its help. */
#include "importing.h"

static int run(int argc, const char *const *arguments) {
    char *argv[16];
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)arguments[i];
    argv[argc] = NULL;
    return import_command(argc, argv, folder_errors, folder_errors);
}

#define RUN_ARGUMENTS(...)                                                                         \
    run((int)(sizeof((const char *[]){"import", __VA_ARGS__}) / sizeof(char *)),                   \
        (const char *[]){"import", __VA_ARGS__})

static void help_names_every_kind_and_option_within_80_columns(void **state) {
    (void)state;
    static const char *const words[] = {
        "Usage: fmixd import SET --from KIND FILE... [OPTION]...\n",
        "\n  npy X [Y] ",
        "\n  idx IMAGES [LABELS] ",
        "\n  cifar FILE... ",
        "\n  safetensors FILE ",
        "\n  folder DIRECTORY ",
        "\n  ragged X OFFSETS [Y] ",
        "\n  --layout LAYOUT ",
        "\n  --classes N ",
        "\n  --channels N ",
        "\n  --cifar N ",
        "\n  --dense [NAME=]FILE ",
        "\n  --neighbours FILE ",
        "\n  --values ",
        "\n  --skip-bad ",
        "\n  --allow-empty ",
        "\n  --help ",
        "(npy, idx, safetensors, ragged)",
        "folder, list, tar)",
        "\nExamples:\n  fmixd import sets/",
    };
    assert_int_equal(RUN_ARGUMENTS("anything", "--what", "--help"), 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_true(folder_said(words[i]));
    for (const char *line = folder_text; *line;) {
        size_t length = strcspn(line, "\n");
        assert_in_range(length, 0, 80);
        assert_true(length == 0 || line[length - 1] != ' ');
        line += length + 1;
    }
}

static void help_that_cannot_be_written_is_an_error(void **state) {
    (void)state;
    char *argv[] = {"import", "--help", NULL};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(import_command(2, argv, full, folder_errors), 1);
    fclose(full);
    assert_true(folder_said("the help text cannot be written"));
}

static void a_wrong_command_line_is_explained_with_the_synopsis_and_ends_with_2(void **state) {
    (void)state;
    static const struct {
        const char *arguments[7], *reason;
    } bad[] = {
        {{"import"}, "the directory SET is missing"},
        {{"import", "set"}, "--from is missing"},
        {{"import", "set", "--from"}, "--from needs a value"},
        {{"import", "set", "--from", "csv"},
         "--from is 'csv'; it must be npy, idx, cifar, safetensors, folder, list, tar or ragged"},
        {{"import", "set", "--from", "npy"}, "--from npy takes X [Y]"},
        {{"import", "set", "--what"}, "there is no option '--what'"},
        {{"import", "set", "--classes"}, "--classes needs a value: an integer from 1 to 1048576"},
        {{"import", "set", "--classes", "0"}, "--classes is '0'; it must be an integer from 1 to"},
        {{"import", "set", "--classes", "1048577"}, "it must be an integer from 1 to 1048576"},
        {{"import", "set", "--classes", "-1"}, "--classes is '-1'"},
        {{"import", "set", "--classes", "3x"}, "--classes is '3x'"},
        {{"import", "set", "--classes", "99999999999999999999"}, "--classes is '99999999"},
        {{"import", "set", "--layout", "up"},
         "--layout is 'up'; it must be channels_first, channels_last or none"},
        {{"import", "set", "--channels", "2"}, "--channels is '2'; it must be 1 or 3"},
        {{"import", "set", "--cifar", "20"}, "--cifar is '20'; it must be 10 or 100"},
        {{"import", "set", "--dense"}, "--dense needs a value: FILE or NAME=FILE"},
        {{"import", "set", "--dense", "a.b=x"}, "--dense is 'a.b=x'; it must be FILE or NAME=FILE"},
        {{"import", "set", "--dense", "=x"}, "--dense is '=x'; it must be FILE or NAME=FILE"},
        {{"import", "set", "--dense", "a="}, "--dense is 'a='; it must be FILE or NAME=FILE"},
        {{"import", "set", "--dense", "abcdefghijklmnopqrstuvwxyz=x"}, "at most 25 letters"},
        {{"import", "set", "--neighbours", "x", "--neighbours", "x"},
         "--neighbours is 'x'; it must be one npy file"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int argc = 0;
        while (argc < 7 && bad[i].arguments[argc])
            argc++;
        folder_forget();
        assert_int_equal(run(argc, bad[i].arguments), 2);
        assert_true(folder_said(bad[i].reason));
        assert_true(folder_said("Usage: fmixd import SET --from KIND FILE..."));
        assert_true(folder_said("'fmixd import --help'"));
    }
}

static void the_largest_number_of_classes_is_the_one_that_is_told(void **state) {
    (void)state;
    char least[16], most[16];
    snprintf(most, sizeof most, "%u", FMIX_MAX_CLASSES);
    snprintf(least, sizeof least, "%u", FMIX_MAX_CLASSES + 1);
    assert_int_equal(IMPORT("--from", "npy", "/nothing", "--classes", most), 1);
    assert_true(folder_said("'/nothing' cannot be read: No such file"));
    assert_int_equal(IMPORT("--from", "npy", "/nothing", "--classes", least), 2);
    assert_true(folder_said(most)); /* the message has it, and not the argument that was given */
}

static void an_option_that_a_kind_does_not_take_is_refused(void **state) {
    (void)state;
    assert_int_equal(IMPORT("--from", "npy", "x", "--skip-bad"), 2);
    assert_true(folder_said("--skip-bad does not apply to --from npy"));
    assert_int_equal(IMPORT("--from", "folder", "x", "--layout", "none"), 2);
    assert_true(folder_said("--layout does not apply to --from folder"));
    assert_int_equal(IMPORT("--from", "ragged", "x", "y", "--dense", "z"), 2);
    assert_true(folder_said("--dense does not apply to --from ragged"));
}

static void options_may_stand_anywhere(void **state) {
    (void)state;
    body b = {.length = 0};
    body_make(&b, BODY_NPY, 1);
    folder_write("x.npy", b.bytes, b.length);
    const char *arguments[] = {"import", "--layout",         "channels_first",    "--from",
                               "npy",    folder_path("set"), folder_path("x.npy")};
    assert_int_equal(run(7, arguments), 0);
    dataset *d = importing_open();
    assert_int_equal(d->x.layout, LAYOUT_CHANNELS_FIRST);
    dataset_release(d);
}

/* Reading all files may take hours: a name that will be refused is refused before. */
static void the_name_of_the_set_is_checked_before_a_file_is_read(void **state) {
    (void)state;
    assert_int_equal(RUN_ARGUMENTS("a.b", "--from", "folder", "/nothing"), 1);
    assert_true(folder_said("'a.b' is not a valid name of a data set"));
    folder_make("set");
    assert_int_equal(IMPORT("--from", "folder", "/nothing"), 1);
    assert_true(folder_said("/set' already exists"));
    assert_true(folder_said_nothing_of("/nothing"));
    assert_int_equal(folder_count("set"), 0);
}

RUN(IN_FOLDER(help_names_every_kind_and_option_within_80_columns),
    IN_FOLDER(help_that_cannot_be_written_is_an_error),
    IN_FOLDER(a_wrong_command_line_is_explained_with_the_synopsis_and_ends_with_2),
    IN_FOLDER(the_largest_number_of_classes_is_the_one_that_is_told),
    IN_FOLDER(an_option_that_a_kind_does_not_take_is_refused),
    IN_FOLDER(options_may_stand_anywhere),
    IN_FOLDER(the_name_of_the_set_is_checked_before_a_file_is_read))
