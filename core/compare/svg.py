"""The few shapes of a plot, as scalable vector graphics; everything written is escaped."""

import math
from xml.sax.saxutils import escape

FONT = "font-family='Segoe UI, Helvetica, Arial, sans-serif'"
INK = "#24292f"
GREY = "#6e7781"
PALE = "#d8dee4"


class Drawing:
    """Shapes collected in pixels, y downwards."""

    def __init__(self, width: float) -> None:
        self._width = width
        self._shapes: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 12,
        anchor: str = "start",
        colour: str = INK,
        bold: bool = False,
    ) -> None:
        """Write words with their base line at `y`."""
        weight = " font-weight='600'" if bold else ""
        self._shapes.append(
            f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' "
            f"fill='{colour}'{weight}>{escape(words)}</text>"
        )

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 1
    ) -> None:
        """Draw a straight line."""
        self._shapes.append(
            f"<line x1='{start[0]:.1f}' y1='{start[1]:.1f}' x2='{end[0]:.1f}' y2='{end[1]:.1f}' "
            f"stroke='{colour}' stroke-width='{width:g}'/>"
        )

    def dot(self, x: float, y: float, radius: float, colour: str, *, hollow: bool = False) -> None:
        """Draw a disc, or a ring."""
        fill = "#ffffff" if hollow else colour
        self._shapes.append(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:g}' fill='{fill}' "
            f"stroke='{colour}' stroke-width='1.4'/>"
        )

    def finish(self, height: float) -> str:
        """Give the file's text."""
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{self._width:g}' height='{height:g}' "
            f"viewBox='0 0 {self._width:g} {height:g}' {FONT}>"
            f"<rect width='100%' height='100%' fill='#ffffff'/>{''.join(self._shapes)}</svg>\n"
        )


class Scale:
    """Where a value lies between two places, with round numbers to mark.

    Parameters
    ----------
    low, high
        The values to hold; widened to round numbers.
    start, end
        The places of the ends, in pixels.
    """

    def __init__(self, low: float, high: float, start: float, end: float, marks: int = 4) -> None:
        step = _round_step(max(high - low, 1e-9) / marks)
        self.low, self.high = math.floor(low / step) * step, math.ceil(high / step) * step
        if self.high <= self.low:
            self.high = self.low + step
        self.start, self.end, self._step = start, end, step

    def place(self, value: float) -> float:
        """Give the place of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def marks(self) -> list[tuple[float, str]]:
        """Give the round numbers and how they are written."""
        digits = max(0, -math.floor(math.log10(self._step)))
        count = round((self.high - self.low) / self._step)
        values = [self.low + number * self._step for number in range(count + 1)]
        return [(value, f"{value + 0.0:.{digits}f}") for value in values]


def _round_step(wish: float) -> float:
    power = 10.0 ** math.floor(math.log10(wish))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wish * 0.999)
