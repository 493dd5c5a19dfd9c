"""The board "driftflow: series in Redis": scores in event time, with Grafana's Redis data source."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, TextBoxVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableOption

from scripts.grafana_boards.parts import PANEL, board

_SOURCE = DataSourceRef(type_val="redis-datasource", uid="${source}")

# Without the empty labels a filter would also find hourly and daily aggregates, and parts of the traffic.
_COMMON = "model=$model window=$window metric={metric} segment= bucket="


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeriesQuery(Dataquery):
    """A query of several time series at once (TS.MRANGE), as the data source stores it."""

    filter: str
    legend: str
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """Return what stands in the file."""
        return {
            "refId": self.ref_id,
            "datasource": _SOURCE,
            "type": "timeSeries",
            "command": "ts.mrange",
            "filter": self.filter,
            "legend": self.legend,
            "value": self.legend,
            "query": "",
        }


@dataclass(frozen=True, slots=True)
class _Built(Builder[Dataquery]):
    """The SDK takes builders."""

    query: _SeriesQuery

    def build(self) -> Dataquery:
        """Return the query."""
        return self.query


def redis_board() -> Dashboard:
    """Describe the board."""
    made = board(
        "driftflow-redis-series",
        "driftflow: series in Redis",
        "Scores of every window at its end, in event time: replays stand where their records do.",
    ).time("now-90d", "now")
    made = made.with_variable(DatasourceVariable("source").label("Redis").type("redis-datasource"))
    for name, label, value in (
        ("model", "Model", "demo"),
        ("window", "Window", "daily"),
        ("metric", "Score", "effect"),
    ):
        given = VariableOption(text=value, value=value)
        made = made.with_variable(TextBoxVariable(name).label(label).default_value(value).current(given))
    return (
        made.with_panel(
            _panel(
                "$metric by column", "The score that is named above.", "$metric", "feature!=", "feature", 24
            )
        )
        .with_panel(
            _panel(
                "Drift share",
                "Share of the columns that drift in a window.",
                "drift_share",
                "feature=",
                "metric",
                12,
            )
        )
        .with_panel(_panel("Rows by window", "Rows of each window.", "rows", "feature=", "metric", 12))
    )


def _panel(title: str, meaning: str, metric: str, feature: str, legend: str, width: int) -> PANEL:
    query = _SeriesQuery(filter=f"{_COMMON.format(metric=metric)} {feature}", legend=legend)
    return (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(_SOURCE)
        .min(0)
        .show_points(c.VisibilityMode.ALWAYS)
        .legend(common.VizLegendOptions().show_legend(True).placement(c.LegendPlacement.RIGHT))
        .with_target(_Built(query))
        .span(width)
        .height(10)
    )
