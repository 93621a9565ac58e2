# The front door. `make demo` runs the whole way on a synthetic patient, `make test` runs the tests; both install what is
# missing (Debian and Ubuntu), configure and build first.
PRESET ?= release
JOBS ?= $(shell nproc)
BUILD = build/$(PRESET)
SOURCES = $(shell git ls-files '*.cpp' '*.hpp' '*.cu' '*.cuh')

.PHONY: all deps configure demo test bench format lint install clean

all: configure
	cmake --build $(BUILD) --parallel $(JOBS)

deps:
	./install-dependencies.sh

configure: deps
	cmake --preset $(PRESET)

demo: configure
	cmake --build $(BUILD) --parallel $(JOBS) --target cardiotwin_cli
	$(BUILD)/bin/cardiotwin demo --out demo

test: all
	./install-dependencies.sh tests
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --parallel $(JOBS)

bench: deps
	cmake --preset bench
	cmake --build build/bench --parallel $(JOBS)
	cmake --build build/bench --target bench

format:
	clang-format -i $(SOURCES)

# Layout of every file, then clang-tidy over the sources (slow).
lint: configure
	clang-format --dry-run --Werror $(SOURCES)
	clang-tidy -p $(BUILD) --quiet $(filter %.cpp,$(SOURCES))

install: all
	cmake --install $(BUILD)

clean:
	rm -rf build demo
