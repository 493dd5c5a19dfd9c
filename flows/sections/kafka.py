"""How Kafka is reached."""

from typing import Literal

from flows.kafka.base import SaslMechanism, SecurityProtocol
from flows.sections.base import Section


class KafkaConfig(Section, frozen=True):
    """How Kafka is reached; passwords come from `KAFKA_SASL_PASSWORD` and `KAFKA_KEY_PASSWORD`.

    Attributes
    ----------
    bootstrap
        `host:port` of some brokers, joined by commas
    library
        or `librdkafka` (`pip install 'driftflow[librdkafka]'`)
    security_protocol
        `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`
    sasl_mechanism
        `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`
    sasl_username
        its password is `KAFKA_SASL_PASSWORD` of the environment
    ca_file
        PEM files; the key's password is `KAFKA_KEY_PASSWORD`
    cert_file
        PEM files; the key's password is `KAFKA_KEY_PASSWORD`
    key_file
        PEM files; the key's password is `KAFKA_KEY_PASSWORD`
    client_id
        what brokers call this client
    group
        group under which positions are committed, for tools that show lag; the run itself never asks
        for them
    """

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
