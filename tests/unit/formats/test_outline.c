#include "unit.h"

#include "formats/outline.h"

static void an_outline_adds_up_its_segments(void **state) {
    (void)state;
    outline l = {0};
    tensor_source *s = tensor_source_new(3);
    buffer text = buffer_of(16);
    assert_true(tensor_source_add(s, "x", DTYPE_F64, 0, NULL, 0, NULL, NULL));
    assert_true(buffer_text(&text, "hello"));
    assert_true(outline_literal(&l, &text));
    assert_true(outline_tensor(&l, &s->tensors[0]));
    assert_true(l.count == 2 && l.length == 29);
    assert_memory_equal(l.segments[0].literal.bytes, "hello", 5);
    outline_free(&l);
    assert_int_equal(l.count, 0);
    tensor_source_free(s);
}

static void an_outline_refuses_a_failed_literal_and_one_segment_too_many(void **state) {
    (void)state;
    outline l = {0};
    tensor_source *s = tensor_source_new(3);
    buffer failed = buffer_of(2);
    assert_true(tensor_source_add(s, "x", DTYPE_F64, 0, NULL, 0, NULL, NULL));
    assert_false(buffer_text(&failed, "too long"));
    assert_false(outline_literal(&l, &failed));
    for (int i = 0; i < OUTLINE_SEGMENTS; i++)
        assert_true(outline_tensor(&l, &s->tensors[0]));
    assert_false(outline_tensor(&l, &s->tensors[0]));
    assert_true(l.length == OUTLINE_SEGMENTS * 24);
    tensor_source_free(s);
}

RUN(T(an_outline_adds_up_its_segments),
    T(an_outline_refuses_a_failed_literal_and_one_segment_too_many))
