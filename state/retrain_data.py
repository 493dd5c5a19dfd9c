"""What a request to train a model again says."""

import msgspec

from detectors.verdicts import Severity
from state.durations import Axis
from state.event_data import Instant


class RetrainEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """A drift or a violation that is a reason for the request.

    Attributes
    ----------
    id, window, feature, check, severity, since
        As the event that opened it has them; `check` is empty for a drift, `feature` for the records as a
        whole.
    kind
        `drift`, or the family of the check.
    told
        One line that says what was found.
    """

    id: str
    kind: str
    window: str
    feature: str
    check: str
    severity: Severity | None
    since: Instant | None
    told: str


class RetrainLoss(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric of performance has lost against the reference, in the metric's own unit; above 0."""

    metric: str
    window: str
    value: float
    expected: float
    loss: float


class RetrainSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Event time of the rows to train on: `start` is the first instant in it, `end` the first behind it."""

    axis: Axis
    start: Instant
    end: Instant


class RetrainData(msgspec.Struct, frozen=True, kw_only=True):
    """Data of a request to train a model again.

    Attributes
    ----------
    rule, reason
        The rule of the configuration that asks, and why, in words.
    reference
        Version of the reference that windows are compared with now; empty where no report has named it.
    episodes
        What the rule looks at, the most severe first.
    losses
        What performance has lost, as far as the rule looks at it.
    drift_share
        Share of the features that drift, each by its importance; 0 to 1.
    labelled
        Rows with a label in the windows of predictions since the first of the episodes began.
    span
        The rows to train on.
    attempt
        1, and one more for each earlier request that named one of these episodes.
    requested
        When it was decided, by the wall clock: ISO-8601 in UTC.
    """

    model: str
    model_version: str
    rule: str
    reason: str
    reference: str
    episodes: tuple[RetrainEpisode, ...]
    losses: tuple[RetrainLoss, ...]
    drift_share: float
    labelled: int
    span: RetrainSpan
    attempt: int
    requested: str
