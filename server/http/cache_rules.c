#include "cache_rules.h"

static const struct {
    const char *open, *guarded;
} rules[FRESHNESS_KINDS] = {
    [FRESH_FOR_EVER] = {"public, max-age=31536000, immutable",
                        "private, max-age=31536000, immutable"},
    [FRESH_UNTIL_REPLACED] = {"public, no-cache", "private, no-cache"},
    [FRESH_NEVER] = {"no-store", "no-store"},
};

const char *cache_rule(freshness fresh, bool guarded) {
    return guarded ? rules[fresh].guarded : rules[fresh].open;
}
