# The front door. `make demo` runs the whole way on a synthetic patient, `make test` runs the tests; both install what is
# missing (Debian and Ubuntu), configure and build first.
PRESET ?= release
JOBS ?= $(shell nproc)
BUILD = build/$(PRESET)
SOURCES = $(shell git ls-files '*.cpp' '*.hpp' '*.cu' '*.cuh')

.PHONY: all deps configure demo test bench docs wheel format lint install clean

all: configure
	cmake --build $(BUILD) --parallel $(JOBS)

deps:
	./install-dependencies.sh

configure: deps
	cmake --preset $(PRESET)

demo: configure
	cmake --build $(BUILD) --parallel $(JOBS) --target cardiotwin_cli
	$(BUILD)/bin/cardiotwin demo --out demo

test:
	./install-dependencies.sh tests
	$(MAKE) all
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error --parallel $(JOBS)

bench: deps
	cmake --preset bench
	cmake --build build/bench --parallel $(JOBS)
	cmake --build build/bench --target bench

# The manual, from the sources and from what was built: build/docs/html/index.html. Notebooks as the tests ran them.
docs: all
	./install-dependencies.sh docs
	/usr/bin/python3 python/docs/build.py $(BUILD)

# A wheel with all it needs inside, for machines without build tools: dist/*.whl.
wheel:
	./install-dependencies.sh tests
	rm -rf build/wheel
	build/venv/bin/pip wheel . --no-deps --wheel-dir build/wheel
	PATH="$(CURDIR)/build/venv/bin:$$PATH" auditwheel repair --wheel-dir dist build/wheel/*.whl

format:
	clang-format -i $(SOURCES)

# Layout of every file, then clang-tidy over the sources (slow).
lint: configure
	clang-format --dry-run --Werror $(SOURCES)
	clang-tidy -p $(BUILD) --quiet $(filter %.cpp,$(SOURCES))

install: all
	cmake --install $(BUILD)

clean:
	rm -rf build demo dist
