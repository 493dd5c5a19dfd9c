"""The board "driftflow: operations": whether the processes that watch do their work."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from scripts.grafana_boards.parts import board, chart, choice, figure, rows_of, source_choice

_OF = 'instance=~"$instance"'
_WARN, _BAD = "orange", "red"


def _per_second(metric: str, by: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{_OF}}}[$__rate_interval]))"


def _age(watermark: str) -> str:
    return f"time() - max by (partition) ({watermark}{{{_OF}}})"


_EVENTS, _DEAD = _per_second("driftflow_events_total"), _per_second("driftflow_dead_letters_total")


def operations_board() -> Dashboard:
    """Describe the board."""
    made = (
        board(
            "driftflow-operations",
            "driftflow: operations",
            "Throughput, lag, event time, refused records, memory and epochs of every process.",
        )
        .with_variable(source_choice())
        .with_variable(choice("instance", "Process", "label_values(driftflow_epoch_age_seconds, instance)"))
    )
    return _processes(_alerts(_service(_results(_labels(_input(_glance(made)))))))


def _glance(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("At a glance"))
        .with_panel(
            figure(
                "Processes away",
                "Targets of Prometheus' job driftflow that do not answer.",
                'count(up{job="driftflow"} == 0) or vector(0)',
                limits=[(1, _BAD)],
            )
        )
        .with_panel(figure("Rows per second", "Rows counted in windows.", _EVENTS, unit="cps"))
        .with_panel(
            figure(
                "Results are behind",
                "Now less the smallest watermark: the allowed lateness, up to a pane more, and what is "
                "waited for. Of a replay of old records it says how old they are.",
                f"time() - min(driftflow_watermark_seconds{{{_OF}}})",
                unit="s",
            )
        )
        .with_panel(
            figure(
                "Lag",
                "Records that wait in Kafka.",
                f"sum(driftflow_lag{{{_OF}}})",
                limits=[(100_000, _WARN)],
            )
        )
        .with_panel(
            figure(
                "Refused",
                "Share of the records that became dead letters.",
                f"{_DEAD} / ({_EVENTS} + {_DEAD} > 0)",
                unit="percentunit",
                limits=[(0.01, _WARN), (0.1, _BAD)],
            )
        )
        .with_panel(
            figure(
                "Oldest epoch",
                "Seconds since the last epoch ended. Far above recovery.interval: an output does not "
                "answer, or another process of the set is gone.",
                f"max(driftflow_epoch_age_seconds{{{_OF}}})",
                unit="s",
                limits=[(30, _WARN), (60, _BAD)],
            )
        )
    )


def _input(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("Input"))
        .with_panel(
            chart(
                "Rows per second",
                "Rows counted in windows, by process.",
                {"{{model}} {{instance}}": _per_second("driftflow_events_total", "model, instance")},
                unit="cps",
            )
        )
        .with_panel(
            chart(
                "Lag by partition",
                "Growing: more workers, up to one per partition. No line: the broker is away.",
                {"{{partition}}": f"max by (partition) (driftflow_lag{{{_OF}}})"},
            )
        )
        .with_panel(
            chart(
                "Age of the watermark by partition",
                "Windows wait for the oldest one. With a lag its process is behind, without one its "
                "producer is silent.",
                {"{{partition}}": _age("driftflow_watermark_seconds")},
                unit="s",
            )
        )
        .with_panel(
            chart(
                "Dead letters per second, by reason",
                "A new reason after a release is a change of the producer's format.",
                {"{{reason}}": _per_second("driftflow_dead_letters_total", "reason")},
                unit="cps",
            )
        )
        .with_panel(
            chart(
                "Late rows per second",
                "Good rows after their windows. More than a few in a thousand: raise time.lateness.",
                {"{{instance}}": _per_second("driftflow_late_rows_total", "instance")},
                unit="cps",
            )
        )
        .with_panel(
            chart(
                "Label sets left out",
                "A metric has at most 1,000; the store has all series.",
                {"{{metric}}": f"sum by (metric) (driftflow_series_dropped_total{{{_OF}}})"},
            )
        )
    )


def _labels(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("Labels that come late"))
        .with_panel(
            chart(
                "Labels per second",
                "Labels that came in time to be joined.",
                {"{{instance}}": _per_second("driftflow_labels_total", "instance")},
                unit="cps",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Joined rows per second, by outcome",
                "Orphans: the ids of both sides differ, or labels come too early.",
                {"{{side}} {{outcome}}": _per_second("driftflow_join_rows_total", "side, outcome")},
                unit="cps",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Share of predictions with a label",
                "Since the start of each process. Falls: labels come after labels.horizon, or not at all.",
                {"{{instance}}": f"max by (instance) (driftflow_join_rate{{{_OF}}})"},
                unit="percentunit",
                whole=(0, 1),
                width=8,
            )
        )
        .with_panel(
            chart(
                "Rows that wait for the other side",
                "Near labels.max_rows: predictions are forgotten before their labels come.",
                {"{{side}}": f"sum by (side) (driftflow_join_waiting_rows{{{_OF}}})"},
                width=8,
            )
        )
        .with_panel(
            chart(
                "Memory of waiting rows",
                "By process.",
                {"{{instance}}": f"sum by (instance) (driftflow_join_bytes{{{_OF}}})"},
                unit="bytes",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Age of the watermark of labels",
                "Stands still without a lag: nobody writes labels.",
                {"{{partition}}": _age("driftflow_labels_watermark_seconds")},
                unit="s",
                width=8,
            )
        )
    )


def _results(made: Dashboard) -> Dashboard:
    closing = _per_second("driftflow_window_close_seconds_bucket", "le")
    return (
        made.with_row(Row("Results"))
        .with_panel(
            chart(
                "Time to close a window",
                "From having read past a window's end to its report. Larger than an epoch: the store "
                "or a topic is slow.",
                {f"{q:.0%} within": f"histogram_quantile({q}, {closing})" for q in (0.5, 0.95, 0.99)},
                unit="s",
            )
        )
        .with_panel(
            chart(
                "Windows per hour",
                "Windows with rows that were reported.",
                {"{{window}}": f"sum by (window) (increase(driftflow_windows_total{{{_OF}}}[1h]))"},
            )
        )
    )


def _service(made: Dashboard) -> Dashboard:
    window = "[$__rate_interval]"
    by_route = "by (route) (rate(driftflow_service_requests_total"
    slow = f"by (le) (rate(driftflow_service_request_seconds_bucket{window}))"
    return (
        made.with_row(Row("Service: pages and REST API"))
        .with_panel(
            chart(
                "Requests per second, by route",
                "Answered by driftflow serve; none: at an address that leads nowhere.",
                {"{{route}}": f"sum {by_route}{window}))"},
                unit="reqps",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Time to an answer",
                "Slow everywhere: the machine or the store. One route: ask for a shorter span.",
                {f"{q:.0%} within": f"histogram_quantile({q}, sum {slow})" for q in (0.5, 0.95, 0.99)},
                unit="s",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Refused and failed per second",
                "401: no key, or a guess. 429: a caller asks too often. 5xx: the log says why.",
                {
                    "{{status}}": "sum by (status) (rate(driftflow_service_requests_total"
                    f'{{status=~"4..|5.."}}{window}))',
                    "beyond the rate of {{rate}}": "sum by (rate) "
                    f"(rate(driftflow_service_rate_limited_total{window}))",
                },
                unit="reqps",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Age of the last look at a store",
                "Grows while nobody looks; with requests: the store is away.",
                {"{{model}}": "max by (model) (driftflow_service_store_look_age_seconds)"},
                unit="s",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Store errors per second",
                "Times that a store did not answer.",
                {"{{model}}": f"sum by (model) (rate(driftflow_service_store_errors_total{window}))"},
                unit="cps",
                width=8,
            )
        )
        .with_panel(
            chart(
                "Jobs and open pages",
                "Comparisons and builds of references; with eight waiting the next is refused.",
                {
                    "{{kind}} {{state}}": "sum by (kind, state) (driftflow_service_jobs)",
                    "pages": "sum(driftflow_service_pages)",
                },
                width=8,
            )
        )
    )


def _alerts(made: Dashboard) -> Dashboard:
    return (
        made.with_row(Row("Alerts"))
        .with_panel(
            chart(
                "Attempts to send per hour",
                "Given up: driftflow alert status says why.",
                {
                    "{{channel}} {{outcome}}": "sum by (channel, outcome) "
                    "(increase(driftflow_alert_notices_total[1h]))"
                },
                width=8,
            )
        )
        .with_panel(
            chart(
                "Notices that wait",
                "Above 0 for long: a channel is away.",
                {"{{instance}}": "max by (instance) (driftflow_alert_waiting_notices)"},
                width=8,
            )
        )
        .with_panel(
            chart(
                "Since the last turn of alerting",
                "Grows: the store or a channel does not answer.",
                {"{{instance}}": "max by (instance) (driftflow_alert_turn_age_seconds)"},
                unit="s",
                width=8,
            )
        )
    )


def _processes(made: Dashboard) -> Dashboard:
    made = (
        made.with_row(Row("Processes"))
        .with_panel(
            chart(
                "Epoch age",
                "Since the last epoch ended.",
                {"{{instance}}": f"max by (instance) (driftflow_epoch_age_seconds{{{_OF}}})"},
                unit="s",
            )
        )
        .with_panel(
            chart(
                "State, by step",
                "In the last snapshots. Grows without end: a partition stands still, so panes stay open.",
                {"{{step}}": f"sum by (step) (driftflow_state_bytes{{{_OF}}})"},
                unit="bytes",
            )
        )
    )
    for title, meaning, expression, unit in (
        ("Memory", "Resident memory.", 'process_resident_memory_bytes{job="driftflow"}', "bytes"),
        (
            "CPU",
            "Cores in use.",
            'rate(process_cpu_seconds_total{job="driftflow"}[$__rate_interval])',
            "short",
        ),
        ("Open files", "Of the operating system's limit.", 'process_open_fds{job="driftflow"}', "short"),
    ):
        made = made.with_panel(
            chart(title, meaning, {"{{component}} {{instance}}": expression}, unit=unit, width=8)
        )
    return made.with_panel(
        rows_of(
            "What runs",
            "Two versions at once: an upgrade stopped half-way.",
            f"max by (instance, version, python) (driftflow_build_info{{{_OF}}})",
            hidden=["Value"],
            width=24,
        )
    )
