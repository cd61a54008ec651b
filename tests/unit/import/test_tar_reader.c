/* Members of tar files that the test writes block by block. */
#include "unit.h"

#include "import/tar_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char bytes[1 << 18];
static size_t used;
static tar_reader reader;

static void sum_up(unsigned char *h) {
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (unsigned i = 0; i < 512; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
}

/* A header, and its bytes in whole blocks. */
static unsigned char *put(char type, const char *name, const void *data, size_t size) {
    unsigned char *h = bytes + used;
    memset(h, 0, 512);
    memcpy(h, name, strlen(name));
    char octal[32];
    snprintf(octal, sizeof octal, "%011zo", size);
    memcpy(h + 124, octal, 12);
    h[156] = (unsigned char)type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    sum_up(h);
    memset(h + 512, 0, (size + 511) / 512 * 512);
    memcpy(h + 512, data, size);
    used += 512 + (size + 511) / 512 * 512;
    return h;
}

static void put_end(unsigned blocks) {
    memset(bytes + used, 0, blocks * 512);
    used += blocks * 512;
}

static FILE *start(void) {
    FILE *file = tmpfile();
    assert_int_equal(fwrite(bytes, 1, used, file), used);
    assert_int_equal(fflush(file), 0);
    tar_reader_start(&reader, fileno(file), used);
    used = 0;
    return file;
}

static void expect(const char *name, const char *data) {
    char found[100];
    assert_int_equal(tar_reader_next(&reader), TAR_MEMBER);
    assert_string_equal(reader.name, name);
    assert_true(reader.regular && reader.size == strlen(data));
    assert_int_equal(pread(reader.file, found, strlen(data), (off_t)reader.offset),
                     (ssize_t)strlen(data));
    assert_memory_equal(found, data, strlen(data));
}

static void members_are_found_in_order(void **state) {
    (void)state;
    put('0', "a/1.jpg", "abc", 3);
    put('5', "a/", "", 0);
    put(0, "b.cls", "", 0);
    unsigned char *h = put('0', "c", "x", 1);
    memcpy(h + 345, "some/folder", 11); /* the prefix */
    sum_up(h);
    put_end(2);
    FILE *file = start();
    expect("a/1.jpg", "abc");
    assert_true(tar_reader_next(&reader) == TAR_MEMBER && !reader.regular);
    expect("b.cls", "");
    expect("some/folder/c", "x");
    assert_int_equal(tar_reader_next(&reader), TAR_END);
    assert_int_equal(tar_reader_next(&reader), TAR_END);
    fclose(file);
}

static void long_names_come_in_headers_of_gnu_and_of_pax(void **state) {
    (void)state;
    char name[400], pax[500];
    memset(name, 'n', 300);
    name[300] = 0;
    put('L', "././@LongLink", name, 301);
    put('0', "short", "1", 1);
    name[0] = 'p';
    snprintf(pax, sizeof pax, "%d path=%s\n13 mtime=1.5\n", 310, name);
    put('x', "PaxHeader", pax, strlen(pax));
    put('0', "short", "2", 1);
    put('g', "global", "13 mtime=1.5\n", 13);
    put('0', "plain", "3", 1);
    put_end(1);
    FILE *file = start();
    name[0] = 'n';
    expect(name, "1");
    name[0] = 'p';
    expect(name, "2");
    expect("plain", "3");
    assert_int_equal(tar_reader_next(&reader), TAR_END);
    fclose(file);
}

/* The size in a pax header, and in base 256, stand for one that octal digits cannot say. */
static void sizes_are_octal_or_of_pax_or_in_base_256(void **state) {
    (void)state;
    put('x', "PaxHeader", "9 size=3\n", 9);
    unsigned char *h = put('0', "a", "abc", 3);
    memset(h + 124, '0', 11);
    sum_up(h);
    h = put('0', "b", "de", 2);
    memset(h + 124, 0, 12);
    h[124] = 0x80;
    h[135] = 2;
    sum_up(h);
    put_end(2);
    FILE *file = start();
    expect("a", "abc");
    expect("b", "de");
    assert_int_equal(tar_reader_next(&reader), TAR_END);
    fclose(file);
}

static void refused(const char *reason) {
    tar_result result;
    FILE *file = start();
    while ((result = tar_reader_next(&reader)) == TAR_MEMBER)
        ;
    assert_int_equal(result, TAR_BAD);
    if (!strstr(reader.reason, reason))
        fail_msg("%s, not %s", reader.reason, reason);
    fclose(file);
}

static void damage_is_refused(void **state) {
    (void)state;
    put('0', "a", "abc", 3);
    refused("without the blocks of zeros");
    put('0', "a", "abc", 3);
    used -= 510;
    refused("within a member");
    put('0', "a", "", 0);
    used -= 1;
    refused("within a header");
    put('0', "a", "abc", 3)[0] = 'b';
    put_end(2);
    refused("sum is wrong");
    put('0', "a", "abc", 3);
    put_end(2);
    put('0', "b", "abc", 3);
    put_end(2);
    refused("more bytes behind the end");
    memcpy(bytes, "\x1f\x8b", 2);
    used = 512;
    refused("compressed by gzip");
    put('S', "a", "", 0);
    refused("sparse");
    put('L', "a", "", 0);
    refused("empty or longer");
    put('0', "", "abc", 3);
    refused("a member has no name");
    put('5', "", "", 0);
    refused("a member has no name");
    put('L', "a", "b", 1);
    put_end(1);
    refused("ends behind a header");
    unsigned char *h = put('0', "a", "", 0);
    memset(h + 124, 'x', 11);
    sum_up(h);
    refused("not a number");
    h = put('0', "a", "", 0);
    memset(h + 124, 0xff, 12);
    h[124] = 0x80;
    sum_up(h);
    refused("not a number");
    used = 0;
    refused("without the blocks of zeros");
}

static void pax_headers_are_read_strictly(void **state) {
    (void)state;
    static const char *const bad[] = {"9 size=3",   "0 size=3\n",     "11 size=3\n", "9 size=x\n",
                                      "9 size=-\n", "99999999 a=b\n", "x",           "5 ab\n",
                                      "\n",         "9size=33\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put('x', "PaxHeader", bad[i], strlen(bad[i]));
        refused("a pax header is damaged");
    }
    put('x', "PaxHeader", "11 path=a\0b\n", 12);
    refused("a pax header is damaged");
    put('x', "PaxHeader", "12 path=a\0b\n", 12);
    refused("NUL");
    static char large[TAR_EXTRA];
    put('x', "PaxHeader", large, sizeof large);
    refused("more than 65535 bytes");
}

RUN(T(members_are_found_in_order), T(long_names_come_in_headers_of_gnu_and_of_pax),
    T(sizes_are_octal_or_of_pax_or_in_base_256), T(damage_is_refused),
    T(pax_headers_are_read_strictly))
