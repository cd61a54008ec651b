/* GET / and its style and script: the files of server/web, which are part of the program. */
#include "resource.h"

static void answer(resource_result *out, const char *bytes, uint64_t length) {
    out->status = 200;
    out->shared = (view){.bytes = bytes, .length = (size_t)length};
}

/* clang-format off */
#define BYTES(file) ".incbin \"" file "\"\n"
#define EMBED(name, files)                                                                         \
    __asm__(".section .rodata\n"                                                                   \
            ".globl web_" #name "_bytes\n.hidden web_" #name "_bytes\nweb_" #name "_bytes:\n"      \
            "0:\n" files "1: .balign 8\n"                                                         \
            ".globl web_" #name "_length\n.hidden web_" #name "_length\n"                          \
            "web_" #name "_length: .quad 1b - 0b\n.previous\n");                                  \
    extern const uint64_t web_##name##_length;                                                     \
    extern const char web_##name##_bytes[];                                                        \
    void web_##name(resource_request *request, resource_result *out) {                             \
        (void)request;                                                                             \
        answer(out, web_##name##_bytes, web_##name##_length);                                      \
    }
/* clang-format on */

EMBED(page, BYTES("server/web/preview.html"))
EMBED(style, BYTES("server/web/preview.css"))
/* One module: preview.js uses the others. */
EMBED(script, BYTES("server/web/request.js") BYTES("server/web/code.js")
                  BYTES("server/web/picture.js") BYTES("server/web/preview.js"))
