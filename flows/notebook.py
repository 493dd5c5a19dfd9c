"""What a notebook uses: comparisons that show themselves, and models that runs have watched."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path

from flows.compare_columns import ComparedColumn
from flows.compare_files import Comparison
from flows.compare_paths import CompareAsked, prepare
from flows.config import load_config
from flows.connections import store_opener
from flows.infer import LeftOut
from flows.model_values import LookError
from flows.opened_model import OpenedModel
from flows.pages.charts import CURRENT, INK, LINES, REFERENCE, histogram_svg
from flows.pages.compared import comparison_page, extremes
from flows.preset_names import Preset
from state.durations import Axis
from state.stores.base import Store
from state.stores.opening import open_store
from state.stores.sqlite_schema import SCHEMA_VERSION

_CONFIGS = frozenset({".yaml", ".yml"})
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


def open_model(at: str | Path, name: str | None = None, version: str | None = None) -> OpenedModel:
    """Open what runs have found of a model, to read it.

    Parameters
    ----------
    at
        A configuration (``.yaml``), or a store: a file of SQLite, or a URL of Redis.
    name
        Which model of a store; may be left out where it holds one.
    version
        Which version of it; by default the configured one, or the only one of a store.

    Raises
    ------
    LookError
        Nothing has run yet, or there are more models or versions than one.
    DriftflowError
        The configuration is refused, or the store does not answer.
    """
    if Path(at).suffix in _CONFIGS:
        config = load_config(Path(at))
        if isinstance(config.store, Path):
            _check_file(config.store)
        model = config.file.model
        if name not in {None, model.name}:
            raise LookError(f"the model of {at} is {model.name!r}, wanted {name!r}")
        return OpenedModel(store_opener(config)(), model.name, version or model.version, config.grid.axis)
    if "://" not in str(at):
        at = Path(at)
        _check_file(at)
    store = open_store(at)
    try:
        return _chosen(store, name, version)
    except BaseException:
        store.close()
        raise


def _chosen(store: Store, name: str | None, version: str | None) -> OpenedModel:
    references = store.references()
    name = _only("model", name, sorted({info.model for info in references}))
    version = _only("version", version, store.activated_versions(name))
    # Rows without a clock have no times.
    timed = any(info.start_ms is not None for info in references if info.model == name)
    return OpenedModel(store, name, version, Axis.MILLISECONDS if timed else Axis.ROWS)


def _only(what: str, asked: str | None, there: list[str]) -> str:
    if asked is None and len(there) == 1:
        return there[0]
    if asked is None or asked not in there:
        raise LookError(f"{what} is {asked!r}, wanted one of {', '.join(there) or 'none: there is none yet'}")
    return asked


def _check_file(path: Path) -> None:
    """Refuse a file that opening would make, or bring to the layout of this release.

    Raises
    ------
    LookError
        See above.
    """
    if not path.is_file():
        raise LookError(f"store {path} does not exist: nothing has run, or it is another file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise LookError(f"store {path}: {error}") from error
    if layout < SCHEMA_VERSION:
        raise LookError(
            f"store {path} has the layout of an earlier release: 'driftflow run' brings it up to date, and "
            "reading changes nothing"
        )
