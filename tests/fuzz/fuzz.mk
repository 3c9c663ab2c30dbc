# Fuzz targets: tests/fuzz/fuzz_NAME.c, each built twice. With clang's libFuzzer it looks for inputs
# that break a promise; with gcc and replay.c it is given the inputs of tests/fuzz/corpus/NAME.

FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# What they share; replay.c is the main of the second kind.
FUZZ_HELP  := $(filter-out tests/fuzz/replay.c tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c)) \
              tests/unit/fastcgi_client.c tests/unit/scratch.c
FUZZ_SRC   := $(LIB_SRC) $(filter-out src/cli/main.c,$(CLI_SRC)) $(FUZZ_HELP)
FUZZ_LIB   := $(FUZZ_SRC:%.c=$(BUILD)/fuzz/obj/%.o) $(GEN_SRC:$(BUILD)/%.c=$(BUILD)/fuzz/obj/%.o)
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_WITH  := address,undefined

# The loop of the FastCGI target waits where the target says what happens next (fuzz_fastcgi.c).
$(BUILD)/fuzz/bin/fastcgi $(BUILD)/san/fuzz/fastcgi: FUZZ_LINK := -Wl,--wrap=epoll_wait,--wrap=clock_monotonic_ms
# An import is looked at when it would be committed (fuzz_import.c).
$(BUILD)/fuzz/bin/import $(BUILD)/san/fuzz/import: FUZZ_LINK := -Wl,--wrap=store_commit

.PHONY: fuzz-build replays
fuzz-build: $(FUZZ_NAMES:%=$(BUILD)/fuzz/bin/%)
replays: $(FUZZ_NAMES:%=$(BUILD)/san/fuzz/%)

$(BUILD)/fuzz/obj/gen/%.o: $(BUILD)/gen/%.c
	$(COMPILE)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_WITH) $(FLAGS)
$(BUILD)/fuzz/obj/%.o: %.c
	$(COMPILE)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_WITH) $(FLAGS)
$(BUILD)/fuzz/libfuzzed.a: $(FUZZ_LIB)
	$(ARCHIVE)
	$(Q)ar rcs $@ $^
$(BUILD)/fuzz/bin/%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libfuzzed.a
	$(LINK)
	$(Q)$(CLANG) -fsanitize=fuzzer,$(FUZZ_WITH) $(FUZZ_LINK) -o $@ $^ $(LDLIBS)

$(BUILD)/san/fuzz/%: $(BUILD)/san/tests/fuzz/fuzz_%.o $(BUILD)/san/tests/fuzz/replay.o \
    $(FUZZ_HELP:%.c=$(BUILD)/san/%.o) $(BUILD)/san/libtest.a $(BUILD)/san/liblatchkey.a
	$(LINK)
	$(Q)$(CC) $(SANITIZE) $(FUZZ_LINK) -o $@ $^ $(LDLIBS)
