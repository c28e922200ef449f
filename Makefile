# exim-requiretls - GNU make, no configure step.
#
#   make            build/out/requiretls.so and build/out/exim-requiretls
#   make demo       install what is missing, start the lab, run the main job
#   make check      install what is missing, build, run every test
#   make lint       all static checks
#   make asan       unit tests and seeds under ASan and UBSan, gcc and clang
#   make fuzz       SECONDS=60 or RUNS=n, TARGET=name: libFuzzer on one parser or on all
#   make faults     every call fails, one after the other: ten to twenty minutes
#   make bench      measure, print the table of docs/PERFORMANCE.md
#   make matrix     every cell of tests/matrix through the module
#   make exim       EXIM_RELEASE=4.96: Exim with our patches, as Debian packages
#   make exim-all   the same of every release there are patches for
#   make wire       EXIM_RELEASE=4.98.2: the REQUIRETLS scenarios with that Exim
#   make deb        the Debian package exim4-requiretls
#   make patches    EXIM_RELEASE=4.96: is each patch needed by a test?
#   make install    DESTDIR= PREFIX=/usr
#   make clean

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
OUT        ?= build/out
CC         ?= gcc
CLANG      ?= clang
PYTHON     ?= /usr/bin/python3
SECONDS    ?= 60

EXIM_CONFIG ?= $(SYSCONFDIR)/exim4
MODULE_DIR  ?= $(PREFIX)/lib/exim4/requiretls
STANZAS     ?= $(PREFIX)/share/exim-requiretls
PROGRAM     ?= $(PREFIX)/sbin/exim-requiretls
SPOOL       ?= /var/spool/exim4/requiretls

CFLAGS   ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDFLAGS  ?= -Wl,-z,relro
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wpointer-arith -Wundef
ifdef CI
WARNINGS += -Werror
endif
PATHS    := -DRTLS_CONFIG_PATH='"$(EXIM_CONFIG)/requiretls.conf"' \
	-DRTLS_DEFAULT_SPOOL='"$(SPOOL)"' \
	-DRTLS_DEFAULT_PROGRAM='"$(PROGRAM)"' \
	-DRTLS_MODULE_PATH='"$(MODULE_DIR)/requiretls.so"' \
	-DRTLS_STANZAS='"$(STANZAS)"'
# The module works in the Exim release its headers are of, and in no other.
EXIM_VERSION ?= $(shell dpkg-query -W -f '$${Version}' exim4-dev | sed 's/[-~+].*//')
EXIM_INCLUDE ?= /usr/include/exim4
# -isystem: Exim's headers are not ours to warn about.
BASE     := -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -Imodule \
	-isystem $(EXIM_INCLUDE) $(PATHS) -MMD -MP
COMPILE   = $(CC) $(BASE) $(WARNINGS) $(CFLAGS) $(CPPFLAGS)

NET_LIBS  = -lgetdns -lcurl -lgnutls -ljansson -lz

objects = $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard $(1)))
POLICY  := $(call objects,module/policy/*.c)
STORE   := $(call objects,module/store/*.c)
TLS     := $(call objects,module/tls/*.c)
RESOLVE := $(call objects,module/resolve/*.c)
REPORT  := $(call objects,module/report/*.c)
TOOL    := $(call objects,module/tool/*.c)
EXIM    := $(call objects,module/exim/*.c)

UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c)) \
	$(patsubst tests/exim/%.c,$(OUT)/module/%,$(wildcard tests/exim/test_*.c))
FUZZERS    := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS    := $(addprefix $(OUT)/replay/,$(FUZZERS))

.PHONY: FORCE all demo check unit seeds unit-and-seeds matrix lint asan asan-gcc asan-clang fuzz bench install clean deps exports scenarios wire patches faults exim exim-all exim-tests deb package-tests
.DELETE_ON_ERROR:
.PRECIOUS: $(OUT)/obj/%.o

all: $(OUT)/requiretls.so $(OUT)/exim-requiretls

$(OUT)/obj/module/exim/%.o: BASE += -DRTLS_EXIM_VERSION='"$(EXIM_VERSION)"'
$(addprefix $(OUT)/obj/module/tool/,metrics_site.o setup_look.o): BASE += -DRTLS_EXIM_VERSION='"$(EXIM_VERSION)"'

$(OUT)/obj/%.o: %.c $(OUT)/paths
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# Paths are compiled in: another PREFIX means other objects.
$(OUT)/paths: FORCE
	@mkdir -p $(@D)
	@echo "$(PATHS)" | cmp -s - $@ || echo "$(PATHS)" >$@
FORCE:

$(OUT)/libpolicy.a: $(POLICY)
$(OUT)/libstore.a: $(STORE)
$(OUT)/libtls.a: $(TLS)
$(OUT)/libresolve.a: $(RESOLVE)
$(OUT)/libreport.a: $(REPORT)
$(OUT)/libtool.a: $(filter-out %/main.o,$(TOOL))
$(OUT)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

# -z now and the export map: no name of ours or of the host's binds by
# accident. Exim's own symbols are resolved when Exim loads the module.
$(OUT)/requiretls.so: $(EXIM) $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a module/exim/export.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-z,now -Wl,--gc-sections \
		-Wl,--version-script=module/exim/export.map -o $@ \
		$(EXIM) $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a -lgnutls

$(OUT)/exim-requiretls: $(TOOL) $(OUT)/libreport.a $(OUT)/libresolve.a $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-z,now -o $@ $^ $(NET_LIBS)

# --- tests ------------------------------------------------------------------

UNIT_LIBS = $(OUT)/libreport.a $(OUT)/libresolve.a $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a

$(OUT)/unit/%: $(OUT)/obj/tests/unit/%.o $(OUT)/libtool.a $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(NET_LIBS)

# The module with tests/exim/host.c in place of Exim and of api.c.
HOSTED = $(filter-out %/api.o,$(EXIM)) $(OUT)/obj/tests/exim/host.o
$(OUT)/obj/tests/exim/%.o: BASE += -DRTLS_EXIM_VERSION='"$(EXIM_VERSION)"' -Itests/unit
$(OUT)/module/%: $(OUT)/obj/tests/exim/%.o $(HOSTED) $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lgnutls
# No unit test: what `make matrix` runs.
$(OUT)/module/matrix: $(OUT)/obj/tests/exim/delivery.o

# A fuzz target with its seeds to replay; `make fuzz` puts libFuzzer in place of the driver.
# The module comes along as in the tests above, for targets that call it.
FUZZ_DRIVER = $(OUT)/obj/tests/fuzz/replay.o
$(OUT)/obj/tests/fuzz/%.o: BASE += -DRTLS_EXIM_VERSION='"$(EXIM_VERSION)"' -Itests/unit
$(OUT)/libhosted.a: $(HOSTED)
$(OUT)/replay/%: $(OUT)/obj/tests/fuzz/%.o $(FUZZ_DRIVER) $(OUT)/libhosted.a $(OUT)/libtool.a $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(NET_LIBS)

deps:
	@build/deps.sh

unit: $(UNIT_TESTS)
	@tests/run-unit $(UNIT_TESTS)

seeds: $(REPLAYS)
	@tests/run-seeds $(REPLAYS)

# One sum for both, for tests/run-all.
unit-and-seeds: $(UNIT_TESTS) $(REPLAYS)
	@tests/run-unit $(UNIT_TESTS)
	@tests/run-seeds $(REPLAYS)

exports: all
	@EXIM_INCLUDE=$(EXIM_INCLUDE) tests/exim/exports $(OUT)/requiretls.so module/exim/export.map

PYTEST = OUT=$(OUT) $(PYTHON) -B -m pytest -q -rs -p no:cacheprovider

scenarios: all
	@$(PYTEST) tests/lab tests/scenarios

# Every cell of tests/matrix/oracle.py through the module, without a network.
matrix: $(OUT)/module/matrix
	@$(PYTEST) tests/matrix

# build/exim.sh, with what it has built so far.
exim-tests:
	@$(PYTEST) tests/build

# REQUIRETLS on the wire with the patched Exim of another release, and the module for it. One test
# compares with the installed Exim, which is not of that release.
wire: all
	@cd tests/scenarios && RTLS_EXIM_VERSION=$(EXIM_RELEASE) $(PYTEST) \
		test_wire_client.py test_wire_dsn.py test_wire_module.py \
		test_wire_report.py test_wire_reuse.py test_wire_review.py \
		test_wire_server.py test_wire_spool.py \
		--deselect test_wire_dsn.py::test_ordinary_mail_is_as_without_the_patches

# Is each patch of a release necessary? A build for each: some minutes.
patches: all
	@OUT=$(OUT) tests/patches-necessary $(EXIM_RELEASE)

# Call 1, 2, 3 ... of the program and of the module fails; `make check` takes a sample.
faults: all
	@RTLS_FAULTS=1 $(PYTEST) tests/scenarios/test_inject.py tests/scenarios/test_setup.py

# One command for a person and for CI; prints the sum of everything at the end.
check: deps
	@tests/run-all

demo: deps
	@$(MAKE) --no-print-directory -s all
	@OUT=$(OUT) $(PYTHON) -B tests/scenarios/demo.py

$(OUT)/obj/tests/bench/%.o: BASE += -DRTLS_EXIM_VERSION='"$(EXIM_VERSION)"'
$(OUT)/route-bench: $(OUT)/obj/tests/bench/host.o $(EXIM) $(OUT)/libtls.a $(OUT)/libstore.a $(OUT)/libpolicy.a
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--unresolved-symbols=report-all -o $@ $^ -lgnutls

$(OUT)/%-bench: $(OUT)/obj/tests/bench/%.o $(UNIT_LIBS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NET_LIBS)

bench: deps
	@$(MAKE) --no-print-directory -s all $(addprefix $(OUT)/,$(addsuffix -bench,route journal records))
	@OUT=$(OUT) $(PYTHON) -B tests/bench/bench.py

SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan: asan-gcc asan-clang
asan-gcc:
	@$(MAKE) --no-print-directory -s OUT=$(OUT)/asan-gcc CC=gcc CFLAGS="$(SANITIZE)" unit-and-seeds
asan-clang:
	@$(MAKE) --no-print-directory -s OUT=$(OUT)/asan-clang CC=$(CLANG) CFLAGS="$(SANITIZE)" unit-and-seeds

# What an input of a few hundred bytes can meet.
SMALL_LIMITS := -DRTLS_RECEIVED_JSON_MAX=65536 -DBUNDLE_SIZE_MAX=65536 \
	-DRTLS_DETAILS_MAX=4 -DRTLS_DETAILS_HOSTS=1 -DRTLS_DETAILS_ALL_MAX=5 \
	-DRTLS_DETAILS_LEAST=2 -DRTLS_POLICIES_MAX=2 -DRTLS_TALLY_SORTED=1

# With neither, each target runs for a minute.
fuzz: FUZZED = $(if $(TARGET),fuzz_$(TARGET:fuzz_%=%),$(FUZZERS))
fuzz:
	@$(MAKE) --no-print-directory -s OUT=$(OUT)/fuzz CC=$(CLANG) FUZZ_DRIVER= \
		CFLAGS="$(SANITIZE) -O2 -fsanitize=fuzzer-no-link $(FUZZ_FLAGS)" \
		LDFLAGS="-fsanitize=fuzzer" \
		CPPFLAGS="$(SMALL_LIMITS)" $(addprefix $(OUT)/fuzz/replay/,$(FUZZED))
	@OUT=$(OUT)/fuzz FUZZ_SECONDS=$(SECONDS) FUZZ_RUNS=$(RUNS) tests/run-fuzz $(FUZZED)

lint:
	@CLANG=$(CLANG) build/lint.sh

# --- Exim with our patches ---------------------------------------------------

exim:
	@OUT=$(OUT) build/exim.sh $(EXIM_RELEASE)

exim-all:
	@for release in $$(build/exim.sh --list | cut -d' ' -f1); do \
		OUT=$(OUT) build/exim.sh $$release || exit $$?; \
	done

# --- the Debian package -------------------------------------------------------

deb:
	@OUT=$(OUT) build/deb.sh

# The package in a fresh Debian, in namespaces of its own: root only.
package-tests: deb
	@$(PYTEST) tests/package

# --- installation -----------------------------------------------------------

# Nothing of this changes how Exim works: "exim-requiretls setup" switches it on.
install: all
	install -d $(DESTDIR)$(MODULE_DIR) $(DESTDIR)$(dir $(PROGRAM)) \
		$(DESTDIR)$(EXIM_CONFIG) $(DESTDIR)$(STANZAS)
	install -m 644 module/conf/prometheus/exim-requiretls.rules.yml \
		$(DESTDIR)$(STANZAS)/
	install -m 644 $(OUT)/requiretls.so $(DESTDIR)$(MODULE_DIR)/requiretls.so
	install -m 755 $(OUT)/exim-requiretls $(DESTDIR)$(PROGRAM)
	test -e $(DESTDIR)$(EXIM_CONFIG)/requiretls.conf || \
		install -m 644 module/conf/requiretls.conf $(DESTDIR)$(EXIM_CONFIG)/requiretls.conf
	for part in acl main preflight routers transports; do \
		sed 's#/usr/lib/exim4/requiretls#$(MODULE_DIR)#; s#/usr/share/exim-requiretls#$(STANZAS)#' \
			module/conf/$$part.conf | \
			install -m 644 /dev/stdin $(DESTDIR)$(STANZAS)/$$part.conf || exit 1; \
	done
	for manual in docs/*.[1-9]; do \
		section=man$${manual##*.}; \
		install -d $(DESTDIR)$(PREFIX)/share/man/$$section && \
		install -m 644 $$manual $(DESTDIR)$(PREFIX)/share/man/$$section/ \
			|| exit 1; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(SYSCONFDIR)/cron.d
	for unit in module/conf/systemd/*; do \
		sed 's#/usr/sbin/exim-requiretls#$(PROGRAM)#; s#/var/spool/exim4#$(dir $(SPOOL))#' $$unit | \
			install -m 644 /dev/stdin \
			$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; \
	done
	sed 's#/usr/sbin/exim-requiretls#$(PROGRAM)#g' module/conf/cron.d/exim-requiretls | \
		install -m 644 /dev/stdin $(DESTDIR)$(SYSCONFDIR)/cron.d/exim-requiretls
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 module/conf/completion/exim-requiretls \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/exim-requiretls

clean:
	rm -rf $(OUT)

-include $(wildcard $(OUT)/obj/*/*/*.d)
