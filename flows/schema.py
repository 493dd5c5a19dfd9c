"""What the configuration file may say: every key with its type, its default and what it means."""

from typing import Annotated, Literal

import msgspec

from detectors.base import Kind
from flows.kafka.base import SaslMechanism, SecurityProtocol
from flows.sections.base import Name, Positive, Section
from flows.sections.detection import DetectionConfig
from flows.sections.labels import LabelsConfig
from flows.sections.operations import OperationsConfig
from flows.sections.performance import PerformanceConfig
from flows.sections.predictions import PredictionsConfig
from flows.sections.quality import QualityConfig
from flows.sections.segments import SegmentsConfig
from flows.sections.transforms import StepsConfig
from state.columns import Role, TimeUnit


class ModelConfig(Section, frozen=True):
    """Which model is watched."""

    name: Name
    version: Name = "1"


class GenerateConfig(Section, frozen=True):
    """A seeded stream instead of a file."""

    scenario: str
    rows: Positive = 100_000
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    partitions: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    step: str = "30s"
    disorder: str = "0s"


class KafkaConfig(Section, frozen=True):
    """How Kafka is reached; passwords come from `KAFKA_SASL_PASSWORD` and `KAFKA_KEY_PASSWORD`."""

    bootstrap: str = "localhost:9092"
    library: Literal["kafka-python", "librdkafka"] = "kafka-python"
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    client_id: str = "driftflow"
    group: str | None = None


class InputConfig(Section, frozen=True):
    """Where events come from: `path` (a file or a folder of partitions), `topics` of Kafka, or `generate`."""

    path: str | None = None
    topics: tuple[str, ...] | None = None
    generate: GenerateConfig | None = None
    start: str = "earliest"
    until_end: bool = False
    format: Literal["csv", "jsonl", "parquet", "arrow"] | None = None
    batch_rows: Annotated[int, msgspec.Meta(ge=1, le=8_192)] = 8_192
    max_record_bytes: Annotated[int, msgspec.Meta(ge=1_024, le=67_108_864)] = 1_048_576
    missing: tuple[str, ...] = ("",)


class TimeConfig(Section, frozen=True):
    """What event time is: a `column`, or with `rows: true` the number of the row."""

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
    """One field; `path` is where it stands in a record, its name by default.

    `class` is the class whose probability a score is, `transform` what makes the column of the field; where
    they are not set, nothing says so in fingerprints.
    """

    kind: Kind
    role: Role = Role.FEATURE
    path: str | None = None
    class_name: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="class")
    transform: StepsConfig | msgspec.UnsetType = msgspec.UNSET


class WindowConfig(Section, frozen=True):
    """One kind of window: tumbling, or sliding where `slide` is shorter than `size`."""

    size: str
    slide: str | None = None


class ReferenceConfig(Section, frozen=True):
    """What a run does where the model version has no reference; `rows` are what it learns one from."""

    missing: Literal["refuse", "wait", "learn"] = "refuse"
    rows: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000


class OutputTopicsConfig(Section, frozen=True):
    """Topics of Kafka for results; each must exist."""

    events: str | None = None
    dead_letters: str | None = None
    late_rows: str | None = None
    transactions: bool = True


class OutputConfig(Section, frozen=True):
    """Where results go; names are inside `folder`, relative paths start at the configuration file.

    `store` is a file, or the URL of a Redis.
    """

    folder: str = "out"
    events: str = "events.jsonl"
    performance: str = "performance.jsonl"
    dead_letters: str = "dead_letters.jsonl"
    late_rows: str | None = None
    store: str = "driftflow.sqlite"
    topics: OutputTopicsConfig = OutputTopicsConfig()
    retention: str | None = None
    panes: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 200
    compaction: bool = False
    redact: bool = False
    max_file_bytes: Annotated[int, msgspec.Meta(ge=65_536)] | None = None
    keep_files: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 10


class RecoveryConfig(Section, frozen=True):
    """Snapshots that a run resumes from after a crash or a stop."""

    folder: str
    interval: str = "2s"


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
