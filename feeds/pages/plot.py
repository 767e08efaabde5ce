"""The drawing of how many stories a week have at least each quality."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale
from babel.numbers import format_decimal

from feeds.index.survey import Qualities
from feeds.words import ENGLISH

#: The size of the drawing, in its own units.
PLOT_WIDTH, PLOT_HEIGHT = 320, 80


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A falling staircase, whose height is the articles a week of each quality or more."""

    #: The qualities at both ends.
    low: int
    high: int
    #: Each quality at which it falls, and the articles a week of that quality or more.
    steps: tuple[tuple[int, float], ...]
    #: The chosen least quality, and the articles a week of that quality or more.
    cut: int
    rate: float
    #: Articles a week at `low` and at `high`.
    most: float
    least: float
    #: How many different qualities the articles have.
    different: int

    @property
    def is_choice(self) -> bool:
        """Return whether the slider has an effect, or was moved."""
        return self.different > 1 or (self.different == 1 and self.cut > self.low)

    @property
    def outline(self) -> str:
        """Return the path of the staircase (SVG 2 section 9.3)."""
        path = [f"M0 {PLOT_HEIGHT}"]
        for quality, rate in self.steps:
            path.append(
                f"V{PLOT_HEIGHT * (1 - rate / (self.most or 1)):.1f}H{self.across(quality):.1f}"
            )
        return "".join(path) + f"V{PLOT_HEIGHT}Z"

    def across(self, quality: int) -> float:
        """Return the distance of a quality from the left of the drawing."""
        return PLOT_WIDTH * (min(quality, self.high) - self.low) / (self.high - self.low)


def plot(shown: Qualities, least: int, cut: int | None, high: int) -> Plot:
    """Return the plot from the threshold `least` of the selection to `high`, cut at `cut`."""
    cut = least if cut is None else cut
    high = max(high, cut, least + 1)
    # Qualities that are too near to each other to be drawn apart are one step.
    steps: dict[int, tuple[int, float]] = {}
    through = 0
    for quality, count in reversed(shown.counts):
        if quality >= least:
            through += count
            place = PLOT_WIDTH * (quality - least) // (high - least)
            last = steps[place][0] if place in steps else quality
            steps[place] = (last, through / shown.weeks)
    return Plot(
        low=least,
        high=high,
        steps=tuple(sorted(steps.values())),
        cut=cut,
        rate=shown.rate(cut),
        least=shown.rate(high),
        different=sum(quality >= least for quality, _ in shown.counts),
        most=max((rate for _, rate in steps.values()), default=0.0),
    )


def format_rate(rate: float, locale: Locale = ENGLISH) -> str:
    """Return a rate as text, with one decimal below 10."""
    if 0 < rate < 0.05:
        return "<" + format_decimal(0.1, locale=locale)
    # Rounded here, because Babel rounds 0.05 to an even digit.
    if rate >= 10:
        return format_decimal(round(rate), locale=locale)
    return format_decimal(round(rate, 1), "0.0", locale)
