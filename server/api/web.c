/* The preview page: server/web, as it is, in the program. */
#include "../call.h"

#include <string.h>

/* clang-format off */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".globl web_" #name "_begin\n.hidden web_" #name "_begin\nweb_" #name "_begin:\n"      \
            ".incbin \"" file "\"\n"                                                               \
            ".globl web_" #name "_end\n.hidden web_" #name "_end\nweb_" #name "_end:\n.byte 0\n"   \
            ".previous\n");                                                                        \
    extern const char web_##name##_begin[], web_##name##_end[];                                    \
    void web_##name(call *c, outcome *out) {                                                       \
        (void)c;                                                                                   \
        answer(out, web_##name##_begin, (size_t)(web_##name##_end - web_##name##_begin));          \
    }
/* clang-format on */

static void answer(outcome *out, const char *bytes, size_t length) {
    out->status = 200;
    out->text = buffer_of(length);
    buffer_add(&out->text, bytes, length);
}

EMBED(page, "server/web/preview.html")
EMBED(style, "server/web/preview.css")
EMBED(script, "server/web/preview.js")
