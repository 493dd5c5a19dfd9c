"""Lines over time: what was measured of every window of a model, or of one of its columns."""

from dataclasses import dataclass

from service.models import WatchedModel, WatchedWindow
from service.sampling import thinned
from state.events import EventType
from state.stores.base import SeriesKey, Store, StoredEvent

MOST_POINTS = 400
"""Points of a line that are sent: a screen shows no more."""

_SHARES = frozenset(
    {
        "share",
        "drift_share",
        "missing_share",
        "error_rate",
        "accuracy",
        "precision",
        "recall",
        "f1",
        "coverage",
    }
)
_TITLES = {
    "drift_share": "Columns in drift",
    "rows": "Rows of a window",
    "late_rows": "Rows that came late",
    "effect": "Effect",
    "evidence": "Evidence over time",
    "p_value": "P-value of the window",
    "missing_share": "Missing values",
    "mae": "MAE",
    "mape": "MAPE",
    "mse": "MSE",
    "msle": "MSLE",
    "rmse": "RMSE",
    "rmsle": "RMSLE",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "f1": "F1",
}
_UNITS = {"effect": "PSI", "psi": "PSI", "evidence": "log10", "p_value": "p-value"}
_FIRST = ("drift_share", "rows", "late_rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One metric over time.

    Attributes
    ----------
    feature, metric
        As the store names them; an empty feature is the window as a whole.
    title, unit
        For people.
    points
        End of the window, and value; thinned, with the extremes kept.
    """

    feature: str
    metric: str
    title: str
    unit: str
    points: tuple[tuple[int, float], ...]


def read_line(
    store: Store,
    model: WatchedModel,
    window: str,
    metric: str,
    *,
    feature: str = "",
    segment: str = "",
    start: int | None = None,
) -> Line:
    """Read one series from a time on; without points where there is none."""
    key = SeriesKey(
        model=model.name,
        model_version=model.version,
        window=window,
        feature=feature,
        segment=segment,
        metric=metric,
    )
    return Line(
        feature=feature,
        metric=metric,
        title=title_of(metric),
        unit=unit_of(metric),
        points=tuple(thinned(store.series(key, start=start), MOST_POINTS)),
    )


def model_lines(store: Store, model: WatchedModel, window: str, start: int | None) -> tuple[Line, ...]:
    """Read what is known of windows as a whole: drift share, rows, and the service's health and performance.

    Latencies are of columns, and are among them.
    """
    keys = [
        key
        for key in store.series_keys(model.name)
        if (key.model_version, key.window, key.segment) == (model.version, window, "") and _is_overall(key)
    ]
    keys.sort(key=lambda key: (_place(key.metric), key.metric, key.feature))
    lines = (read_line(store, model, window, key.metric, feature=key.feature, start=start) for key in keys)
    # Rows that were never late are no news.
    return tuple(
        line for line in lines if line.metric != "late_rows" or any(value for _time, value in line.points)
    )


def first_shown(store: Store, model: WatchedModel, window: WatchedWindow, windows: int) -> int | None:
    """Return when the last `windows` windows begin to end; None where there is no window yet."""
    ends = last_end(store, model, window.name)
    return None if ends is None else ends - (windows - 1) * window.slide


def last_end(store: Store, model: WatchedModel, window: str | None = None) -> int | None:
    """Return the end of the last window there is a report on, of one kind or any; None before the first."""
    found = last_report(store, model, window)
    return None if found is None else found.end


def last_report(store: Store, model: WatchedModel, window: str | None = None) -> StoredEvent | None:
    """Return the report on the last window, of one kind or any; None before the first."""
    found = store.events(
        model.name,
        model_version=model.version,
        window=window,
        types=[EventType.REPORT],
        newest_first=True,
        limit=1,
    )
    return found[0] if found else None


def title_of(metric: str) -> str:
    """Name a metric for people.

    Examples
    --------
    >>> title_of("operations.latency_p95"), title_of("drift_share")
    ('Latency p95', 'Columns in drift')
    """
    name = metric.rpartition(".")[2]
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def unit_of(metric: str) -> str:
    """Return the unit of a metric.

    Examples
    --------
    >>> unit_of("quality.missing_share"), unit_of("rows"), unit_of("psi")
    ('share', 'rows', 'PSI')
    """
    name = metric.rpartition(".")[2]
    if name in _SHARES or name.endswith("_share"):
        return "share"
    if name.endswith("rows"):
        return "rows"
    return "as logged" if name.startswith("latency_") else _UNITS.get(name, "value")


def _is_overall(key: SeriesKey) -> bool:
    family, _, name = key.metric.rpartition(".")
    if family == "operations":
        return not key.feature or name.startswith("latency_")
    return not key.feature and family in {"", "performance"}


def _place(metric: str) -> int:
    return _FIRST.index(metric) if metric in _FIRST else len(_FIRST)
