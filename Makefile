# `make help` lists what there is. Everything is built once, optimised, with the tests' access to internals, so that `demo`,
# `test`, `bench`, `docs` and `install` share one build folder.

BUILD_FLAGS := -c release -Xswiftc -enable-testing
BUILD_FOLDER = $(shell swift build $(BUILD_FLAGS) --show-bin-path)
SEGNET = $(BUILD_FOLDER)/segnet

PREFIX ?= /usr/local
DESTDIR ?=
ARGUMENTS ?=

# Swift sources that people write: generated protobuf code keeps its generator's form.
SWIFT_FILES := find Package.swift Sources Tests $(wildcard Tools Benchmarks Examples) -name '*.swift' \
	-not -name '*.pb.swift' -not -path '*/.build*'

# The ONNX checks use this Python when it is there (scripts/setup-python makes it); otherwise they skip.
ifneq ($(wildcard .venv/bin/python),)
export SEGNET_PYTHON ?= $(CURDIR)/.venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench fuzz format format-check docs install uninstall clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install missing system packages (libpng, libjpeg-turbo, pkg-config)
	@scripts/setup

build: setup ## Build the segnet command
	@swift build $(BUILD_FLAGS) --product segnet

demo: build ## Segment a rendered street scene; the pictures go to output/demo
	@"$(SEGNET)" demo --output output/demo $(ARGUMENTS)

test: setup ## Build and run all tests (ARGUMENTS='--filter Name' for some)
	@swift build $(BUILD_FLAGS) --build-tests
	@swift test $(BUILD_FLAGS) --skip-build --disable-xctest $(ARGUMENTS)

.PHONY: test-web
test-web: ## Drive the web page in a headless Chromium against the built server (scripts/setup-web installs what it needs)
	@scripts/test-web $(ARGUMENTS)

bench: build ## Measure speed and memory on this machine
	@"$(SEGNET)" benchmark $(ARGUMENTS)

fuzz: setup ## Feed 10,000 corrupted files to every reader (ARGUMENTS='--count 500' for fewer)
	@scripts/fuzz-files $(ARGUMENTS)

format: ## Format all Swift sources
	@$(SWIFT_FILES) -print0 | xargs -0 swift format --in-place --parallel

format-check: ## Fail if a Swift source is not formatted
	@$(SWIFT_FILES) -print0 | xargs -0 swift format lint --strict --parallel

docs: setup ## Build the library's documentation into output/docs
	@scripts/docs

install: build ## Install the command and its shell completions under PREFIX (/usr/local)
	@SEGNET="$(SEGNET)" scripts/install "$(DESTDIR)$(PREFIX)"

uninstall: ## Remove what `make install` put under PREFIX
	@scripts/install --remove "$(DESTDIR)$(PREFIX)"

clean: ## Remove everything built and written here
	rm -rf .build output
