# make demo   the whole job on the embedded service and sample data
# make test   the tests                  make check  lint, types, import contracts
# make bench  printed tables (bench-quality: accuracy, bench-local: the embedded service, bench-export)
# make docs   the generated pages        make soak   the long campaigns
# make screenshots   the review app's pictures in docs/images, taken by its tests in Debian's chromium
# make bench-rivals DATA=DIR   Splink, GoldenMatch, dedupe, recordlinkage on the same labelled files
# make spark     pyspark, for tests/spark and bench-spark
# make clients   the AWS command line and the JavaScript SDK, for tests/clients
# `make` needs python3 only: the environment builds itself, with uv where pip can get it, else with pip.
PY ?= python3
B  := .venv/bin
.DEFAULT_GOAL := test
.PHONY: demo test check bench bench-quality bench-local bench-export bench-weeks bench-rivals rivals bench-spark spark spark-35 soak docs screenshots clients clean

$(B)/.ready: pyproject.toml constraints.txt $(wildcard resolver/compiled/*.[ch])
	@test -x $(B)/python || $(PY) -m venv .venv
	@echo "installing into .venv ..."
	@{ $(B)/pip install -q uv && $(B)/uv pip install -q --compile-bytecode --python $(B)/python -c constraints.txt -e '.[dev]'; } >.venv/install.log 2>&1 \
	  || $(B)/pip install -q -c constraints.txt -e '.[dev]' >.venv/install.log 2>&1 || { cat .venv/install.log; exit 1; }
	@$(B)/python -m compileall -q resolver
	@touch $@

demo: $(B)/.ready
	@$(B)/resolver demo

test: $(B)/.ready
	$(B)/pytest

check: $(B)/.ready
	$(B)/ruff format --check .
	$(B)/ruff check .
	$(B)/mypy
	$(B)/lint-imports

docs: $(B)/.ready
	RESOLVER_WRITE_DOCS=1 $(B)/pytest -n 0 tests/local/test_document.py
	RESOLVER_WRITE_DOCS=1 $(B)/pytest -n 0 tests/test_rule_file.py tests/test_command_reference.py tests/test_rules_reference.py

screenshots: $(B)/.ready
	RESOLVER_SCREENSHOTS=docs/images $(B)/pytest -n 0 -q tests/browser/test_pictures.py

bench: bench-quality bench-local bench-export bench-weeks

bench-quality: $(B)/.ready
	$(B)/python benchmarks/bench_quality.py
	$(B)/python benchmarks/populations.py 1000 3000

bench-local: $(B)/.ready
	$(B)/python benchmarks/bench_local.py

bench-export: $(B)/.ready
	$(B)/python benchmarks/bench_export.py
	$(B)/python benchmarks/bench_export.py --snapshot

bench-weeks: $(B)/.ready
	$(B)/python benchmarks/bench_weeks.py

# Other tools on the same files. They get an environment of their own: they pin what resolver does not.
# DATA: labelled files or directories of them (profile_id, flat fields, entity_id); RIVALS: fewer of them, by name.
RV := .venv/rivals
RIVALS ?= .
rivals: $(B)/.ready benchmarks/rivals.txt
	@test -x $(RV)/bin/python || $(PY) -m venv $(RV)
	@echo "installing the rivals ..."
	@grep -E '^($(RIVALS))' benchmarks/rivals.txt >$(RV)/wanted.txt
	@{ $(B)/uv pip install -q --python $(RV)/bin/python -r $(RV)/wanted.txt || $(RV)/bin/pip install -q -r $(RV)/wanted.txt; } \
	  >$(RV)/install.log 2>&1 || { tail -5 $(RV)/install.log; exit 1; }

bench-rivals: rivals
	$(B)/python benchmarks/bench_rivals.py $(or $(DATA),$(RESOLVER_DATA),$(error give DATA=FILE or DATA=DIR)) --write

bench-spark: spark
	$(B)/python benchmarks/bench_spark.py

# What `match --engine spark` needs beside the rest; uv builds it in half of pip's time.
spark: $(B)/.spark
$(B)/.spark: $(B)/.ready
	@echo "installing pyspark ..."
	@{ $(B)/uv pip install -q --python $(B)/python -c constraints.txt -r pyproject.toml --extra spark; } >.venv/spark.log 2>&1 \
	  || $(B)/pip install -q -c constraints.txt -e '.[spark]' >.venv/spark.log 2>&1 || { cat .venv/spark.log; exit 1; }
	@touch $@

# The Spark tests on the other line of Spark, in an environment of its own: Glue 5 and EMR 7 have 3.5.
# Without constraints.txt, which pins 4; setuptools brings the distutils that 3.5 imports.
S35 := .venv/spark-35
spark-35: $(B)/.ready
	@test -x $(S35)/bin/python || $(PY) -m venv $(S35)
	$(S35)/bin/pip install -q -e '.[dev,spark]' 'pyspark>=3.5,<3.6' setuptools
	$(S35)/bin/pytest -n 0 tests/spark tests/app/test_cluster_matching.py

soak: $(B)/.ready
	RESOLVER_SOAK=1 $(B)/pytest --timeout 3600

# The command line pins a botocore of its own, so it gets an environment of its own.
CLIENTS := .venv/clients
clients: $(CLIENTS)/.ready
$(CLIENTS)/.ready: $(B)/.ready tests/clients/requirements.txt tests/clients/package.json
	@test -x $(CLIENTS)/bin/python || $(PY) -m venv $(CLIENTS)
	@echo "installing the foreign clients ..."
	@{ $(B)/uv pip install -q --python $(CLIENTS)/bin/python -r tests/clients/requirements.txt \
	  || $(CLIENTS)/bin/pip install -q -r tests/clients/requirements.txt; } \
	  >$(CLIENTS)/install.log 2>&1 || { cat $(CLIENTS)/install.log; exit 1; }
	@if ! command -v npm >/dev/null; then echo "npm is not here: the JavaScript SDK is left out"; \
	  else npm install --prefix tests/clients --no-package-lock --no-audit --no-fund --silent \
	    || echo "npm could not install the JavaScript SDK: it is left out"; fi
	@touch $@

clean:
	rm -rf .venv out tests/clients/node_modules
