"""Which client library speaks to Kafka."""

from typing import Literal, assert_never

from flows.kafka.base import KafkaClient, KafkaError, KafkaSettings

Library = Literal["kafka-python", "librdkafka"]
"""kafka-python needs no compiled parts; librdkafka is the extra of the same name."""


def connect(settings: KafkaSettings, library: Library = "kafka-python") -> KafkaClient:
    """Return a client; it connects with its first call.

    Raises
    ------
    KafkaError
        The library is not installed.
    """
    match library:
        case "kafka-python":
            from flows.kafka.kafka_python import KafkaPythonClient  # noqa: PLC0415 - only the chosen library

            return KafkaPythonClient(settings)
        case "librdkafka":
            try:
                from flows.kafka.librdkafka import LibrdkafkaClient  # noqa: PLC0415 - an optional extra
            except ModuleNotFoundError as error:
                raise KafkaError(
                    "the Kafka library librdkafka was chosen and confluent-kafka is not installed: "
                    "pip install 'driftflow[librdkafka]', or choose kafka-python"
                ) from error
            return LibrdkafkaClient(settings)
        case _:
            assert_never(library)
