# Latchkey. `make help` lists the targets; everything made goes under $(BUILD).

BUILD   ?= build
PREFIX  ?= /usr/local
PORT    ?= 8080
STORE   ?= database
CC      := gcc
CLANG   := clang

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
            -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
            -Wswitch-enum -Wundef -Werror
CPPFLAGS += -Isrc -D_POSIX_C_SOURCE=200809L
# Against faults that are still in here; what each costs stands in docs/performance.md. PIC, so that
# others can make modules of the library; then -fno-semantic-interposition, as inside of a program.
# The last line is for what C leaves undefined: gcc then takes no check away that the source has.
IS_X86   := $(filter x86_64 i%86,$(shell uname -m))
HARDEN   := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
            -ftrivial-auto-var-init=zero -fPIC -fno-semantic-interposition $(IS_X86:%=-fcf-protection) \
            -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
CFLAGS   ?= -O2 -g
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# shstk: nothing of ours returns to where it was not called from, nor do libc's first steps, though
# Debian 12 does not mark them so. It marks nothing for IBT, and there not everything is fit for it.
LDFLAGS  += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,-z,text,-z,defs,--as-needed,--build-id \
            $(IS_X86:%=-Wl,-z,shstk)
LDLIBS   := -lfcgi -lsodium -lnettle -lcrypt -lsqlite3 -linih -lzxcvbn

# What changes the programs that it is linked with, those that hash: an mmap of our own.
HASHING_SRC := src/crypto/huge_pages.c
# What is run while the rest is built: it makes the filters of system calls.
FILTERS_SRC := src/confine/rules.c src/confine/make_filters.c
# The library is every room but the command line's; the command's own files are linked with it.
LIB_SRC  := $(filter-out $(HASHING_SRC) $(FILTERS_SRC) $(wildcard src/cli/*.c),$(wildcard src/*/*.c))
CLI_SRC  := $(wildcard src/cli/*.c)
GEN_SRC  := $(BUILD)/gen/templates.c $(BUILD)/gen/schema.c $(BUILD)/gen/cache_schema.c $(BUILD)/gen/filters.c
PROGRAMS := $(patsubst cgi-bin/%.c,%,$(wildcard cgi-bin/*.c))
TESTS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
CONSTANT := $(BUILD)/timing/constant_time
EXAMPLES := $(patsubst examples/%.c,%,$(wildcard examples/*.c))
HELPERS  := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))
CLANG_C  := $(wildcard src/*/*.c cgi-bin/*.c tests/unit/*.c tests/bench/*.c tests/timing/*.c tests/fuzz/*.c tests/fault/*.c \
                tests/crash/*.c tests/web/support/*.c examples/*.c)
TIDY_C   := $(wildcard src/*/*.c cgi-bin/*.c)
ANALYZER_C := $(TIDY_C)
CPPCHECK_C := $(TIDY_C)

LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN_SRC:%.c=%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(BUILD)/%.o)
SAN_LIB  := $(LIB_SRC:%.c=$(BUILD)/san/%.o) $(GEN_SRC:$(BUILD)/%.c=$(BUILD)/san/%.o)
SAN_CLI  := $(CLI_SRC:%.c=$(BUILD)/san/%.o)
# What others link with: one object of what the functions of latchkey.h need, in which no other name
# can be seen, so that none gets into the way of a program's own.
LK_NAMES := $(shell awk -F '[()]' '/^[a-z]/ && NF > 1 { sub(/.*[^a-z_]/, "", $$1); print $$1 }' src/latchkey.h)
LK_LIBS  := -lsqlite3 -lnettle -lsodium -linih
# Tests are linked with the command's files but its main.
TEST_SRC := $(HELPERS) $(filter-out src/cli/main.c,$(CLI_SRC))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

##@ Daily use

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: all
all: $(BUILD)/lib/liblatchkey.a $(BUILD)/bin/latchkey $(PROGRAMS:%=$(BUILD)/cgi-bin/%) examples ## build library, programs and command

.PHONY: examples
examples: $(EXAMPLES:%=$(BUILD)/examples/%) ## build programs that use the library as others would

.PHONY: run
run: ## install what is missing, build, and serve a protected demo site on http://localhost:8080 (PORT=, STORE=)
	@tools/install-deps run
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) PORT=$(PORT) STORE=$(STORE) deploy/demo/run

.PHONY: check
check: ## install what is missing, build with warnings as errors, run every test but the long ones
	@tools/install-deps check
	@$(MAKE) --no-print-directory -j$$(nproc) all sanitized $(CONSTANT) replays
	@BUILD=$(BUILD) tools/run-tests lint unit secrets fuzz web browser

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(BUILD)

##@ Single steps of the check

.PHONY: lint
lint: ## format, layering, sizes and the other house rules; clang, clang-tidy, cppcheck, gcc -fanalyzer
	@BUILD=$(BUILD) tools/run-tests lint

.PHONY: unit
unit: sanitized ## unit tests under the address and undefined-behaviour sanitizers
	@BUILD=$(BUILD) tools/run-tests unit

.PHONY: secrets
secrets: $(CONSTANT) ## under valgrind: no jump and no address depends on a secret
	@BUILD=$(BUILD) tools/run-tests secrets

.PHONY: replay
replay: replays ## every input of tests/fuzz/corpus through its target, with gcc's sanitizers
	@BUILD=$(BUILD) tools/run-tests fuzz

.PHONY: web
web: all sanitized ## tests through the real lighttpd, nginx and Apache, sanitized programs
	@BUILD=$(BUILD) tools/run-tests web

.PHONY: browser
browser: sanitized ## tests in the real Chromium, sanitized programs
	@BUILD=$(BUILD) tools/run-tests browser

.PHONY: format
format: ## bring all C files into the house format
	clang-format -i $(CLANG_C) $(wildcard src/*/*.h tests/*/*.h)

.PHONY: clang-warnings
clang-warnings: $(GEN_SRC)
	@printf '%s\n' $(CLANG_C) | xargs -P$$(nproc) -n8 \
	    $(CLANG) -std=c17 $(CPPFLAGS) $(WARNINGS) -fsyntax-only

# A file is looked at again when its object is made anew, which a change of a header brings about.
.PHONY: tidy
tidy: $(TIDY_C:%.c=$(BUILD)/tidy/%.ok)
$(BUILD)/tidy/%.ok: %.c $(BUILD)/%.o .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=c17 $(CPPFLAGS) > $@.log 2>&1 || { cat $@.log; exit 1; }
	@mv $@.log $@

# gcc's own, which goes through what can come to pass, with calls, as far as one file tells. By
# default it gives up on one file in four of this size: hence the parameter.
ANALYZE  := -O2 -fanalyzer -fdiagnostics-plain-output --param analyzer-bb-explosion-factor=50
.PHONY: analyzer
analyzer: $(ANALYZER_C:%.c=$(BUILD)/analyzer/%.o)
$(BUILD)/analyzer/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(ANALYZE) $(FLAGS)

# All files at once: it goes from one to the other. What is let pass in one line has the reason there.
.PHONY: cppcheck
cppcheck:
	@mkdir -p $(BUILD)/cppcheck
	@cppcheck --quiet -j$$(nproc) --std=c17 --library=posix --library=gnu -D__GLIBC__ $(CPPFLAGS) \
	    --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
	    --cppcheck-build-dir=$(BUILD)/cppcheck --template='{file}:{line}: {message} [{id}]' $(CPPCHECK_C)

##@ Longer work

# A build of its own, in which what is not set stays so: valgrind would not see that it is used.
NO_ZEROS := $(filter-out -ftrivial-auto-var-init=zero,$(HARDEN))
.PHONY: valgrind
valgrind: ## unit tests without sanitizers under valgrind, and `make secrets`
	@tools/install-deps valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) $(CONSTANT)
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/valgrind HARDEN='$(NO_ZEROS)' \
	    all $(TESTS:%=$(BUILD)/valgrind/plain-tests/%)
	@BUILD=$(BUILD) tools/run-tests secrets
	@BUILD=$(BUILD)/valgrind tools/run-tests valgrind

.PHONY: timing
timing: ## whether the time of an answer tells if there is such a user (SAMPLES=3000)
	@tools/install-deps check
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@BUILD=$(BUILD) node tests/timing/sign_in.mjs

FUZZ = BUILD=$(BUILD) tools/fuzz
.PHONY: fuzz fuzz-keep
fuzz: ## throw bent inputs at every parser, two at a time (SECONDS=60 each, TARGET=one of tests/fuzz)
	@tools/install-deps fuzz
	@$(MAKE) --no-print-directory -j$$(nproc) fuzz-build
	@$(FUZZ) run $(or $(SECONDS),60) $(TARGET)
fuzz-keep: ## put what fuzzing found to be new into tests/fuzz/corpus, as few and small as may be
	@$(FUZZ) keep $(TARGET)

.PHONY: fault fault-calls fault-kill fault-disk soak
fault: fault-calls fault-kill fault-disk ## the three below, some hours
fault-calls: tests-build ## every call that can fail made to fail, one by one and at random (FAULT='--only gate --sample 50 --random 0': some)
	@BUILD=$(BUILD) node tests/fault/main.mjs $(FAULT)
fault-kill: tests-build ## kill -9 (KILLS=10000) and power cuts (CUTS=1000): nothing acknowledged is lost
	@BUILD=$(BUILD) node tests/crash/kill.mjs
	@BUILD=$(BUILD) node tests/crash/power_cut.mjs
fault-disk: tests-build ## a disk that is full but for 0 to 40 pages (PAGES=40), at all that people do; needs root
	@BUILD=$(BUILD) node tests/crash/disk_full.mjs
soak: tests-build ## mixed traffic with everything being disturbed (SECONDS=3600); KEEP=1 keeps the figures in docs
	@BUILD=$(BUILD) node tests/soak/soak.mjs
.PHONY: tests-build
tests-build:
	@tools/install-deps check
	@$(MAKE) --no-print-directory -j$$(nproc) all sanitized

BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c)) $(BUILD)/bench/huge_hash_rate
.PHONY: bench bench-quick
bench: bench-build ## all that is promised of speed and memory, beside references; fails when something is missed
	@BUILD=$(BUILD) node tests/bench/bench.mjs
bench-quick: bench-build ## the same in two minutes: fewer rounds and combinations, no large databases
	@BUILD=$(BUILD) node tests/bench/bench.mjs --quick
.PHONY: bench-profile bench-scale
bench-profile: ## system calls and instructions of a check, kept in docs/performance.md
	@tools/install-deps profile
	@$(MAKE) --no-print-directory bench-build
	@BUILD=$(BUILD) node tests/bench/profile.mjs
bench-scale: bench-build ## checks with 1,000 to 10 million sessions, as a picture and a table in docs
	@BUILD=$(BUILD) node tests/bench/scale.mjs
.PHONY: bench-build
bench-build:
	@tools/install-deps bench
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BENCH)

.PHONY: screenshots
screenshots: sanitized ## pictures of pages for README and docs, and of every page below $(BUILD)/screenshots
	@tools/install-deps check
	@BUILD=$(BUILD) node tests/browser/screenshots.mjs

##@ Installing

.PHONY: install
install: all ## copy programs, library, man pages and server snippets below PREFIX (DESTDIR is honoured)
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include lib/latchkey/cgi-bin lib/pkgconfig share/latchkey \
	    share/man/man1 share/man/man3 share/man/man5)
	install -m 755 $(BUILD)/bin/latchkey $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(PROGRAMS:%=$(BUILD)/cgi-bin/%) $(DESTDIR)$(PREFIX)/lib/latchkey/cgi-bin/
	install -m 644 $(BUILD)/lib/liblatchkey.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 src/latchkey.h $(DESTDIR)$(PREFIX)/include/
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBS@|$(LK_LIBS)|' deploy/latchkey.pc > $(BUILD)/lib/latchkey.pc
	install -m 644 $(BUILD)/lib/latchkey.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	cp -R deploy/nginx deploy/lighttpd deploy/apache deploy/systemd deploy/fail2ban examples templates $(DESTDIR)$(PREFIX)/share/latchkey/
	for page in $(wildcard man/*.[1-9]); do \
	    install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/ || exit 1; done

# ---- how things are made ----

.PHONY: sanitized
sanitized: $(TESTS:%=$(BUILD)/san/tests/%) $(BUILD)/san/bin/latchkey $(BUILD)/fault/libfault.so \
    $(PROGRAMS:%=$(BUILD)/san/cgi-bin/%) $(EXAMPLES:%=$(BUILD)/san/examples/%)

$(BUILD)/gen/templates.c: tools/embed $(wildcard templates/*)
	@mkdir -p $(@D)
	$(Q)tools/embed embedded_templates $(sort $(wildcard templates/*)) > $@

$(BUILD)/gen/schema.c: tools/embed $(wildcard schema/*.sql)
	@mkdir -p $(@D)
	$(Q)tools/embed embedded_schema $(sort $(wildcard schema/*.sql)) > $@

$(BUILD)/gen/cache_schema.c: tools/embed $(wildcard schema/cache/*.sql)
	@mkdir -p $(@D)
	$(Q)tools/embed embedded_cache_schema $(sort $(wildcard schema/cache/*.sql)) > $@

$(BUILD)/gen/make-filters: $(FILTERS_SRC:%.c=$(BUILD)/%.o)
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lseccomp

$(BUILD)/gen/filters.c: $(BUILD)/gen/make-filters
	$(Q)$< > $@

# One short line for each thing that is made; `make V=1` shows the commands.
Q       := $(if $(V),,@)
COMPILE  = @mkdir -p $(@D)$(if $(V),,; echo "  CC    $@")
ARCHIVE  = @rm -f $@$(if $(V),,; echo "  AR    $@")
LINK     = @mkdir -p $(@D)$(if $(V),,; echo "  LINK  $@")
FLAGS    = -std=c17 $(CPPFLAGS) $(WARNINGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/gen/%.o: $(BUILD)/gen/%.c
	$(COMPILE)
	$(Q)$(CC) $(SANITIZE) $(FLAGS)
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(COMPILE)
	$(Q)$(CC) $(CFLAGS) $(HARDEN) $(FLAGS)
$(BUILD)/san/%.o: %.c
	$(COMPILE)
	$(Q)$(CC) $(SANITIZE) $(FLAGS)
$(BUILD)/%.o: %.c
	$(COMPILE)
	$(Q)$(CC) $(CFLAGS) $(HARDEN) $(FLAGS)

# What is loaded before programs under test, to make their calls fail.
$(BUILD)/fault/%.o: tests/fault/%.c
	$(COMPILE)
	$(Q)$(CC) $(CFLAGS) -fPIC $(FLAGS)
$(BUILD)/fault/libfault.so: $(patsubst tests/fault/%.c,$(BUILD)/fault/%.o,$(wildcard tests/fault/*.c))
	$(LINK)
	$(Q)$(CC) -shared -o $@ $^

$(BUILD)/liblatchkey.a: $(LIB_OBJ)
	$(ARCHIVE)
	$(Q)ar rcs $@ $^
$(BUILD)/san/liblatchkey.a: $(SAN_LIB)
	$(ARCHIVE)
	$(Q)ar rcs $@ $^
$(BUILD)/lib/latchkey.o: $(BUILD)/liblatchkey.a src/latchkey.h
	$(LINK)
	$(Q)$(CC) -r -nostdlib -o $@ $(LK_NAMES:%=-Wl,-u,%) $<
	$(Q)objcopy --wildcard --keep-global-symbol='lk_*' $@
$(BUILD)/lib/liblatchkey.a: $(BUILD)/lib/latchkey.o
	$(ARCHIVE)
	$(Q)ar rcs $@ $^
$(BUILD)/libtest.a: $(TEST_SRC:%.c=$(BUILD)/%.o)
	$(ARCHIVE)
	$(Q)ar rcs $@ $^
$(BUILD)/san/libtest.a: $(TEST_SRC:%.c=$(BUILD)/san/%.o)
	$(ARCHIVE)
	$(Q)ar rcs $@ $^

$(BUILD)/cgi-bin/login $(BUILD)/cgi-bin/account $(BUILD)/plain-tests/test_huge_pages $(BUILD)/bench/huge_hash_rate: \
    $(HASHING_SRC:%.c=$(BUILD)/%.o)
$(BUILD)/san/cgi-bin/login $(BUILD)/san/cgi-bin/account $(BUILD)/san/tests/test_huge_pages: $(HASHING_SRC:%.c=$(BUILD)/san/%.o)

include tests/fuzz/fuzz.mk

$(BUILD)/bin/latchkey: $(CLI_OBJ) $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/cgi-bin/%: $(BUILD)/cgi-bin/%.o $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/examples/%: $(BUILD)/examples/%.o $(BUILD)/lib/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LK_LIBS) -lfcgi
$(BUILD)/san/examples/%: $(BUILD)/san/examples/%.o $(BUILD)/san/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LDLIBS)
$(BUILD)/san/bin/latchkey: $(SAN_CLI) $(BUILD)/san/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LDLIBS)
$(BUILD)/san/cgi-bin/%: $(BUILD)/san/cgi-bin/%.o $(BUILD)/san/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LDLIBS)
$(BUILD)/san/tests/%: $(BUILD)/san/tests/unit/%.o $(BUILD)/san/libtest.a $(BUILD)/san/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(LDLIBS) -lcmocka -ljansson -lseccomp
$(BUILD)/plain-tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libtest.a $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka -ljansson -lseccomp
$(CONSTANT): $(BUILD)/tests/timing/constant_time.o $(BUILD)/tests/timing/marks.o $(BUILD)/libtest.a $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=secret_is_equal,--wrap=digest_sha256,--wrap=seal_open,--wrap=crypt_r \
	    -o $@ $^ $(LDLIBS) -lcmocka -ljansson -lseccomp
$(BUILD)/bench/huge_hash_rate: $(BUILD)/tests/bench/hash_rate.o $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
