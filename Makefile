# fmixd. `make run` and `make test` need nothing before them but a Debian 13 or 12 with git and make.

BUILD   ?= build
PORT    ?= 8080
PREFIX  ?= /usr/local
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
# Debian's interpreter, which sees Debian's python3-numpy
PYTHON  ?= /usr/bin/python3
OPT     ?= -O3
SAN     ?=
VERSION := 0.1.0

PACKAGES_BUILD := gcc libc6-dev pkg-config libmicrohttpd-dev libfftw3-dev libjansson-dev \
                  libsodium-dev libmpfr-dev libpng-dev libdeflate-dev libjpeg62-turbo-dev libgnutls28-dev
PACKAGES_TEST  := libcmocka-dev python3 python3-numpy python3-mpmath binutils curl unzip pngcheck \
                  python3-pil libjpeg-turbo-progs \
                  nginx-light openssl prometheus libarchive-tools python3-torch \
                  python3-jsonschema chromium chromium-driver systemd strace \
                  python3-yaml r-base-core r-cran-curl golang-go libcurl4-openssl-dev \
                  buildah debootstrap squid haproxy varnish \
                  $(if $(shell command -v kubectl),,kubernetes-client) $(if $(shell command -v node),,nodejs)
# What a root for `make test13` needs none of: browsers, orchestrators, other languages.
PACKAGES_HERE  := python3-torch chromium chromium-driver systemd r-base-core r-cran-curl \
                  golang-go libcurl4-openssl-dev buildah debootstrap kubernetes-client nodejs
PACKAGES_LINT  := clang-format cppcheck clang
PACKAGES_CROSS := qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf \
                  libc6-dev-armhf-cross gcc-i686-linux-gnu libc6-dev-i386-cross \
                  gcc-s390x-linux-gnu libc6-dev-s390x-cross

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
MATH   := -ffp-contract=off -fno-math-errno -fno-trapping-math
CFLAGS += -std=c11 $(OPT) -g $(MATH) $(WARN) -fvisibility=hidden -pthread -MMD -MP
CFLAGS += -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# Files may be longer than a word of 32 bits tells, and so may their numbers be.
ifeq ($(shell echo __SIZEOF_LONG__ | $(CC) -E -P -),4)
CFLAGS += -D_FILE_OFFSET_BITS=64
endif
LDFLAGS += -pthread -Wl,-z,relro,-z,now
ifneq ($(SAN),)
CFLAGS  += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -DFMIX_ONE_CLONE -U_FORTIFY_SOURCE
LDFLAGS += -fsanitize=$(SAN)
endif

LIB_LIBS    := -lfftw3 -lsodium -lmpfr -lgmp -lm
SERVER_LIBS := -lmicrohttpd -lgnutls -ljansson -lpng -ldeflate -ljpeg
LIB_OBJS    := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c))
SERVER_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard server/*.c server/*/*.c))
FUZZERS     := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
REPLAYS     := $(patsubst %,$(BUILD)/fuzz/%,$(FUZZERS))
MINUTES     ?= 10
REQUESTS    ?= 1000000
# A test has the room of what it tests; its name is told from all others by itself.
UNIT_TESTS  := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(wildcard tests/unit/*/test_*.c)))
vpath test_%.c $(wildcard tests/unit/*)

.PHONY: all lib run test test13 programs suite packages-root flake flake-built fuzz soak bench rate crowds plot sameness train deps deps-test deps-lint asan ubsan tsan lint format picture install install-lib clean

all: $(BUILD)/fmixd
	@:

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -D_GNU_SOURCE -DFMIXD_VERSION='"$(VERSION)"' -fPIC -I. -Iserver -c $< -o $@

# What it holds is no include, of which the compiler would know.
$(BUILD)/server/api/web.o: $(wildcard server/web/*)

# Builds of lib/kernels_template.h for one level of one architecture.
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
$(BUILD)/lib/kernels_v3.o: CFLAGS += -march=x86-64-v3
$(BUILD)/lib/kernels_v4.o: CFLAGS += -march=x86-64-v4 -mprefer-vector-width=512
endif

$(BUILD)/libfmix.a: $(LIB_OBJS)
	rm -f $@ && $(AR) rcs $@ $^

# What fmix.h declares and nothing else: the resolvers of cloned functions ignore -fvisibility.
$(BUILD)/libfmix.map: lib/fmix.h
	@mkdir -p $(@D)
	(echo '{ global:'; sed -n '/^FMIX_API/{:a;/(/!{N;ba};s/.*[ *]\(fmix_[a-z_]*\)(.*/\1;/p}' $<; echo 'local: *; };') > $@

$(BUILD)/libfmix.so: $(LIB_OBJS) $(BUILD)/libfmix.map
	$(CC) $(CFLAGS) -shared -Wl,-soname,libfmix.so.1 -Wl,--version-script=$(BUILD)/libfmix.map $(LIB_OBJS) $(LDFLAGS) $(LIB_LIBS) -o $@

$(BUILD)/fmixd: $(SERVER_OBJS) $(BUILD)/libfmix.a
	$(CC) $(CFLAGS) $(filter %.o %.a,$^) $(LDFLAGS) $(SERVER_LIBS) $(LIB_LIBS) -o $@

# main.c apart, unit tests link the whole program, so a test may reach any file's inside.
$(BUILD)/tests/%: %.c $(filter-out %/server/main.o,$(SERVER_OBJS)) $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -I. -Ilib -Iserver -Itests/unit $(filter %.c %.o %.a,$^) $(LDFLAGS) -lcmocka $(SERVER_LIBS) $(LIB_LIBS) -o $@

# A fuzz target over its corpus, without libFuzzer.
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(filter-out %/server/main.o,$(SERVER_OBJS)) $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -I. -Ilib -Iserver $(filter %.c %.o %.a,$^) $(LDFLAGS) $(SERVER_LIBS) $(LIB_LIBS) -o $@

# With it: each target for its share of MINUTES, from its corpus and what earlier runs reached. What it
# finds lies in tests/fuzz/crashers/TARGET, which `make test` replays from then on: give it a name.
FUZZ_WITH := -print_final_stats=1 -verbosity=0 -max_len=4096 -timeout=10 -report_slow_units=10
$(BUILD)/fuzzers/%: tests/fuzz/%.c $(filter-out %/server/main.o,$(SERVER_OBJS)) $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -I. -Ilib -Iserver $(filter %.c %.o %.a,$^) $(LDFLAGS) -fsanitize=fuzzer $(SERVER_LIBS) $(LIB_LIBS) -o $@

# And the whole daemon for as long as a target has, or for REQUESTS= of them.
STORM := $(if $(filter command line environment,$(origin REQUESTS)),--requests $(REQUESTS),--minutes $$(( ($(MINUTES) + $(words $(FUZZERS))) / ($(words $(FUZZERS)) + 1) )))

fuzz: deps-lint $(HOSTILE)
	@FMIXD=$(abspath $(HOSTILE)) nice -n 10 $(PYTHON) -B tests/fuzz/storm/storm.py --requests 100000000 $(STORM)
	@$(MAKE) --no-print-directory BUILD=build/fuzzing CC=clang WARN= OPT=-O1 SAN=fuzzer-no-link,address,undefined \
	    $(patsubst %,build/fuzzing/fuzzers/%,$(FUZZERS))
	@for name in $(FUZZERS); do \
	    mkdir -p build/found/$$name tests/fuzz/crashers/$$name; echo "$$name:"; \
	    build/fuzzing/fuzzers/$$name $(FUZZ_WITH) -max_total_time=$$(( $(MINUTES) * 60 / $(words $(FUZZERS)) )) \
	        -artifact_prefix=tests/fuzz/crashers/$$name/ build/found/$$name $$(ls -d tests/fuzz/*/$$name) || exit 1; \
	    rmdir tests/fuzz/crashers/$$name 2>/dev/null || :; \
	done

lib: $(BUILD)/libfmix.a $(BUILD)/libfmix.so

install-lib: lib
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 lib/fmix.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(BUILD)/libfmix.a $(DESTDIR)$(PREFIX)/lib/
	install -m 755 $(BUILD)/libfmix.so $(DESTDIR)$(PREFIX)/lib/libfmix.so.1
	ln -sf libfmix.so.1 $(DESTDIR)$(PREFIX)/lib/libfmix.so
	printf 'prefix=%s\nName: fmix\nDescription: FMix, CutMix and MixUp\nVersion: %s\nRequires.private: fftw3 libsodium mpfr\nLibs: -L$${prefix}/lib -lfmix\nLibs.private: -lm -pthread\nCflags: -I$${prefix}/include\n' \
	    '$(PREFIX)' '$(VERSION)' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/fmix.pc

# The daemon, its manual page, and units for systemd that start it; settings that are there stay.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)/etc/fmixd
	install -m 755 $(BUILD)/fmixd $(DESTDIR)$(PREFIX)/bin/
	install -m 644 deploy/fmixd.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 deploy/systemd/fmixd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/
	sed 's|/usr/local/bin|$(PREFIX)/bin|' deploy/systemd/fmixd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/fmixd.service
	[ -e $(DESTDIR)/etc/fmixd/fmixd.conf ] || install -m 644 deploy/systemd/fmixd.conf $(DESTDIR)/etc/fmixd/

run: deps
	@$(MAKE) --no-print-directory all
	@deploy/run $(BUILD)/fmixd $(PORT)

# Installs what is missing, and asks for root only then. No service is started by that (nginx would
# be): Debian asks policy-rc.d, and 101 is no.
define install_missing
@missing=$$(for p in $(1); do \
    dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
if [ -n "$$missing" ]; then \
    echo "installing:" $$missing; \
    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
    policy=/usr/sbin/policy-rc.d; added=; \
    [ -e $$policy ] || { added=$$policy; printf '#!/bin/sh\nexit 101\n' | $$root tee $$policy >/dev/null; \
        $$root chmod 755 $$policy; }; \
    $$root apt-get update -qq && \
    $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
    status=$$?; [ -z "$$added" ] || $$root rm -f $$added; exit $$status; \
fi
endef

deps:
	$(call install_missing,$(PACKAGES_BUILD))

deps-test:
	$(call install_missing,$(PACKAGES_BUILD) $(PACKAGES_TEST))

deps-lint:
	$(call install_missing,$(PACKAGES_BUILD) $(PACKAGES_TEST) $(PACKAGES_LINT))

test: deps-test
	@$(MAKE) --no-print-directory suite

# The daemon that sanitizers watch while requests are drawn at random: its own build has them, or its
# sister in hostile/.
HOSTILE := $(if $(SAN),$(BUILD),$(BUILD)/hostile)/fmixd
ifeq ($(SAN),)
.PHONY: $(HOSTILE)
$(HOSTILE):
	@$(MAKE) --no-print-directory BUILD=$(@D) SAN=address,undefined OPT=-O1 $@
endif

PROGRAMS := $(BUILD)/fmixd $(BUILD)/libfmix.so $(UNIT_TESTS) $(REPLAYS)
SUITE := $(PROGRAMS) $(BUILD)/sameness/golden $(HOSTILE)
programs: $(PROGRAMS)
	@:

suite: $(SUITE)
	@BUILD=$(BUILD) $(PYTHON) tests/run.py

# Whether a suite fails sometimes, idle and beside busy loops: `make flake RUNS=10 K="test_log test_jobs"`.
RUNS ?= 10
flake: deps-test
	@$(MAKE) --no-print-directory flake-built
flake-built: $(SUITE)
	@BUILD=$(BUILD) $(PYTHON) -B tests/flake.py --runs $(RUNS) $(K)

# The suites that need no browser, in a Debian 13 that is made for it; part of it is in every test run.
test13: deps-test all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/deploy/debian.py trixie $(K)

packages-root:
	@echo make $(PACKAGES_BUILD) $(filter-out $(PACKAGES_HERE),$(PACKAGES_TEST))

# A million requests and ten thousand shapes; a short one is in every test run.
soak: deps-test all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/load/soak.py --requests $(REQUESTS)

# Ratios, of which the README shows the last run's; nothing else should run meanwhile.
BENCH := $(addprefix $(BUILD)/bench/,library bare load)
$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -I. $(filter %.c %.a,$^) $(LDFLAGS) -lmicrohttpd $(LIB_LIBS) -o $@

bench: deps-test all $(BENCH)
	@BUILD=$(BUILD) FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/bench.py $(ROWS)

# What a core makes, and what crosses the wire: deploy/README.md sizes a cluster by it.
rate: deps-test all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/rate.py

# How much later answers come while others ask for too much, trickle or are silent.
crowds: deps-test all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/crowds.py

plot: deps-test all $(BENCH)
	@BUILD=$(BUILD) $(PYTHON) -B tests/bench/plot.py tests/bench/cost.svg

# The same answers by every compiler, plan, instruction set and architecture; a part is in every test
# run.
$(BUILD)/sameness/%: tests/sameness/%.c $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -I. $(filter %.c %.a,$^) $(LDFLAGS) $(LIB_LIBS) -o $@

sameness: deps-lint
	$(call install_missing,$(PACKAGES_CROSS))
	@$(PYTHON) -B tests/sameness/sameness.py

# A small network, trained on batches that a daemon serves, with and without mixing: a quarter of an
# hour. What is in every test run is that another replica goes on with the same batches.
train: deps-test all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/train/train.py $(TRAIN)

# Sanitized programs are ten times slower: fewer random recipes, a shorter stream. What is freed must
# not count as memory that an answer holds: a small quarantine. And what the sanitizer keeps of its
# own for each byte cannot be told from it: FMIX_SHADOW.
SLOW := FMIX_AGREEMENT=2000 FMIX_STREAM_ROWS=50000 ASAN_OPTIONS=quarantine_size_mb=8

asan: deps-test
	@$(SLOW) FMIX_SHADOW=1 $(MAKE) --no-print-directory suite BUILD=build/asan SAN=address OPT=-O1
ubsan: deps-test
	@$(SLOW) $(MAKE) --no-print-directory suite BUILD=build/ubsan SAN=undefined OPT=-O1
tsan: deps-test
	@$(SLOW) FMIX_SHADOW=1 $(MAKE) --no-print-directory suite BUILD=build/tsan SAN=thread OPT=-O1

lint: deps-lint
	@$(MAKE) --no-print-directory all lib
	@BUILD=$(BUILD) tests/lint

format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

picture: all
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) tests/data/picture.py
	@$(BUILD)/fmixd --listen 127.0.0.1:$(PORT) >/dev/null & pid=$$!; trap "kill $$pid" EXIT; \
	    curl -sf --retry 9 --retry-connrefused 127.0.0.1:$(PORT)/readyz >/dev/null && \
	    tests/data/sheets http://127.0.0.1:$(PORT) tests/data/methods

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/bench/*.d $(BUILD)/fuzz/*.d $(BUILD)/sameness/*.d $(BUILD)/lib/*.d $(BUILD)/server/*.d $(BUILD)/server/*/*.d $(BUILD)/tests/*.d)
