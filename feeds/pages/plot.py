"""The drawing of how many stories a week have at least each quality."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from babel.numbers import format_decimal

from feeds.index.survey import Qualities
from feeds.translations import ENGLISH

#: The size of the drawing, in its own units.
PLOT_WIDTH, PLOT_HEIGHT = 320, 80


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A falling staircase, whose height is the articles a week of each quality or more."""

    #: What it shows.
    qualities: Qualities
    #: The qualities at both ends, and the chosen least quality.
    low: int
    high: int
    cut: int
    #: Each quality at which it falls, and the articles a week of that quality or more.
    steps: tuple[tuple[int, float], ...]
    #: Whether the slider has an effect, or was moved.
    is_choice: bool

    @property
    def rate_at_low(self) -> float:
        """Return the articles a week at `low`."""
        return self.steps[0][1] if self.steps else 0.0

    @property
    def outline(self) -> str:
        """Return the path of the staircase (SVG 2 section 9.3)."""
        path = [f"M0 {PLOT_HEIGHT}"]
        for quality, rate in self.steps:
            path.append(
                f"V{PLOT_HEIGHT * (1 - rate / self.rate_at_low):.1f}H{self.across(quality):.1f}"
            )
        return "".join(path) + f"V{PLOT_HEIGHT}Z"

    def across(self, quality: int) -> float:
        """Return the distance of a quality from the left of the drawing."""
        return PLOT_WIDTH * (min(quality, self.high) - self.low) / (self.high - self.low)


def plot(shown: Qualities, least: int, cut: int | None, high: int) -> Plot:
    """Return the plot from the threshold `least` of the selection to `high`, cut at `cut`."""
    cut = least if cut is None else cut
    high = max(high, cut, least + 1)
    drawn = [(quality, count) for quality, count in shown.counts if quality >= least]
    # Qualities that are too near to each other to be drawn apart are one step.
    steps: dict[int, tuple[int, float]] = {}
    through = 0
    for quality, count in reversed(drawn):
        through += count
        column = PLOT_WIDTH * (quality - least) // (high - least)
        highest, _ = steps.get(column, (quality, 0.0))
        steps[column] = (highest, through / shown.weeks)
    return Plot(
        qualities=shown,
        low=least,
        high=high,
        cut=cut,
        steps=tuple(sorted(steps.values())),
        is_choice=len(drawn) > 1 or (len(drawn) == 1 and cut > least),
    )


def format_rate(rate: float, locale: Locale = ENGLISH) -> str:
    """Return a rate as text, with one decimal below 10."""
    if 0 < rate < 0.05:
        return "<" + format_decimal(0.1, locale=locale)
    # Rounded here, because Babel rounds 0.05 to an even digit.
    if rate >= 10:
        return format_decimal(round(rate), locale=locale)
    return format_decimal(round(rate, 1), "0.0", locale)
