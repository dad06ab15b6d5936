"""Rules of the house that no linter holds: how imports are written, and what a wheel carries."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("app", "core", "plugins", "resources")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

TORCH_FREE = (
    "longtail.core.io.importers",
    "longtail.core.project.store",
    "longtail.core.project.importing",
    "longtail.core.methods.catalogue",
    "longtail.core.methods.spec",
    "longtail.core.training.plan",
    "longtail.core.evaluate.classification",
    "longtail.core.evaluate.report",
    "longtail.core.jobs.record",
    "longtail.core.backend.client",
    "longtail.core.compare.tables",
    "longtail.core.jobs.comparing",
)


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Give (line, module) of every absolute import in a file, wherever in it the import stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((node.lineno, node.module or ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_inside_the_package_imports_go_by_path(path: Path) -> None:
    wrong = [
        f"{path.name}:{line} imports {module}"
        for line, module in imports_of(path)
        if module.split(".")[0] in {"longtail", *FOLDERS}
    ]
    assert not wrong


def test_the_rule_on_imports_sees_a_breach(tmp_path: Path) -> None:
    module = tmp_path / "breach.py"
    module.write_text("def f():\n    from longtail.core import errors\n")
    assert imports_of(module) == [(2, "longtail.core")]


def test_what_the_window_imports_of_core_is_free_of_torch() -> None:
    imports = ", ".join(TORCH_FREE)
    code = f"import sys, {imports}; print(*sorted({{'torch', 'monai'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    build = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wheel = tmp_path / done.stdout.strip().splitlines()[-1]
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "__init__.py", "py.typed", *FOLDERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert carried >= {f"longtail/{name}" for name in listed.stdout.split("\n") if name}
    assert not any(name.startswith("longtail/tests") for name in carried)
