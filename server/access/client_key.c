#include "client_key.h"
#include "base/fnv.h"

#include <netinet/in.h>
#include <string.h>

/* FNV-1a, followed by MurmurHash3's finaliser. The kind keeps names and addresses apart. */
static uint64_t number_of(unsigned char kind, const void *bytes, size_t length) {
    uint64_t h = fnv_add(fnv_add(FNV_BEGIN, &kind, 1), bytes, length);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

uint64_t client_key_of_name(const char *name) {
    return number_of('n', name, strlen(name));
}

/* An IPv6 socket reports an IPv4 client as ::ffff:a.b.c.d. */
uint64_t client_key_of_address(const struct sockaddr *address) {
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)address;
        return number_of('4', &four->sin_addr, 4);
    }
    if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address;
        const unsigned char *bytes = six->sin6_addr.s6_addr;
        return IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) ? number_of('4', bytes + 12, 4)
                                                     : number_of('6', bytes, 8);
    }
    return 0;
}
