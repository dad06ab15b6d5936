"""Where words go: results on standard output, all else on standard error."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Output:
    """One command's voice.

    With `as_json` standard output holds exactly one JSON document, and everything said on the way
    goes to standard error.
    """

    as_json: bool = False

    @property
    def aside(self) -> Console:
        """The console of standard error, for progress and remarks."""
        return Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Tell a person something that is not the result."""
        if self.as_json:
            self.aside.print(sentence, markup=False)
        else:
            Console(highlight=False, soft_wrap=True).print(sentence, markup=False)

    def warn(self, sentence: str) -> None:
        """Tell something that needs attention, on standard error."""
        self.aside.print(sentence, style="yellow", markup=False)

    def result(self, document: Any, *lines: str) -> None:
        """Print the document as JSON, or the lines that say the same to a person."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
            return
        for line in lines:
            self.say(line)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table for a person; nothing with `as_json`."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, head in enumerate(heads):
            table.add_column(head, justify="left" if place == 0 else "right")
        for row in rows:
            table.add_row(*row)
        Console(highlight=False).print(table)
