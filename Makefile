# make demo   the whole job on the embedded service and sample data
# make test   the tests          make check   lint, types, import contracts
# make bench  printed tables     make soak    the long campaigns     make docs   generated pages
# `make` needs python3 only: the environment builds itself, by uv where pip can get it, else by pip.
PY ?= python3
B  := .venv/bin
.DEFAULT_GOAL := test
.PHONY: demo test check bench bench-quality soak docs clean

$(B)/.ready: pyproject.toml constraints.txt
	$(PY) -m venv .venv
	@echo "installing into .venv ..."
	@{ $(B)/pip install -q uv && $(B)/uv pip install -q --python $(B)/python -c constraints.txt -e '.[dev]'; } >.venv/install.log 2>&1 \
	  || $(B)/pip install -q -c constraints.txt -e '.[dev]' >.venv/install.log 2>&1 || { cat .venv/install.log; exit 1; }
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

clean:
	rm -rf .venv out
