"""The board "driftflow: drift": what has moved in which model, since when, and how far."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from scripts.grafana_boards.parts import bars, board, chart, choice, figure, rows_of, source_choice

_OF = 'model=~"$model", window=~"$window"'
_SHARE = f'max by (model, window) (driftflow_drift_score{{{_OF}, feature="", metric="drift_share"}})'
_WARN, _BAD = "orange", "red"


def drift_board() -> Dashboard:
    """Describe the board.

    Each process of a set exports zeros of its own, so sums and maxima go over all of them.
    """
    made = board(
        "driftflow-drift", "driftflow: drift", "Which models drift, in which columns, and since when."
    )
    made = (
        made.with_variable(source_choice())
        .with_variable(choice("model", "Model", "label_values(driftflow_episodes_open, model)"))
        .with_variable(
            choice("window", "Window", 'label_values(driftflow_episodes_open{model=~"$model"}, window)')
        )
        .with_variable(
            choice(
                "metric",
                "Score",
                'label_values(driftflow_drift_score{model=~"$model", feature!=""}, metric)',
                several=False,
            )
        )
    )
    return _checks(_columns(_episodes(_glance(made))))


def _glance(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("At a glance"))
        .with_panel(
            figure(
                "Open episodes",
                "Drifts that last, one per column and kind of window.",
                f"sum(driftflow_episodes_open{{{_OF}}})",
                limits=[(1, _BAD)],
            )
        )
        .with_panel(
            figure(
                "Open violations",
                "Checks of quality, predictions, the service and performance that are violated.",
                f"sum(driftflow_violations_open{{{_OF}}})",
                limits=[(1, _WARN)],
            )
        )
        .with_panel(
            figure(
                "Largest drift share",
                "Share of the columns that drift in the latest window, the largest over models and windows.",
                f"max({_SHARE})",
                unit="percentunit",
                limits=[(0.1, _WARN), (0.5, _BAD)],
            )
        )
        .with_panel(
            figure(
                "Opened",
                "Episodes opened in the span of time that is shown, of all models.",
                'sum(increase(driftflow_drift_events_total{type="opened"}[$__range]))',
            )
        )
        .with_panel(
            figure(
                "Closed",
                "Episodes closed in the span of time that is shown, of all models.",
                'sum(increase(driftflow_drift_events_total{type="closed"}[$__range]))',
            )
        )
        .with_panel(
            figure(
                "Models watched",
                "Models that any scraped process runs.",
                "count(count by (model) (driftflow_episodes_open))",
            )
        )
    )


def _episodes(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("Drift"))
        .with_panel(
            chart(
                "Open episodes",
                "How many columns drift. Above 0: read the events that opened them (driftflow episodes).",
                {"{{model}} {{window}}": f"sum by (model, window) (driftflow_episodes_open{{{_OF}}})"},
            )
        )
        .with_panel(
            chart(
                "Drift share",
                "Share of the columns that drift in the latest window.",
                {"{{model}} {{window}}": _SHARE},
                unit="percentunit",
                whole=(0, 1),
            )
        )
        .with_panel(
            chart(
                "Changes of episodes",
                "Opened and closed in quick turn: raise detection.min_effect, or use longer windows.",
                {"{{type}}": "sum by (type) (increase(driftflow_drift_events_total[$__rate_interval]))"},
            )
        )
        .with_panel(
            chart(
                "Windows reported",
                "Windows with rows, per hour. None for long: the watermark stands still, or no rows come.",
                {"{{window}}": 'sum by (window) (increase(driftflow_windows_total{window=~"$window"}[1h]))'},
            )
        )
    )


def _columns(made: Dashboard) -> Dashboard:
    of = f'{_OF}, feature!=""'
    score = f'max by (model, window, feature) (driftflow_drift_score{{{of}, metric="$metric"}})'
    return (
        made.with_row(Row("Columns"))
        .with_panel(
            bars(
                "$metric of the latest window, largest first",
                "A score alone does not say drift: the event does, by evidence over time.",
                f"sort_desc({score})",
                legend="{{feature}} ({{model}} {{window}})",
            )
        )
        .with_panel(
            chart(
                "$metric by column",
                "The score of each column over time. A gap: the window held too few rows for a score.",
                {"{{feature}} ({{model}} {{window}})": score},
            )
        )
        .with_panel(
            chart(
                "Size of the drift by column",
                "The effect: distance from the reference beyond what counting alone explains.",
                {
                    "{{feature}} ({{model}} {{window}})": "max by (model, window, feature) "
                    f'(driftflow_drift_score{{{of}, metric="effect"}})'
                },
            )
        )
        .with_panel(
            chart(
                "Missing values by column",
                "Share of the rows of the latest window in which the column has no value.",
                {
                    "{{feature}} ({{model}} {{window}})": "max by (model, window, feature) "
                    f'(driftflow_drift_score{{{of}, metric="missing_share"}})'
                },
                unit="percentunit",
                whole=(0, 1),
            )
        )
    )


def _checks(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("Checks of quality, predictions, operations and performance"))
        .with_panel(
            chart(
                "Open violations",
                "Checks that are violated, by kind.",
                {
                    "{{kind}} ({{model}} {{window}})": "sum by (model, window, kind) "
                    f"(driftflow_violations_open{{{_OF}}})"
                },
            )
        )
        .with_panel(
            chart(
                "Changes of violations",
                "Opened and closed in quick turn: raise quality.min_excess, or use longer windows.",
                {
                    "{{kind}} {{type}}": "sum by (kind, type) "
                    "(increase(driftflow_check_events_total[$__rate_interval]))"
                },
            )
        )
        .with_panel(
            rows_of(
                "Latest value of each check",
                "An empty feature is the records as a whole. The limit of a check stands in its event.",
                f"max by (model, window, feature, kind, check) (driftflow_check_value{{{_OF}}})",
                width=24,
            )
        )
    )
