# Tests, measurements and the linter; the Makefile includes this file.

# Debian 12's torchvision has no transforms v2: from there they are tested in a Debian 13.
TORCHVISION_HERE := $(if $(shell grep -s 'VERSION_ID="12"' /etc/os-release),,python3-torchvision)
TORCHVISION_THERE := $(if $(TORCHVISION_HERE),,python3-torchvision)

PACKAGES_CHECK := libcmocka-dev python3 python3-numpy
PACKAGES_TEST  := $(PACKAGES_CHECK) python3-pytest python3-pytest-xdist python3-mpmath python3-scipy \
                  binutils curl unzip pngcheck python3-pil libjpeg-turbo-progs lomiri-wallpapers-20.04 \
                  nginx-light openssl prometheus libarchive-tools python3-torch \
                  $(TORCHVISION_HERE) python3-jsonschema chromium chromium-driver systemd strace \
                  python3-yaml python3-venv r-base-core r-cran-curl golang-go libcurl4-openssl-dev \
                  buildah debootstrap squid haproxy varnish mypy $(PACKAGES_DEB) lintian abigail-tools \
                  $(if $(shell command -v kubectl),,kubernetes-client) $(if $(shell command -v node),,nodejs)
# What a root for `make test13` does not need: browsers, orchestrators, other languages.
PACKAGES_HERE  := python3-torch $(TORCHVISION_HERE) chromium chromium-driver systemd r-base-core r-cran-curl \
                  golang-go libcurl4-openssl-dev buildah debootstrap kubernetes-client nodejs \
                  python3-venv lomiri-wallpapers-20.04 mypy $(PACKAGES_DEB) lintian abigail-tools
PACKAGES_LINT  := clang-format cppcheck clang
PACKAGES_CROSS := qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf \
                  libc6-dev-armhf-cross gcc-i686-linux-gnu libc6-dev-i386-cross \
                  gcc-s390x-linux-gnu libc6-dev-s390x-cross

# Of suites and tests: K=guard, K="guard and not fuzz", or K=test_guard.py::Class::test.
K        ?=
RUNS     ?= 10
MINUTES  ?= 10
REQUESTS ?= 1000000

# Two hundred programs: without the debug information of the whole daemon in each, which links in half the
# time, unless a sanitizer wants it.
TESTED := -D_GNU_SOURCE -I. -Ilib -Iserver -Itests/unit $(if $(SAN),,-Wl,-S)
# main.c apart, test programs link the whole daemon, so a test may reach any file's inside. Its objects are
# joined once, which halves the time of each link, unless a sanitizer has sections of its own in them.
DAEMON := $(filter-out $(BUILD)/server/main.o,$(SERVER_OBJS))
INSIDE := $(if $(SAN),$(DAEMON),$(BUILD)/tests/inside.o) $(BUILD)/libfmix.a
$(BUILD)/tests/inside.o: $(DAEMON)
	@mkdir -p $(@D)
	$(SAY) LD tests/inside.o
	$(Q)$(LD) -r -S -o $@ $^

# Unit tests have their sources in tests/unit or in a room of it, and no name twice.
UNIT_SOURCES := $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c)
UNIT_TESTS   := $(addprefix $(BUILD)/tests/,$(basename $(notdir $(UNIT_SOURCES))))
FUZZERS      := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
REPLAYS      := $(patsubst %,$(BUILD)/fuzz/%,$(FUZZERS))

.PHONY: test check long proof programs suite test13 test-deb packages-root packages-deb packages-part flake flake-built asan ubsan tsan lint fuzz soak \
        bench rate crowds costs plot cluster sizing sameness old-version train train-plot picture deps-check deps-test deps-lint

deps-check: ## install what `make check` needs
	@deploy/packages $(PACKAGES_BUILD) $(PACKAGES_CHECK)

deps-test: ## install what `make test` needs
	@deploy/packages $(PACKAGES_BUILD) $(PACKAGES_TEST)

deps-lint: ## install what `make lint` and `make fuzz` need
	@deploy/packages $(PACKAGES_BUILD) $(PACKAGES_TEST) $(PACKAGES_LINT)

vpath test_%.c $(sort $(dir $(UNIT_SOURCES)))
$(BUILD)/tests/%: %.c $(INSIDE)
	@mkdir -p $(@D)
	$(SAY) LD tests/$*
	$(Q)$(CC) $(CFLAGS) $(TESTED) $(filter %.c %.o %.a,$^) $(LDFLAGS) -lcmocka $(SERVER_LIBS) $(LIB_LIBS) -o $@

# A fuzz target over its corpus, without libFuzzer.
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(INSIDE)
	@mkdir -p $(@D)
	$(SAY) LD fuzz/$*
	$(Q)$(CC) $(CFLAGS) $(TESTED) $(filter %.c %.o %.a,$^) $(LDFLAGS) $(SERVER_LIBS) $(LIB_LIBS) -o $@

# With libFuzzer: each target for its share of MINUTES, from its corpus and what earlier runs reached.
# What it finds lies in tests/fuzz/crashers/TARGET, which `make test` replays from then on: give it a name.
FUZZ_WITH := -print_final_stats=1 -verbosity=0 -max_len=4096 -timeout=10 -report_slow_units=10
$(BUILD)/fuzzers/%: tests/fuzz/%.c $(INSIDE)
	@mkdir -p $(@D)
	$(SAY) LD fuzzers/$*
	$(Q)$(CC) $(CFLAGS) $(TESTED) $(filter %.c %.o %.a,$^) $(LDFLAGS) -fsanitize=fuzzer $(SERVER_LIBS) $(LIB_LIBS) -o $@

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

check: deps-check ## between two edits: unit tests and the reference, in under a minute
	@$(SUBMAKE) $(BUILD)/fmixd $(UNIT_TESTS)
	@BUILD=$(BUILD) $(PYTHON) -B tests/check.py

test: deps-test ## every suite by pytest, or K=guard, K=test_guard.py::Class::test
	@$(SUBMAKE) suite

suite: $(SUITE)
	@BUILD=$(BUILD) $(PYTHON) -B tests/suites.py $(if $(K),'$(K)')

flake: deps-test ## run suites RUNS=10 times, idle and beside busy loops, or K=guard alone
	@$(SUBMAKE) flake-built
flake-built: $(SUITE)
	@BUILD=$(BUILD) $(PYTHON) -B tests/flake.py --runs $(RUNS) $(K)

test13: deps-test all ## every suite that needs no browser, in a Debian 13 made for it
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/deploy/debian.py trixie $(K)

# What every test run draws, looks at or waits for in part: a quarter of an hour and more.
LONG := FMIX_AGREEMENT=20000 FMIX_LABELS=2000 FMIX_STORM=30000 FMIX_OPENAPI=600 FMIX_EVERY_WORD=1 \
        FMIX_WHOLE_MASKS=1 FMIX_MINUTES=5 FMIX_ROWS=1000000 FMIX_DEBS=1 FMIX_GUARD_ROUNDS=30 \
        FMIX_SUITE_SECONDS=14400
long: deps-test ## the suites that every test run cuts short, at length
	@$(LONG) $(SUBMAKE) suite \
	    K='agree or combinations or labels or storm or openapi or every_word or whole_masks or memory_hostile or million or installed_packages or guard_behind'
	@FMIX_LATENCY=1 $(SUBMAKE) suite K=latencies # with nothing beside it

# Each as a make of its own, for they build with other options; PROOF='soak long' runs these alone.
proof: deps-lint ## all that proves a commit, one after another, into build/proof.md: hours
	@MAKE='$(MAKE)' $(PYTHON) -B tests/proof.py $(BUILD)/proof.md $(PROOF)

test-deb: deps-test deps-deb ## install, upgrade, remove and purge the packages in a fresh Debian 12 and 13
	@FMIX_DEBS=1 FMIX_SUITE_SECONDS=14400 BUILD=$(BUILD) $(PYTHON) -B tests/suites.py test_deb

# In a Debian that is made for `make test13`; and what the part of it in every test run needs.
packages-root:
	@echo make $(PACKAGES_BUILD) $(filter-out $(PACKAGES_HERE),$(PACKAGES_TEST)) $(TORCHVISION_THERE)
packages-deb:
	@echo make $(PACKAGES_BUILD) $(PACKAGES_DEB) lintian
packages-part:
	@echo make $(PACKAGES_BUILD) $(PACKAGES_CHECK) python3-pytest python3-pytest-xdist python3-mpmath \
	    python3-pil libjpeg-turbo-progs openssl curl unzip $(TORCHVISION_THERE)

# Sanitized programs are ten times slower: fewer random recipes, a shorter stream. What is freed must
# not count as memory that an answer holds: a small quarantine. And what the sanitizer keeps of its
# own for each byte cannot be told from it: FMIX_SHADOW.
SLOW := FMIX_AGREEMENT=500 FMIX_STREAM_ROWS=50000 FMIX_SHADOW=1 \
        ASAN_OPTIONS=quarantine_size_mb=8 UBSAN_OPTIONS=print_stacktrace=1
# Suites that show nothing of the build under test: they are Python alone, build what they test, or train
# for long on batches that other suites ask for, too.
UNWATCHED := tests/reference tests/runner \
             $(patsubst %,tests/deploy/test_%.py,deb debian image train version wheel)
WATCH := $(SLOW) PYTEST_ADDOPTS='$(UNWATCHED:%=--ignore=%)'

asan: deps-test ## every suite with AddressSanitizer and UndefinedBehaviorSanitizer
	@$(WATCH) $(SUBMAKE) suite BUILD=build/asan SAN=address,undefined OPT=-O1
ubsan: asan ## the same: the two need one build and one run
tsan: deps-test ## every suite with ThreadSanitizer
	@$(WATCH) $(SUBMAKE) suite BUILD=build/tsan SAN=thread OPT=-O1

lint: deps-lint ## formatting, cppcheck, warnings as errors and the house rules
	@$(SUBMAKE) WERROR=1 all lib
	@BUILD=$(BUILD) tests/lint

# The whole daemon for as long as a target has, or for REQUESTS= of them.
STORM := $(if $(filter command line environment,$(origin REQUESTS)),--requests $(REQUESTS),--minutes $$(( ($(MINUTES) + $(words $(FUZZERS))) / ($(words $(FUZZERS)) + 1) )))

fuzz: deps-lint $(HOSTILE) ## fuzz every parser for MINUTES=10 in all, and the daemon
	@FMIXD=$(abspath $(HOSTILE)) nice -n 10 $(PYTHON) -B tests/fuzz/storm/storm.py --requests 100000000 $(STORM)
	@$(SUBMAKE) BUILD=build/fuzzing CC=clang WARN= OPT=-O1 SAN=fuzzer-no-link,address,undefined \
	    $(patsubst %,build/fuzzing/fuzzers/%,$(FUZZERS))
	@for name in $(FUZZERS); do \
	    mkdir -p build/found/$$name tests/fuzz/crashers/$$name; echo "$$name:"; \
	    build/fuzzing/fuzzers/$$name $(FUZZ_WITH) -max_total_time=$$(( $(MINUTES) * 60 / $(words $(FUZZERS)) )) \
	        -artifact_prefix=tests/fuzz/crashers/$$name/ build/found/$$name $$(ls -d tests/fuzz/*/$$name) || exit 1; \
	    rmdir tests/fuzz/crashers/$$name 2>/dev/null || :; \
	done

# A short one is in every test run.
soak: deps-test all ## a million requests of ten thousand shapes
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/load/soak.py --requests $(REQUESTS)

# Ratios; README says of which days those are that it shows. Nothing else should run meanwhile.
PACKAGES_BENCH := python3-opencv python3-torchvision lomiri-wallpapers-20.04
BENCH := $(addprefix $(BUILD)/bench/,library bare load growth pictures)
$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(SAY) LD bench/$*
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -I. $(filter %.c %.a,$^) $(LDFLAGS) -lmicrohttpd $(LIB_LIBS) -o $@

# Its decoder is the daemon's.
$(BUILD)/bench/pictures: tests/bench/pictures.c $(INSIDE)
	@mkdir -p $(@D)
	$(SAY) LD bench/pictures
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -I. $(filter %.c %.o %.a,$^) $(LDFLAGS) $(SERVER_LIBS) $(LIB_LIBS) -o $@

bench: deps-test all $(BENCH) ## measure against what this is built on, or ROWS= alone
	@deploy/packages $(PACKAGES_BENCH)
	@BUILD=$(BUILD) FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/bench.py $(ROWS)

# deploy/README.md sizes a cluster by it.
rate: deps-test all ## measure what a core makes, and what crosses the wire
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/rate.py

crowds: deps-test all ## measure how late answers are beside clients that ask too much or trickle
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/crowds.py

costs: deps-test all ## measure computing time against its estimates, by which requests are admitted
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/costs.py

plot: deps-test all $(BENCH) ## draw tests/bench/cost.svg: how the cost of masks, requests and batches grows
	@BUILD=$(BUILD) FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/bench/plot.py tests/bench/cost.svg tests/bench/LOG.md

# A short one is in every test run.
CLUSTER ?= 120
cluster: deps-test all ## 64 trainers, three replicas behind nginx, one of them killed, together for CLUSTER=120 seconds
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/cluster/cluster.py --seconds $(CLUSTER)

sizing: deps-test all ## the same, and write the sizing table of deploy/README.md
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/cluster/cluster.py --seconds $(CLUSTER) --sizing deploy/README.md

# A part is in every test run.
$(BUILD)/sameness/golden: $(addprefix tests/sameness/,golden.c recipes.c choices.c views.c golden.h) $(BUILD)/libfmix.a
	@mkdir -p $(@D)
	$(SAY) LD sameness/golden
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -I. $(filter %.c %.a,$^) $(LDFLAGS) $(LIB_LIBS) -o $@

sameness: deps-lint ## the same answers by every compiler, plan, instruction set and architecture
	@deploy/packages $(PACKAGES_CROSS)
	@$(PYTHON) -B tests/sameness/sameness.py

# What the program of then was linked with, and this one is not.
PACKAGES_OLD := libturbojpeg0-dev
old-version: deps-test all ## serve data sets of 0.1.0 by this version and the reverse, with 0.1.0 built of the history
	@deploy/packages $(PACKAGES_OLD)
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/deploy/old_version.py

# Twenty minutes of processor time, and the plot as much. Every test run has them with fewer images.
train: deps-test all ## train small networks on served batches, with and without mixing
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/train/train.py $(TRAIN)

train-plot: deps-test all ## draw tests/train/curve.svg, accuracy against the number of images
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) -B tests/train/train.py --curve tests/train/curve.svg $(TRAIN)

picture: all ## draw the README's pictures
	@FMIXD=$(abspath $(BUILD)/fmixd) $(PYTHON) tests/data/readme_picture.py
	@$(BUILD)/fmixd --listen 127.0.0.1:$(PORT) >/dev/null & pid=$$!; trap "kill $$pid" EXIT; \
	    curl -sf --retry 9 --retry-connrefused 127.0.0.1:$(PORT)/readyz >/dev/null && \
	    tests/data/sheets http://127.0.0.1:$(PORT) tests/data/methods
