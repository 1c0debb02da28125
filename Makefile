# `make help` lists what there is. Everything is built once, optimised, with the tests' access to internals, so that `demo`,
# `test`, `bench`, `docs` and `install` share one build folder.

BUILD_FLAGS := -c release -Xswiftc -enable-testing
BUILD_FOLDER = $(shell swift build $(BUILD_FLAGS) --show-bin-path)
SEGNET = $(BUILD_FOLDER)/segnet
# The web server is a package of its own with a build folder of its own, so that the library and the command do not pull in its
# packages.
SERVER_FLAGS := --package-path Server $(BUILD_FLAGS)
SEGNET_SERVER = Server/.build/release/segnet-server

# Training over MPI is a package of its own too, of C alone: it builds in seconds. SEGNET_MPI names the MPI's pkg-config file.
SEGNET_MPI ?= $(firstword $(foreach name,ompi-c mpich,$(shell pkg-config --exists $(name) 2>/dev/null && echo $(name))))
export SEGNET_MPI

PREFIX ?= /usr/local
DESTDIR ?=
ARGUMENTS ?=

# Swift sources that people write: generated protobuf code keeps its generator's form.
SWIFT_FILES := find Package.swift Sources Tests $(wildcard Tools Benchmarks Examples Cluster/Package.swift Server/Package.swift Server/Sources Server/Tests) -name '*.swift' \
	-not -name '*.pb.swift' -not -path '*/.build*'

# Tests are built by their product's name: --build-tests would also compile what no test of ours uses, such as swift-protobuf's
# own compiler, 600 files of C++.

# The checks with ONNX Runtime and TensorBoard use this Python when it is there (scripts/setup-python makes it); otherwise they skip.
ifneq ($(wildcard .venv/bin/python),)
export SEGNET_PYTHON ?= $(CURDIR)/.venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help setup build demo server serve test test-library test-server bench fuzz format format-check docs install uninstall \
	clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install missing system packages (libpng, libjpeg-turbo, pkg-config)
	@scripts/setup

build: setup ## Build the segnet command
	@swift build $(BUILD_FLAGS) --product segnet

demo: build ## Segment the bundled street photo; the pictures go to output/demo
	@"$(SEGNET)" demo --output output/demo $(ARGUMENTS)

server: setup ## Build segnet-server, the web page and HTTP service (docs/server.md)
	@swift build $(SERVER_FLAGS) --product segnet-server

serve: server ## Serve the page at http://127.0.0.1:8080/ (ARGUMENTS='--port 9000' for elsewhere)
	@"$(SEGNET_SERVER)" $(ARGUMENTS)

test: test-library test-server $(if $(ARGUMENTS),,test-web) ## Build and run all tests (ARGUMENTS='--filter Name' for some)

test-library: setup $(if $(SEGNET_MPI),mpi-library) ## The tests of the library and the command alone
	@swift build $(BUILD_FLAGS) --product segnet-swiftPackageTests
	@swift test $(BUILD_FLAGS) --skip-build --disable-xctest $(ARGUMENTS)

test-server: setup ## The tests of the server alone
	@swift build $(SERVER_FLAGS) --product segnet-serverPackageTests
	@swift test $(SERVER_FLAGS) --skip-build --disable-xctest $(ARGUMENTS)

.PHONY: test-web
test-web: ## Drive the web page in a headless Chromium, and Firefox (scripts/setup-web installs them; ARGUMENTS='-k camera' for some)
	@scripts/test-web $(if $(filter test-web,$(MAKECMDGOALS)),$(ARGUMENTS))

.PHONY: mpi mpi-library test-mpi
mpi-library:
	@swift build --package-path Cluster -c release

mpi: build ## Build segnet-mpi, which trains with several processes or machines over MPI (docs/scaling.md; scripts/setup-mpi installs one)
	@$(if $(SEGNET_MPI),,scripts/setup-mpi)
	@SEGNET_MPI=$(or $(SEGNET_MPI),ompi-c) swift build --package-path Cluster -c release

test-mpi: setup $(if $(SEGNET_MPI),mpi-library) ## Train with 2 ranks over MPI; part of `test` where an MPI is
	@swift build $(BUILD_FLAGS) --product segnet-swiftPackageTests
	@swift test $(BUILD_FLAGS) --skip-build --disable-xctest --filter MPITests

.PHONY: test-scaling
test-scaling: build ## Run Examples/Scaling with the engines that are here (scripts/setup-scaling installs Spark and Ray); not part of `test`
	@SEGNET="$(abspath $(SEGNET))" scripts/test-scaling $(ARGUMENTS)

.PHONY: test-torch
test-torch: ## Test Tools/torch, the trainer for GPUs, on the CPU where PyTorch is (ARGUMENTS='test_recipe' for some); not part of `test`
	@scripts/test-torch $(ARGUMENTS)

.PHONY: test-neon
test-neon: ## Compare the kernels for 64-bit ARM with the portable ones, under qemu elsewhere; part of continuous integration
	@scripts/test-neon

bench: build ## Measure speed and memory on this machine
	@"$(SEGNET)" benchmark $(ARGUMENTS)

fuzz: setup ## Feed 10,000 corrupted files to every reader (ARGUMENTS='--count 500' for fewer)
	@scripts/fuzz-files $(ARGUMENTS)

.PHONY: fuzz-coverage
fuzz-coverage: setup ## Fuzz every reader with libFuzzer, a minute each (ARGUMENTS='--seconds 3600 png' for more or some)
	@scripts/fuzz-coverage $(ARGUMENTS)

format: ## Format all Swift sources
	@$(SWIFT_FILES) -print0 | xargs -0 swift format --in-place --parallel

format-check: ## Fail if a Swift source is not formatted
	@$(SWIFT_FILES) -print0 | xargs -0 swift format lint --strict --parallel

docs: setup ## Build the library's documentation into output/docs
	@scripts/docs

# Linked anew with Swift's libraries inside (SEGNET_STANDALONE in Package.swift): what is installed must not need this machine's
# toolchain.
install: setup ## Install the command, and the server if it is built, under PREFIX (/usr/local)
	@SEGNET_STANDALONE=1 swift build $(BUILD_FLAGS) --product segnet
	@$(if $(wildcard $(SEGNET_SERVER)),SEGNET_STANDALONE=1 swift build $(SERVER_FLAGS) --product segnet-server)
	@SEGNET="$(SEGNET)" SEGNET_SERVER="$(wildcard $(SEGNET_SERVER))" scripts/install "$(DESTDIR)$(PREFIX)"

uninstall: ## Remove what `make install` put under PREFIX
	@scripts/install --remove "$(DESTDIR)$(PREFIX)"

clean: ## Remove everything built and written here
	rm -rf .build .build-fuzz Server/.build Cluster/.build output
