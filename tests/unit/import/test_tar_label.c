#include "unit.h"

#include "import/tar_label.h"

#include <string.h>

#define TEXT(text) text, sizeof text - 1

static void cls_is_a_number_between_white_space(void **state) {
    (void)state;
    tar_label l;
    assert_true(tar_label_cls(TEXT("7"), &l) && l.kind == TAR_LABEL_NUMBER && l.number == 7);
    assert_true(tar_label_cls(TEXT(" 012\r\n"), &l) && l.number == 12);
    static const char *const bad[] = {"",    " ",   "-1",  "1.0",
                                      "cat", "1 2", "0x1", "1000000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tar_label_cls(bad[i], strlen(bad[i]), &l));
    assert_false(tar_label_cls("1\0", 2, &l));
}

static void json_calls_it_label(void **state) {
    (void)state;
    tar_label l;
    assert_true(tar_label_json(TEXT("{\"label\": 3, \"x\": []}"), &l));
    assert_true(l.kind == TAR_LABEL_NUMBER && l.number == 3);
    assert_true(tar_label_json(TEXT("{\"label\": \"a b\"}"), &l) && l.kind == TAR_LABEL_NAMED);
    assert_string_equal(l.name, "a b");
    assert_true(tar_label_json(TEXT("{\"caption\": \"x\"}"), &l) && l.kind == TAR_LABEL_NONE);
    static const char *const bad[] = {"",
                                      "[]",
                                      "3",
                                      "{\"label\": -1}",
                                      "{\"label\": 1.5}",
                                      "{\"label\": \"\"}",
                                      "{\"label\"",
                                      "{\"label\": null}",
                                      "{\"label\": 1, \"label\": 2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tar_label_json(bad[i], strlen(bad[i]), &l));
}

RUN(T(cls_is_a_number_between_white_space), T(json_calls_it_label))
