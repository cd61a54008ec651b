#include "unit.h"

#include "formats/format.h"

#include <stdio.h>

/* A file as a body of exactly its own size, so that a step past its end is seen by a sanitizer. */
typedef struct file {
    unsigned char *bytes;
    size_t length;
} file;

static file file_of(unsigned major, unsigned minor, size_t claimed, const char *header,
                    size_t header_length, size_t data) {
    size_t start = major == 2 ? 12 : 10;
    file f = {NULL, start + header_length + data};
    f.bytes = calloc(1, f.length);
    assert_non_null(f.bytes);
    memcpy(f.bytes, "\x93NUMPY", 6);
    f.bytes[6] = (unsigned char)major;
    f.bytes[7] = (unsigned char)minor;
    for (size_t i = 8; i < start; i++)
        f.bytes[i] = (unsigned char)(claimed >> (8 * (i - 8)));
    memcpy(f.bytes + start, header, header_length);
    return f;
}

static bool read_file(const file *f, array *out, problem *p) {
    const upload_body body = {.bytes = f->bytes, .length = f->length};
    *p = (problem){0};
    upload all = {0};
    bool good = format_npy.read(&body, &all, p);
    *out = all.arrays[0];
    assert_int_equal(good, p->status == 0);
    return good;
}

/* A version 1.0 file with this header and so many bytes of data, read and thrown away. */
static bool read_text(const char *header, size_t data, array *out, problem *p) {
    file f = file_of(1, 0, strlen(header), header, strlen(header), data);
    bool good = read_file(&f, out, p);
    free(f.bytes);
    return good;
}

/* What numpy.lib.format says: the dict, spaces, a newline, data at a multiple of 64. */
static void assert_header(const buffer *literal, const char *dict) {
    size_t length = literal->bytes[8] | (size_t)literal->bytes[9] << 8;
    assert_memory_equal(literal->bytes, "\x93NUMPY\1\0", 8);
    assert_int_equal(literal->length % 64, 0);
    assert_int_equal(literal->length, 10 + length);
    assert_in_range(length - strlen(dict), 1, 64);
    assert_memory_equal(literal->bytes + 10, dict, strlen(dict));
    for (size_t i = 10 + strlen(dict); i + 1 < literal->length; i++)
        assert_int_equal(literal->bytes[i], ' ');
    assert_int_equal(literal->bytes[literal->length - 1], '\n');
}

static const uint64_t sides[] = {3, 1, 224, 4096, 7};

static outline lay_out(tensor_source **s, dtype type, unsigned rank) {
    outline l = {0};
    *s = tensor_source_new(5);
    assert_true(tensor_source_add(*s, "x", type, rank - 1, sides, 0, NULL, NULL));
    assert_true(format_npy.lay_out(*s, &l));
    return l;
}

static void headers_are_those_of_numpy_for_every_rank_and_type(void **state) {
    (void)state;
    static const char *const shapes[] = {"(5,)",
                                         "(5, 3)",
                                         "(5, 3, 1)",
                                         "(5, 3, 1, 224)",
                                         "(5, 3, 1, 224, 4096)",
                                         "(5, 3, 1, 224, 4096, 7)"};
    static const char *const types[DTYPE_COUNT] = {"<f4", "|u1", "<i8", "<f8", "|b1",
                                                   "|i1", "<i2", "<i4", "<f2"};
    for (unsigned type = 0; type < DTYPE_BF16; type++)
        for (unsigned rank = 1; rank <= TENSOR_RANK; rank++) {
            char dict[160];
            tensor_source *s;
            outline l = lay_out(&s, (dtype)type, rank);
            snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                     types[type], shapes[rank - 1]);
            assert_int_equal(l.count, 2);
            assert_header(&l.segments[0].literal, dict);
            assert_ptr_equal(l.segments[1].from, &s->tensors[0]);
            assert_true(l.length == l.segments[0].length + tensor_bytes(&s->tensors[0]));
            outline_free(&l);
            tensor_source_free(s);
        }
}

static void types_unknown_to_numpy_are_refused(void **state) {
    (void)state;
    tensor_source *s = tensor_source_new(5);
    problem p = {0};
    assert_true(tensor_source_add(s, "x", DTYPE_F16, 0, NULL, 0, NULL, NULL));
    assert_true(tensor_source_add(s, "masks", DTYPE_BF16, 0, NULL, 0, NULL, NULL));
    assert_true(format_npy.check(s, &p));
    s->main = 1;
    assert_false(format_npy.check(s, &p));
    assert_int_equal(p.status, 400);
    assert_non_null(strstr(p.errors[0].detail, "no type bf16, so npy cannot hold masks; ask for"));
    assert_string_equal(p.errors[0].parameter, "masks");
    tensor_source_free(s);
}

static void the_longest_header_there_can_be_still_fits(void **state) {
    (void)state;
    static const uint64_t ones[] = {1, 1, 1, 1, UINT64_C(1) << 35};
    tensor_source *s = tensor_source_new(UINT64_C(1) << 24);
    outline l = {0};
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 5, ones, 0, NULL, NULL));
    assert_true(format_npy.lay_out(s, &l));
    assert_header(&l.segments[0].literal, "{'descr': '|u1', 'fortran_order': False, 'shape': "
                                          "(16777216, 1, 1, 1, 1, 34359738368), }");
    outline_free(&l);
    tensor_source_free(s);
}

static void written_arrays_are_read_back(void **state) {
    (void)state;
    static const dtype types[] = {DTYPE_F32, DTYPE_U8};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned rank = 1; rank <= 4; rank++) {
            tensor_source *s;
            array u;
            problem p;
            outline l = lay_out(&s, types[i], rank);
            const buffer *head = &l.segments[0].literal;
            file f = file_of(1, 0, head->length - 10, (char *)head->bytes + 10, head->length - 10,
                             (size_t)tensor_bytes(&s->tensors[0]));
            assert_true(read_file(&f, &u, &p));
            assert_int_equal(u.type, types[i]);
            assert_int_equal(u.rank, rank);
            assert_memory_equal(u.shape, s->tensors[0].shape, rank * sizeof *u.shape);
            assert_ptr_equal(u.bytes, f.bytes + head->length);
            free(f.bytes);
            outline_free(&l);
            tensor_source_free(s);
        }
}

static void any_spelling_of_the_dict_is_read(void **state) {
    (void)state;
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
        "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}",
        "{'fortran_order':False,'shape':(2,3,),'descr':'<f4'}",
        "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3)}\n",
        "  {\t'descr' : '<f4' ,\n'fortran_order' : False , 'shape' : ( 2 , 3 , ) , } \n \n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (unsigned version = 1; version <= 2; version++) {
            array u;
            problem p;
            size_t n = strlen(headers[i]);
            file f = file_of(version, 0, n, headers[i], n, 24);
            assert_true(read_file(&f, &u, &p));
            assert_true(u.type == DTYPE_F32 && u.rank == 2 && u.shape[0] == 2 && u.shape[1] == 3);
            assert_ptr_equal(u.bytes, f.bytes + f.length - 24);
            free(f.bytes);
        }
}

static void types_and_ranks_at_the_edge_are_read(void **state) {
    (void)state;
    array u;
    problem p;
    assert_true(read_text("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", 4, &u, &p));
    assert_true(u.type == DTYPE_U8 && u.rank == 1);
    assert_true(read_text("{'descr': '<u1', 'fortran_order': True, 'shape': (4,)}", 4, &u, &p));
    assert_true(read_text("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", 1, &u, &p));
    assert_int_equal(u.rank, 0);
    assert_true(
        read_text("{'descr': '|u1', 'fortran_order': False, 'shape': (1,2,1,2,1)}", 4, &u, &p));
    assert_int_equal(u.rank, 5);
}

#define HEAD(descr, order, shape)                                                                  \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"
#define NOT_A_DICT "not a dict of descr, fortran_order and shape"

/* Version 1.0 files with two bytes of data. */
static const struct {
    const char *header, *reason;
} hostile[] = {
    {"", NOT_A_DICT},
    {"\n", NOT_A_DICT},
    {"{", NOT_A_DICT},
    {"}", NOT_A_DICT},
    {"{}", NOT_A_DICT},
    {"{,}", NOT_A_DICT},
    {"[]", NOT_A_DICT},
    {"{'", NOT_A_DICT},
    {"{'descr", NOT_A_DICT},
    {"{'descr'", NOT_A_DICT},
    {"{'descr':", NOT_A_DICT},
    {"{'descr': '|u1", NOT_A_DICT},
    {"{'descr': '|u1'", NOT_A_DICT},
    {"{'descr': '|u1',", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (2", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (2,", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (2,), 'fortran_order': Fals", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (2,), 'fortran_order': False", NOT_A_DICT},
    {"{'descr': '|u1', 'shape': (2,)}", NOT_A_DICT},
    {"{'descr': '|u1', 'fortran_order': False}", NOT_A_DICT},
    {"{'shape': (2,), 'fortran_order': False}", NOT_A_DICT},
    {"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", NOT_A_DICT},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}", NOT_A_DICT},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}", NOT_A_DICT},
    {"{'descr': '|u1' 'fortran_order': False, 'shape': (2,)}", NOT_A_DICT},
    {"{'descr': '|u1',, 'fortran_order': False, 'shape': (2,)}", NOT_A_DICT},
    {"{descr: '|u1', 'fortran_order': False, 'shape': (2,)}", NOT_A_DICT},
    {HEAD("'|u1'", "False", "(2,)") "x", NOT_A_DICT},
    {HEAD("'|u1'", "False", "(2,)") HEAD("'|u1'", "False", "(2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "0", "(2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "false", "(2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "Falsehood", "(2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "[2]"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "2"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(2,,1)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(2 1)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(-2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(+2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(2.0,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(0x2,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(1e0,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "(18446744073709551616,)"), NOT_A_DICT},
    {HEAD("'|u1'", "False", "('2',)"), NOT_A_DICT},
    {HEAD("'|u1\"", "False", "(2,)"), NOT_A_DICT},
    {HEAD("'\\x7cu1'", "False", "(2,)"), NOT_A_DICT},
    {HEAD("'|u1|u1|u1|u1|u1|u1|u1|u1'", "False", "(2,)"), NOT_A_DICT},
    {HEAD("[('a', '|u1')]", "False", "(2,)"), "structured dtype"},
    {HEAD("'>f4'", "False", "(2,)"), "dtype '>f4'"},
    {HEAD("'<c8'", "False", "(2,)"), "dtype '<c8'"},
    {HEAD("'|O'", "False", "(2,)"), "dtype '|O'"},
    {HEAD("''", "False", "(2,)"), "dtype ''"},
    {HEAD("'|u1'", "True", "(2,1)"), "Fortran order"},
    {HEAD("'|u1'", "False", "(1,1,1,1,1,2)"), "more than 5 dimensions"},
    {HEAD("'|u1'", "False", "(0,)"), "dimension 0 of x is 0"},
    {HEAD("'|u1'", "False", "(2,0)"), "dimension 1 of x is 0"},
    {HEAD("'|u1'", "False", "(3,)"), "needs 3 bytes for its shape and type, but has 2"},
    {HEAD("'|u1'", "False", "(1,)"), "needs 1 bytes"},
    {HEAD("'<f4'", "False", "(2,)"), "needs 8 bytes"},
    {HEAD("'|u1'", "False", "()"), "needs 1 bytes"},
    {HEAD("'|u1'", "False", "(18446744073709551615,)"), "needs 18446744073709551615 bytes"},
    {HEAD("'<f4'", "False", "(4611686018427387904,)"), "too many elements"},
    {HEAD("'|u1'", "False", "(4294967296,4294967296)"), "too many elements"},
};

static void hostile_headers_are_refused_with_the_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        array u;
        problem p;
        if (read_text(hostile[i].header, 2, &u, &p) ||
            !strstr(p.errors[0].detail, hostile[i].reason))
            fail_msg("%s: %s", hostile[i].header, p.errors[0].detail);
    }
}

static void a_nul_does_not_end_a_word(void **state) {
    (void)state;
    static const char header[] = "{'descr': '|u1\0', 'fortran_order': False, 'shape': (2,)}";
    array u;
    problem p;
    file f = file_of(1, 0, sizeof header - 1, header, sizeof header - 1, 2);
    assert_false(read_file(&f, &u, &p));
    free(f.bytes);
}

static void the_length_of_the_header_is_checked_against_the_body(void **state) {
    (void)state;
    static const char header[] = HEAD("'|u1'", "False", "(2,)");
    static const struct {
        unsigned version;
        size_t claimed;
        const char *reason;
    } table[] = {
        {1, 0xffff, "claims 65535 bytes, but only"},
        {1, sizeof header + 2, "but only"},
        {1, 0, NOT_A_DICT},
        {1, sizeof header - 4, NOT_A_DICT},
        {2, 0xffffffff, "claims 4294967295 bytes, but only"},
        {2, sizeof header + 2, "but only"},
        {3, 0, "version 3.0 is not supported"},
        {0, 0, "version 0.0 is not supported"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        array u;
        problem p;
        file f = file_of(table[i].version, 0, table[i].claimed, header, sizeof header - 1, 2);
        assert_false(read_file(&f, &u, &p));
        assert_non_null(strstr(p.errors[0].detail, table[i].reason));
        free(f.bytes);
    }
}

/* Every beginning of a good file, in memory of just that size. */
static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    static const char header[] = HEAD("'<f4'", "False", "(2, 3)");
    for (unsigned version = 1; version <= 2; version++) {
        file whole = file_of(version, 0, sizeof header - 1, header, sizeof header - 1, 24);
        for (size_t length = 0; length < whole.length; length++) {
            array u;
            problem p;
            file cut = {malloc(length + !length), length};
            memcpy(cut.bytes, whole.bytes, length);
            assert_false(read_file(&cut, &u, &p));
            assert_int_equal(p.status, 400);
            if (length >= 8)
                assert_null(strstr(p.errors[0].detail, "is not supported"));
            free(cut.bytes);
        }
        free(whole.bytes);
    }
}

/* Any byte of a header may change: read or refused, but never read past. */
static void a_header_changed_anywhere_is_read_or_refused(void **state) {
    (void)state;
    static const char header[] = HEAD("'<f4'", "False", "(2, 3)");
    static const char bytes[] = "\0'\"(){},: 09x\\\xff";
    for (size_t at = 0; at < 10 + sizeof header - 1; at++)
        for (size_t b = 0; b < sizeof bytes - 1; b++) {
            array u;
            problem p;
            file f = file_of(1, 0, sizeof header - 1, header, sizeof header - 1, 24);
            f.bytes[at] = (unsigned char)bytes[b];
            if (read_file(&f, &u, &p))
                assert_true(u.bytes >= f.bytes && u.bytes <= f.bytes + f.length);
            free(f.bytes);
        }
}

RUN(T(headers_are_those_of_numpy_for_every_rank_and_type), T(types_unknown_to_numpy_are_refused),
    T(the_longest_header_there_can_be_still_fits), T(written_arrays_are_read_back),
    T(any_spelling_of_the_dict_is_read), T(types_and_ranks_at_the_edge_are_read),
    T(hostile_headers_are_refused_with_the_reason), T(a_nul_does_not_end_a_word),
    T(the_length_of_the_header_is_checked_against_the_body), T(a_file_cut_anywhere_is_refused),
    T(a_header_changed_anywhere_is_read_or_refused))
