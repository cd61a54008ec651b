/* GET / and its style and script: the files of server/web, which are part of the program. */
#include "resource.h"

static void answer(resource_result *out, const char *bytes, uint64_t length) {
    out->status = 200;
    out->shared = (view){.bytes = bytes, .length = (size_t)length};
}

/* clang-format off */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".globl web_" #name "_bytes\n.hidden web_" #name "_bytes\nweb_" #name "_bytes:\n"      \
            "0: .incbin \"" file "\"\n1: .balign 8\n"                                              \
            ".globl web_" #name "_length\n.hidden web_" #name "_length\n"                          \
            "web_" #name "_length: .quad 1b - 0b\n.previous\n");                                  \
    extern const uint64_t web_##name##_length;                                                     \
    extern const char web_##name##_bytes[];                                                        \
    void web_##name(resource_request *request, resource_result *out) {                             \
        (void)request;                                                                             \
        answer(out, web_##name##_bytes, web_##name##_length);                                      \
    }
/* clang-format on */

EMBED(page, "server/web/preview.html")
EMBED(style, "server/web/preview.css")
EMBED(script, "server/web/preview.js")
