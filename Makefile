# SPDX-License-Identifier: GPL-2.0
#
# The front door. Everything happens in scripts/; 'make help' lists the targets.

ARCH ?= amd64
PREFIX ?= /usr/local
export ARCH KERNEL KDIR DESTDIR PREFIX MIRROR SDK STRESS_SECONDS STRESS_RELOADS

.PHONY: all modules tool man selftests demo test test-debug test-kcsan test-stress test-miri fuzz coverage bench bench-check bench-profile
.PHONY: check shell install bindings sdk clean help

all: modules tool ## build the module and the tool (the default)

modules: ## build pidspace.ko for ARCH and KERNEL, or against KDIR=/lib/modules/.../build
	@scripts/build-module

tool: ## build the command line tool
	@scripts/build-tool

man: ## build the manual pages
	@scripts/build-man

selftests: ## build the guests' selftests for ARCH
	@scripts/build-selftests

demo: modules tool ## boot a stock Debian kernel in QEMU and show a live space
	@scripts/demo

test: ## run the host tests, and the selftests in an amd64 and an arm64 guest
	@scripts/test

test-debug: ## run the selftests, the stress test and a fuzzer on a kernel built to find errors, and prove that it does
	@scripts/test debug

test-kcsan: ## run the selftests on a kernel that looks for data races
	@scripts/test kcsan

test-stress: ## run the stress test (STRESS_SECONDS=600, STRESS_RELOADS=200) in an amd64 guest
	@scripts/test stress

test-miri: ## run the tests of the crates logic and client in Miri, which looks for undefined behaviour
	@scripts/test miri

fuzz: ## fuzz the device in the debug guest (FUZZ_SECONDS, 300), then what runs on the host
	@scripts/test fuzz

coverage: ## tell which lines of the module the selftests and the fuzzer's corpus reach
	@scripts/coverage

bench: ## count the instructions of everything beside what Linux has, and rewrite the pages that tell them
	@scripts/bench

bench-check: ## count fewer of them, on amd64, and fail where a budget is exceeded
	@scripts/bench --check

bench-profile: ## count by function where the instructions of a fork go
	@scripts/bench --quick --profile

check: ## check formatting, lints, layers, licences and generated files
	@scripts/check

shell: modules tool ## open a shell in a guest with the module loaded
	@scripts/vm --interactive -- bash -l

install: modules tool man ## install module, tool, header, udev rule, manual pages (DESTDIR, PREFIX)
	@scripts/install

bindings: ## remake rust/uapi/bindings.rs from the uapi header
	@scripts/sdk run -- scripts/gen-uapi

sdk: ## set up what building and running need; nothing else has to be run first
	@scripts/sdk setup

clean: ## remove what was built (the SDK stays: 'scripts/sdk clean --all' removes it)
	rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16
	@echo 'Variables: ARCH=amd64|arm64 KERNEL=stock|debug|kcsan KDIR DESTDIR PREFIX SDK=root|host MIRROR; see scripts/sdk help, scripts/vm --help'
