# fmixd. `make run` and `make test` need no preparation on Debian 13 or 12 with git and make.
# `make help` lists the targets; V=1 prints whole commands.

BUILD   ?= build
PORT    ?= 8080
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
# Debian's interpreter, which sees Debian's python3-numpy
PYTHON  ?= /usr/bin/python3
OPT     ?= -O3
SAN     ?=
WERROR  ?=
V       ?=
VERSION := 1.0.0

PACKAGES_BUILD := gcc libc6-dev pkg-config libmicrohttpd-dev libfftw3-dev libjansson-dev \
                  libsodium-dev libmpfr-dev libpng-dev libdeflate-dev libjpeg62-turbo-dev libgnutls28-dev
PACKAGES_DEB   := build-essential debhelper dh-python fakeroot

WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
          $(if $(WERROR),-Werror)
MATH   := -ffp-contract=off -fno-math-errno -fno-trapping-math
# Whatever make's caller adds or gives in its place, MATH stays.
override CFLAGS += -std=c11 $(OPT) -g $(MATH) $(WARN) -fvisibility=hidden -pthread -MMD -MP
override CFLAGS += -D_FORTIFY_SOURCE=2 -fstack-protector-strong
# Files may be longer than a word of 32 bits tells, and so may their numbers be.
ifeq ($(shell echo __SIZEOF_LONG__ | $(CC) -E -P -),4)
override CFLAGS += -D_FILE_OFFSET_BITS=64
endif
LDFLAGS += -pthread -Wl,-z,relro,-z,now
ifneq ($(SAN),)
override CFLAGS += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -DFMIX_ONE_CLONE -U_FORTIFY_SOURCE
LDFLAGS += -fsanitize=$(SAN)
# gcc's shared runtimes are two, and a file that is named for reports is heeded by one of them only.
ifneq ($(and $(findstring address,$(SAN)),$(findstring undefined,$(SAN)),$(findstring gcc,$(CC))),)
LDFLAGS += -static-libasan -static-libubsan
endif
endif

LIB_LIBS    := -lfftw3 -lsodium -lmpfr -lgmp -lm
SERVER_LIBS := -lmicrohttpd -lgnutls -ljansson -lpng -ldeflate -ljpeg
LIB_OBJS    := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c))
SERVER_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard server/*.c server/*/*.c))

# Rules print what they make, or with V=1 how, or with -s nothing.
SAY := @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),:,echo)
Q   := $(if $(V),,@)
# A make inside of make, which uses every core unless -j says otherwise.
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all lib run deps install install-lib deb deps-deb format clean help

all: $(BUILD)/fmixd ## build the daemon, build/fmixd
	@:

run: deps ## install what the build needs, build, and serve on PORT=8080 of loopback
	@$(SUBMAKE) all
	@deploy/run $(BUILD)/fmixd $(PORT)

lib: $(BUILD)/libfmix.a $(BUILD)/libfmix.so ## build the library, static and shared

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $*.o
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -D_GNU_SOURCE -DFMIXD_VERSION='"$(VERSION)"' -fPIC -I. -Iserver -c $< -o $@

# It holds these files by .incbin, of which the compiler does not tell make.
$(BUILD)/server/api/web.o: $(wildcard server/web/*)

# Builds of lib/kernels_template.h for one level of one architecture. Their long loops gain a tenth where
# gcc orders them before it gives out registers; clang does not know the options.
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
ORDERED := $(if $(findstring clang,$(CC)),,-fschedule-insns -fsched-pressure)
$(BUILD)/lib/kernels_v3.o: override CFLAGS += -march=x86-64-v3 $(ORDERED)
$(BUILD)/lib/kernels_v4.o: override CFLAGS += -march=x86-64-v4 -mprefer-vector-width=512 $(ORDERED)
endif

$(BUILD)/libfmix.a: $(LIB_OBJS)
	$(SAY) AR $(@F)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# The public headers: fmix.h, and the parts of it that have files of their own.
PUBLIC := lib/fmix.h lib/fmix_rows.h lib/fmix_view.h

# What these declare and nothing else: the resolvers of cloned functions ignore -fvisibility.
$(BUILD)/libfmix.map: $(PUBLIC)
	@mkdir -p $(@D)
	$(Q)(echo '{ global:'; sed -n '/^FMIX_API/{:a;/(/!{N;ba};s/.*[ *]\(fmix_[a-z_]*\)(.*/\1;/p}' $^; echo 'local: *; };') > $@

$(BUILD)/libfmix.so: $(LIB_OBJS) $(BUILD)/libfmix.map
	$(SAY) LD $(@F)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,libfmix.so.1 -Wl,--version-script=$(BUILD)/libfmix.map $(LIB_OBJS) $(LDFLAGS) $(LIB_LIBS) -o $@

$(BUILD)/fmixd: $(SERVER_OBJS) $(BUILD)/libfmix.a
	$(SAY) LD $(@F)
	$(Q)$(CC) $(CFLAGS) $(filter %.o %.a,$^) $(LDFLAGS) $(SERVER_LIBS) $(LIB_LIBS) -o $@

install-lib: lib ## install the library, its headers, fmix.pc and libfmix(3) under PREFIX=/usr/local
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/share/man/man3
	install -m 644 $(PUBLIC) $(DESTDIR)$(PREFIX)/include/
	install -m 644 deploy/libfmix.3 $(DESTDIR)$(PREFIX)/share/man/man3/
	install -m 644 $(BUILD)/libfmix.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(BUILD)/libfmix.so $(DESTDIR)$(LIBDIR)/libfmix.so.1
	ln -sf libfmix.so.1 $(DESTDIR)$(LIBDIR)/libfmix.so
	printf 'prefix=%s\nlibdir=%s\nName: fmix\nDescription: FMix, CutMix and MixUp\nVersion: %s\nRequires.private: fftw3 libsodium mpfr\nLibs: -L$${libdir} -lfmix\nLibs.private: -lm -pthread\nCflags: -I$${prefix}/include\n' \
	    '$(PREFIX)' '$(LIBDIR:$(PREFIX)/%=$${prefix}/%)' '$(VERSION)' > $(DESTDIR)$(LIBDIR)/pkgconfig/fmix.pc

# The daemon, its manual page, and units for systemd that start it; settings that are there stay.
install: all ## install the daemon, fmixd(1) and systemd units under PREFIX=/usr/local
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)/etc/fmixd
	install -m 755 $(BUILD)/fmixd $(DESTDIR)$(PREFIX)/bin/
	install -m 644 deploy/fmixd.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 deploy/systemd/fmixd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/
	sed 's|/usr/local/bin|$(PREFIX)/bin|' deploy/systemd/fmixd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/fmixd.service
	[ -e $(DESTDIR)/etc/fmixd/fmixd.conf ] || install -m 644 deploy/systemd/fmixd.conf $(DESTDIR)/etc/fmixd/

deb: deps-deb ## build Debian packages of all into build/deb, for the Debian that this is
	@deploy/deb $(BUILD)/deb

deps: ## install the packages that the build needs
	@deploy/packages $(PACKAGES_BUILD)

deps-deb:
	@deploy/packages $(PACKAGES_BUILD) $(PACKAGES_DEB)

format: ## format every C file with clang-format
	clang-format -i $(shell git ls-files '*.c' '*.h')

clean: ## remove the build
	rm -rf $(BUILD)

# Tests, measurements and the linter; the Dockerfile copies no tests.
-include tests/tests.mk

help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  %-12s %s\n", $$1, $$2}'

-include $(wildcard $(BUILD)/bench/*.d $(BUILD)/fuzz/*.d $(BUILD)/sameness/*.d $(BUILD)/lib/*.d $(BUILD)/server/*.d $(BUILD)/server/*/*.d $(BUILD)/tests/*.d)
