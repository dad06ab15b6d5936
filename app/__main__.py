"""The command `longtail`: the window without a command, else one of the commands."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import LongtailError

COMMANDS = frozenset(
    (
        "demo init import info methods train runs predict evaluate export "
        "radiomics doctor review audit bench"
    ).split()
)
"""The words that are a command and not a project to open; `app.cli` has what they do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit status; failures are one sentence on standard error.

    `--debug`, anywhere among the arguments, lets the trace through.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        return _run(arguments)
    except LongtailError as error:
        if debug:
            raise
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("Interrupted.", status=130)
    except Exception as error:
        if debug:
            raise
        return _fail(
            f"Longtail did not foresee this: {type(error).__name__}: {error}. "
            "Run the same command with --debug for the trace."
        )


def _run(arguments: list[str]) -> int:
    if _asks_for_window(arguments):
        from .launch import launch

        return launch(Path(arguments[0]) if arguments else None)
    from .cli import app  # late: the window does not wait for the commands' imports

    try:
        app(args=arguments, prog_name="longtail")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


def _asks_for_window(arguments: list[str]) -> bool:
    if not arguments:
        return True
    first = arguments[0]
    if first in COMMANDS or first.startswith("-") or len(arguments) > 1:
        return False
    return first.endswith(".longtail") or Path(first).is_dir()


def _fail(sentence: str, status: int = 1) -> int:
    sys.stderr.write(sentence + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
