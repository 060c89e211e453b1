# Two commands do everything from a bare Python 3.11 to 3.13: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VERSION = $(shell $(PYTHON) -c 'import sys; print("py3%d" % sys.version_info[1])')
CONSTRAINTS = constraints/$(VERSION).txt
JOBS ?= 2
# What the tests are installed with; `dev,oracle` adds PyTorch for a second opinion.
EXTRAS ?= dev

.PHONY: help demo test test-gpu gallery parity parity-full lint types clean

help:
	@echo 'make demo    install, make data, train, resume, evaluate, read; writes demo/report.html'
	@echo 'make test    install and run lint, types and tests'
	@echo 'make parity  compare the port with the recorded numbers of the original; rewrites docs/parity.md'
	@echo 'make parity-full    the same for the full-size model: 6.7 GB of disk, 8 GB of memory, 15 minutes'
	@echo 'make gallery draw the samples of docs/gallery again'
	@echo 'make clean   remove what these commands made'

$(VENV)/installed: pyproject.toml $(wildcard constraints/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "error: Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; say make PYTHON=python3.12" % sys.version_info[:2])'
	@echo '== installing into $(VENV) (constraints: $(CONSTRAINTS)) =='
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo '== installing the development tools =='
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[$(EXTRAS)]'
	@touch $@

demo: $(VENV)/installed
	$(BIN)/python -m train.demo --out demo

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

test: $(VENV)/installed-dev lint types
	JAX_PLATFORMS=cpu $(BIN)/python -m pytest -n $(JOBS) --dist loadscope -m 'not slow and not gpu'

test-gpu: $(VENV)/installed-dev
	JAX_PLATFORMS=cuda $(BIN)/python -m pytest -m gpu

parity: $(VENV)/installed-dev
	mkdir -p build && rm -f build/tokenizer.json && $(BIN)/dsocr tokenizer --out build/tokenizer.json
	$(BIN)/dsocr parity check tests/fixtures --skip 'full/*' --tokenizer build/tokenizer.json --out build/parity --update docs/parity.md

# OPTIONS="--keep" leaves the weights in build/ for the next time; OPTIONS="--help" lists the others.
parity-full: $(VENV)/installed-dev
	$(BIN)/python -m tests.dsocr_jax.parity.full --update docs/parity.md $(OPTIONS)

gallery: $(VENV)/installed
	$(BIN)/python -m datagen.gallery --out docs/gallery

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
