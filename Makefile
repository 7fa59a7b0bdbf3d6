# Everything a developer does, in either world (see env.sh). `make demo` or `make test` is all one needs to know.
SHELL := /bin/bash
.PHONY: demo test docker-test faults soak bench lint format asan tsan tidy fuzz setup build clean

# Without the tests of C++, which would take half as long again to build.
demo: setup
	@tools/build --without-tests && . ./env.sh && python3 tools/demo.py

test: build
	@tools/test

# The images and the services of docker/ on a real Docker engine; see docs/docker.md
docker-test: setup
	@tools/docker_test

# Random signals to the processes of RUNS verifications and BAGS mutants of a bag of each storage: no verdict may lie
faults: build
	@. ./env.sh && python3 tools/faults.py --runs $(or $(RUNS),200) --bags $(or $(BAGS),10000) --seed $(or $(SEED),0)

# RUNS runs of ordinary nodes on processors and at priorities drawn at random: one digest, no hang
soak: build
	@. ./env.sh && python3 tools/soak.py --runs $(or $(RUNS),200) --seed $(or $(SEED),0)

# ROWS=name,name chooses rows, QUICK=1 takes a tenth of the messages; see docs/speed.md
bench: setup
	@tools/bench/bench

lint: setup
	@tools/lint

format: setup
	@LOCKSTEP_WITHOUT_WORKSPACE=1 . ./env.sh && ruff check --fix-only . && ruff format . && find src -name '*.[ch]pp' -exec clang-format -i {} +

# The C++ libraries and their tests with AddressSanitizer and UndefinedBehaviorSanitizer, with ThreadSanitizer, and fed by
# libFuzzer: FUZZ_S=60 feeds each program for 60 s
asan tsan fuzz: build
	@tools/sanitize $@

# clang-tidy for lockstep_cpp
tidy: build
	@tools/tidy

setup:
	@tools/setup

build: setup
	@tools/build

clean:
	rm -rf build install log .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
