#include "address.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool address_split(const char *listen, char *host, unsigned room, uint16_t *port) {
    const char *colon = strrchr(listen, ':');
    if (!colon || colon == listen || !isdigit((unsigned char)colon[1]))
        return false;
    char *end;
    unsigned long number = strtoul(colon + 1, &end, 10);
    size_t length = (size_t)(colon - listen);
    if (*end || number > UINT16_MAX || length >= room)
        return false;
    bool bracketed = listen[0] == '[' && length > 2 && listen[length - 1] == ']';
    if (bracketed) {
        listen++;
        length -= 2;
    }
    memcpy(host, listen, length);
    host[length] = 0;
    if (strpbrk(host, bracketed ? "[]" : "[]:"))
        return false;
    *port = (uint16_t)number;
    return true;
}
