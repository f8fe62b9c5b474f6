# Diadema: every target works on a fresh clone with git, make and python3 with venv.
PYTHON ?= python3
BIN := .venv/bin
DIADEMA := $(BIN)/diadema

.PHONY: setup demo test check bench hardware lock clean

setup: $(DIADEMA)

.uv/bin/uv: requirements.lock
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module. Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .uv
	@sed -n '/^uv==/,/^ *# via/p' requirements.lock > .uv/uv.txt
	@.uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .uv/uv.txt
	@touch $@

$(DIADEMA): .uv/bin/uv requirements.lock pyproject.toml
	@echo "make setup: what requirements.lock names goes into .venv (about 0.8 GB, one to six minutes)"
	@.uv/bin/uv venv --quiet --allow-existing --python '>=3.12' .venv
	@.uv/bin/uv pip sync --quiet --python .venv --require-hashes requirements.lock
	@.uv/bin/uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(DIADEMA)
	@$(DIADEMA) demo

test: $(DIADEMA)
	@$(BIN)/pytest -n auto --dist worksteal tests

check: $(DIADEMA)
	@$(BIN)/python -m tests.check

bench: $(DIADEMA)
	@$(BIN)/python -m tests.bench

hardware: $(DIADEMA)
	@$(DIADEMA) board draw --all

lock: .uv/bin/uv
	@.uv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.12 --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .uv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
