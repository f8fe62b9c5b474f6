# Diadema: every target works on a fresh clone with git, make and python3 with venv.
PYTHON ?= python3
BIN := .venv/bin
DIADEMA := $(BIN)/diadema
UV := .uv/bin/uv
TOOLS := .venv/tools
OURS := $(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
OFFLINE := { echo "Without its packages it cannot go on: is there a network, or a copy of the package index?"; exit 1; }

# some containers set it, and each of a thousand processes would compile all that it imports anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo dist test check bench hardware lock clean

setup: $(DIADEMA)

$(UV): requirements.lock
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module. Debian: apt install python3-venv"; exit 1; }
	@echo "1 of 3: uv, which installs the rest, into .uv (70 MB)"
	@$(PYTHON) -m venv .uv
	@sed -n '/^uv==/,/^ *# via/p' requirements.lock > .uv/uv.txt
	@.uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .uv/uv.txt || $(OFFLINE)
	@touch $@

$(DIADEMA): $(UV) requirements.lock .ci/program_requirements.py pyproject.toml
	@echo "2 of 3: what the program needs of requirements.lock, into .venv (about 200 MB)"
	@rm -f $(TOOLS)
	@$(UV) venv --quiet --allow-existing --python '>=3.12' .venv
	@$(PYTHON) .ci/program_requirements.py hatchling editables < requirements.lock > .uv/program.txt
	@$(UV) pip sync --python .venv --require-hashes .uv/program.txt || $(OFFLINE)
	@echo "3 of 3: the program itself, $@"
	@$(OURS)
	@touch $@

# what only developers need: tests, types, fuzzers, a browser's driver
$(TOOLS): $(DIADEMA)
	@echo "The developer's tools, into .venv too (about 550 MB more)"
	@$(UV) pip sync --python .venv --require-hashes requirements.lock || $(OFFLINE)
	@$(OURS)
	@touch $(DIADEMA) $@

demo: $(DIADEMA)
	@$(DIADEMA) demo $(if $(STATIONS),--stations $(STATIONS))

# one wheel, with boards, the stations' program and the guides in it, and what it needs, as tested
dist: $(DIADEMA)
	@rm -rf dist
	@$(BIN)/hatchling build --target wheel
	@$(PYTHON) .ci/program_requirements.py < requirements.lock > dist/requirements.txt

test: $(TOOLS)
	@$(BIN)/pytest -n auto --dist worksteal tests

check: $(TOOLS)
	@$(BIN)/python -m tests.check

bench: $(TOOLS)
	@$(BIN)/python -m tests.bench

hardware: $(TOOLS)
	@$(DIADEMA) board draw --all

lock: $(UV)
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.12 --group dev pyproject.toml -o requirements.lock

clean:
	@test ! -x $(DIADEMA) || $(DIADEMA) demo --forget
	rm -rf .venv .uv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
