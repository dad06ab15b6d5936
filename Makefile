# Two commands: `make demo` and `make test`. Each does all of its own set-up; what they do is also
# plain `python -m pip install` and `longtail` (see CONTRIBUTING.md).
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
SYSTEM_PACKAGES := xvfb xauth libgl1 libegl1 libopengl0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 \
	libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 \
	libxcb-shape0 libxcb-xinerama0
DISPLAYED := xvfb-run -a -s "-screen 0 1366x768x24 +extension GLX"
QUIET := NAPARI_ENSURE_PLUGIN_MAIN_THREAD=1 OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1

.PHONY: demo test lint unit window whole system clean

demo: $(READY)
	$(BIN)/longtail demo

test: $(READY) system lint unit window whole

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate plugins/napari.yaml

unit: $(READY)
	$(QUIET) $(BIN)/pytest tests --ignore=tests/app --ignore=tests/plugins --ignore=tests/whole -q -n 2 --dist worksteal

window: $(READY) system
	$(QUIET) $(DISPLAYED) $(BIN)/pytest tests/app tests/plugins -q

whole: $(READY) system
	$(QUIET) $(DISPLAYED) $(BIN)/pytest tests/whole -q

$(READY): pyproject.toml constraints.txt Makefile
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Longtail needs Python 3.11 to 3.13; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv || \
		{ echo "A virtual environment could not be made; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet -c constraints.txt pip setuptools wheel numpy cython torch
	$(BIN)/python -m pip install --quiet -c constraints.txt --editable ".[app,pretrained,dev]"
	@if command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null; then \
		$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation pyradiomics; \
	else echo "PyRadiomics is left out: it needs a C compiler and there is none here."; fi
	@touch $@

# A virtual screen and Qt's libraries. Where they are missing and this user may install them, they
# are installed; elsewhere a sentence says what to ask for.
system:
	@if command -v xvfb-run >/dev/null && ldconfig -p | grep -q libxcb-cursor && ldconfig -p | grep -q libEGL; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(SYSTEM_PACKAGES) >/dev/null; \
	else echo "The window tests need a virtual screen. Ask an administrator for: apt-get install $(SYSTEM_PACKAGES)"; exit 1; fi

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
