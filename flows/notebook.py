"""Comparisons in a notebook: two files, one answer that shows itself."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from flows.compare_columns import ComparedColumn
from flows.compare_files import Comparison
from flows.compare_paths import CompareAsked, prepare
from flows.infer import LeftOut
from flows.pages.charts import CURRENT, INK, LINES, REFERENCE, histogram_svg
from flows.pages.compared import comparison_page, extremes
from flows.preset_names import Preset

_HEIGHT = 720
_COLOURS = {REFERENCE: "#9db4cc", CURRENT: "#d9480f", INK: "#5b6675", LINES: "#cfd6df"}


@dataclass(frozen=True, slots=True)
class ShownComparison:
    """A comparison that a notebook shows as the page that ``driftflow compare --html`` writes.

    Attributes
    ----------
    found
        The figures: rules, both inputs, and the columns sorted by severity.
    left_out
        Columns that were not compared, each with the reason.
    """

    found: Comparison
    left_out: tuple[LeftOut, ...]

    @property
    def drifted(self) -> list[str]:
        """Names of the columns in drift, the worst first."""
        return [column.column for column in self.found.columns if column.severity is not None]

    def column(self, name: str) -> ComparedColumn:
        """Return one column; raises `KeyError` where there is none of this name."""
        found = next((column for column in self.found.columns if column.column == name), None)
        if found is None:
            raise KeyError(
                f"{name!r} was not compared: {', '.join(c.column for c in self.found.columns)} were"
            )
        return found

    def chart(self, name: str) -> str:
        """Draw both sides of a column as SVG."""
        column = self.column(name)
        low, high = extremes(column)
        drawn = histogram_svg(column.histogram, low=low, high=high)
        for drawn_as, colour in _COLOURS.items():
            drawn = drawn.replace(drawn_as, colour)
        return drawn

    def _repr_html_(self) -> str:
        page = escape(comparison_page(self.found, self.left_out), quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="{_HEIGHT}" style="border:0"></iframe>'


def compare(
    baseline: str | Path,
    current: str | Path,
    *,
    config: str | Path | None = None,
    preset: str | None = None,
    columns: tuple[str, ...] | None = None,
) -> ShownComparison:
    """Compare two files, folders or patterns column by column, as ``driftflow compare`` does.

    Parameters
    ----------
    config
        Takes columns and limits from a configuration; by default columns are inferred.
    preset
        Judges as another tool does: a name of docs/presets.md.
    columns
        Compares these only.

    Raises
    ------
    DriftflowError
        A file cannot be read, or there is nothing to compare.
    ValueError
        There is no such preset.
    """
    asked = CompareAsked(
        baseline=Path(baseline),
        current=Path(current),
        config=None if config is None else Path(config),
        preset=None if preset is None else Preset(preset),
        columns=columns,
    )
    prepared = prepare(asked)
    return ShownComparison(prepared.run(lambda _size: None), prepared.left_out)
