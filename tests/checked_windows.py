"""Windows whose checks are violated, end, and get worse, as the report takes them."""

from dataclasses import replace

import msgspec

from detectors.checks import Check, CheckStatus, Family
from state.report import Output, Report
from state.report_context import ReportContext
from state.scoring import Checked, Evidence, Found
from tests.evidence import FAMILY, context, reference, scored

RECORDS = "@records"
OK, VIOLATED, SUSPECT = CheckStatus.OK, CheckStatus.VIOLATED, CheckStatus.SUSPECT


def check(name: str, status: CheckStatus, value: float | None = 0.3, **more: object) -> Check:
    made = Check(
        name=name,
        family=Family.QUALITY,
        status=status,
        value=value,
        reference=0.1,
        upper=0.15,
        source="reference",
        n=100,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # drawn from the test


def of_records() -> ReportContext:
    return replace(context(), other_tracks=(RECORDS,))


def window(k: int, of: dict[str, tuple[Check, ...]]) -> list[Evidence]:
    """The k-th tumbling window of all columns, calm but for these checks, and of the records."""
    start, end = 2 * k, 2 * k + 2
    found: list[Found] = [
        msgspec.structs.replace(scored(name, "calm", spec=0, start=start, end=end), checks=of.get(name, ()))
        for name in FAMILY
    ]
    found.append(
        Checked(
            feature=RECORDS,
            spec=0,
            start=start,
            end=end,
            reference=reference().version,
            partial=False,
            incomplete=False,
            rows=400,
            late=0,
            checks=of.get(RECORDS, ()),
        )
    )
    return [Evidence(found=each, streak=0, since=start) for each in found]


PLOT: list[dict[str, tuple[Check, ...]]] = [
    {
        "x": (check("missing_share", VIOLATED), check("zero_share", OK)),
        "c": (check("new_share", SUSPECT),),
    },
    {
        "x": (check("missing_share", VIOLATED), check("zero_share", VIOLATED)),
        RECORDS: (check("rows", VIOLATED),),
    },
    {"x": (check("missing_share", OK, 0.1), check("zero_share", VIOLATED, 0.9))},
    {"x": (check("missing_share", OK, 0.1), check("zero_share", OK, 0.1)), RECORDS: (check("rows", OK),)},
]


def run(report: Report) -> list[Output]:
    """What four windows give."""
    return [out for k, of in enumerate(PLOT) for out in report.add(window(k, of))]
