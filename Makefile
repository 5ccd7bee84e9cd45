# Everything that is done with this project; `make` alone lists it. A machine with git, make, Node and npm is enough:
# Bun comes as an npm package, the XMPP servers of the demo and the tests come from Debian.

BUN_VERSION := $(shell sed -n 's/^ *"bun": "\([0-9.]*\)".*/\1/p' package.json)
BUN := node_modules/.bin/bun
INSTALLED := node_modules/.installed
PACKAGING := $(shell find packaging -type f -not -path '*/node_modules/*')
RUNTIMES := packaging/runtimes/node_modules/.installed

PACKAGE_TEST_NEEDS := debootstrap systemd-container binutils lintian strace zsh fish buildah curl \
  qemu-user-static libc6-arm64-cross prosody ejabberd systemd mandoc python3

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc

help: # Lists the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 23

demo: post-msg ## sends a message from curl to a real XMPP client (KEEP=1: leaves everything running)
	@sh test/support/install-debian.sh prosody curl
	@KEEP=$(KEEP) $(BUN) test/demo/demo.ts

test: ## runs the whole gate: format, lint, types, and all tests, against real XMPP servers too
	@$(MAKE) --no-print-directory deps || { echo '0 passed, 1 failed'; exit 1; }
	@$(BUN) test/support/gate.ts everything

build: post-msg ## builds the executable, ./post-msg

check: $(INSTALLED) ## runs the part of the gate that needs no server
	@$(BUN) test/support/gate.ts check

soak: post-msg ## runs the long tests in full (SEED=n: with the same chances as a run before; an hour or more)
	@sh test/support/install-debian.sh prosody ejabberd slowhttptest
	@SOAK=1 $(BUN) test --timeout 3600000 ./test/soak

bench: post-msg ## measures post-msg beside what people would run instead; docs/performance.md says how
	@sh test/support/install-debian.sh prosody ejabberd wrk
	@PROSODY_MODULES=$(PROSODY_MODULES) BENCH_QUICK=$(BENCH_QUICK) BUN_CONFIG_MAX_HTTP_REQUESTS=2000 \
	  $(BUN) test/bench/bench.ts $(PARTS)

fmt: $(INSTALLED) ## formats the source, and fixes what the linter can fix
	@$(BUN) --bun node_modules/.bin/biome check --write

docs: $(INSTALLED) ## writes docs/settings.md from the program's own table of settings
	@$(BUN) test/support/settings-table.ts

clean: ## removes what was built and installed here (Debian packages stay)
	rm -rf post-msg node_modules packaging/runtimes/node_modules coverage build dist

deps: $(INSTALLED)

install: build/package ## installs what was built: PREFIX=/usr/local, DESTDIR=; a configuration is never overwritten
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" SYSCONFDIR="$(SYSCONFDIR)" sh build/package/install.sh

uninstall: build/package ## takes away what install brought, but no configuration
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh build/package/install.sh remove

dist: $(RUNTIMES) ## builds what is published, for all machines, into dist/
	@$(BUN) packaging/dist.ts

test-package: $(RUNTIMES) post-msg ## as root: builds the last commit twice, tests what was built, on a Debian of its own too
	@[ "$$(id -u)" -eq 0 ] || { echo "make test-package boots a Debian of its own, for which it must be root."; exit 1; }
	@sh test/support/install-debian.sh $(PACKAGE_TEST_NEEDS)
	@$(BUN) packaging/test/build-twice.ts
	@$(BUN) test --timeout=60000 ./packaging/test

build/package: post-msg $(PACKAGING) $(wildcard *.md docs/*.md) LICENSE
	@$(BUN) packaging/package-folder.ts build/package
	@touch $@

post-msg: $(INSTALLED) package.json packaging/compile.ts build/version $(shell find src)
	@$(BUN) packaging/compile.ts

# Newer than what was built only when the version is another one.
build/version: $(INSTALLED) always
	@mkdir -p build
	@$(BUN) packaging/version.ts >build/version.new
	@if cmp -s build/version.new build/version; then rm build/version.new; else mv build/version.new build/version; fi

# Those for other machines too; the checksums of all are in bun.lock.
$(RUNTIMES): $(INSTALLED) packaging/runtimes/package.json packaging/runtimes/bun.lock
	cd packaging/runtimes && ../../$(BUN) install --frozen-lockfile --os='*' --cpu='*'
	@touch $@

$(INSTALLED): package.json bun.lock
	npx --yes bun@$(BUN_VERSION) install --frozen-lockfile
	@touch $@

.DELETE_ON_ERROR:
.PHONY: help demo test build check soak bench fmt docs clean deps install uninstall dist test-package always
