"""What the configuration file may say: every key with its type, its default and what it means."""

from typing import Annotated, Literal

import msgspec

from detectors.base import Kind
from flows.sections.alerts import AlertsConfig
from flows.sections.base import Name, Section
from flows.sections.detection import DetectionConfig
from flows.sections.input import InputConfig
from flows.sections.kafka import KafkaConfig
from flows.sections.labels import LabelsConfig
from flows.sections.operations import OperationsConfig
from flows.sections.output import OutputConfig, RecoveryConfig
from flows.sections.performance import PerformanceConfig
from flows.sections.predictions import PredictionsConfig
from flows.sections.quality import QualityConfig
from flows.sections.segments import SegmentsConfig
from flows.sections.service import ServiceConfig
from flows.sections.transforms import StepsConfig
from state.columns import Role, TimeUnit


class ModelConfig(Section, frozen=True):
    """Which model is watched.

    Attributes
    ----------
    name
        letters, digits, `.`, `-`, `_`; stands in events and keys
    version : `"1"`
        which version of the model wrote the events; quote it, YAML reads `1` as a number
    """

    name: Name
    version: Name = "1"


class TimeConfig(Section, frozen=True):
    """What event time is: a `column`, or with `rows: true` the number of the row.

    Attributes
    ----------
    column
        where event time stands; one of this, `rows` and `record`
    rows
        event time is the number of the row, from 0; one file only
    record
        event time is the Kafka record's own
    format
        `iso`, or an epoch in `s`, `ms` or `us`
    zone
        IANA zone of ISO times without an offset, and of the windows' borders
    origin : a Monday, 00:00
        wall-clock time that borders are counted from
    lateness : `0s`
        how far a row may lag behind the largest event time of its partition
    earliest
        rows outside become dead letters; one timestamp from the year 2099 would otherwise make all
        that follows late
    latest
        rows outside become dead letters; one timestamp from the year 2099 would otherwise make all
        that follows late
    max_ahead
        an event time further beyond its Kafka record's own becomes a dead letter
    idle_timeout
        a partition that has had nothing more for this long follows the wall clock, so that windows
        close; `null`: never
    max_skew
        a partition that lags further behind the wall clock is given up: its older rows are late
    """

    column: str | None = None
    rows: bool = False
    record: bool = False
    format: TimeUnit = TimeUnit.ISO
    zone: str = "UTC"
    origin: str | None = None
    lateness: str | None = None
    earliest: str | None = None
    latest: str | None = None
    max_ahead: str | None = "1h"
    idle_timeout: str | None = "1m"
    max_skew: str | None = None


class ColumnConfig(Section, frozen=True):
    r"""One field; `path` is where it stands in a record, its name by default.

    `class` is the class whose probability a score is, `transform` what makes the column of the field; where
    they are not set, nothing says so in fingerprints.

    Attributes
    ----------
    kind
        `numeric` or `categorical`; numbers and booleans may be categories
    role
        `feature`, `prediction`, `score`, `label`, `latency` and `status` are watched; `id`,
        `segment`, `interval_low` and `interval_high` are read for what other columns need
    path : the name
        a CSV header, or keys of nested JSON objects joined by dots (`a\.b` is one key); `scores.0` is
        also the first element of an array, all of whose elements are then numbers (or texts, where
        the column is a category)
    class_name : none
        of a numeric column of role `score`: the class whose probability it is; [what follows from
        it](predictions.md)
    """

    kind: Kind
    role: Role = Role.FEATURE
    path: str | None = None
    class_name: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="class")
    transform: StepsConfig | msgspec.UnsetType = msgspec.UNSET


class WindowConfig(Section, frozen=True):
    """One kind of window: tumbling, or sliding where `slide` is shorter than `size`.

    Attributes
    ----------
    size
        length
    slide : the size
        distance of the starts; shorter than the size: a sliding window
    """

    size: str
    slide: str | None = None


class ReferenceConfig(Section, frozen=True):
    """What a run does where the model version has no reference; `rows` are what it learns one from.

    Attributes
    ----------
    missing
        `refuse`: an error that says what to do. `wait`: tell it [by an event](events.md), and wait
        until one is activated. `learn`: build it from the input's own first rows
    rows
        how many rows it is learned from, at most 1,000,000
    """

    missing: Literal["refuse", "wait", "learn"] = "refuse"
    rows: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000


class FileConfig(Section, frozen=True):
    """The whole file."""

    model: ModelConfig
    input: InputConfig
    time: TimeConfig
    columns: dict[Name, ColumnConfig]
    windows: dict[Name, WindowConfig]
    detection: DetectionConfig = DetectionConfig()
    quality: QualityConfig = QualityConfig()
    operations: OperationsConfig = OperationsConfig()
    reference: ReferenceConfig = ReferenceConfig()
    segments: SegmentsConfig = SegmentsConfig()
    performance: PerformanceConfig | None = None
    labels: LabelsConfig | None = None
    output: OutputConfig = OutputConfig()
    predictions: PredictionsConfig = PredictionsConfig()
    kafka: KafkaConfig = KafkaConfig()
    recovery: RecoveryConfig | None = None
    alerts: AlertsConfig = AlertsConfig()
    service: ServiceConfig = ServiceConfig()
