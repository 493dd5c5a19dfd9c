"""Kafka and the store as a configuration names them; secrets come from the environment."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flows.config import Config
from flows.config_values import ConfigError
from flows.kafka.base import (
    PATIENCE_S,
    KafkaAwayError,
    KafkaClient,
    KafkaError,
    KafkaSettings,
    TopicPartition,
)
from flows.kafka.connect import connect
from flows.patience import Patience
from state.stores.base import Store
from state.stores.redis_address import parse_address
from state.stores.sqlite import SqliteStore

PASSWORD, KEY_PASSWORD = "KAFKA_SASL_PASSWORD", "KAFKA_KEY_PASSWORD"
"""Variables of the environment that hold what belongs into no file."""


def kafka_connector(
    config: Config, environ: Mapping[str, str], *, patience_s: float = PATIENCE_S
) -> Callable[[], KafkaClient]:
    """Return what connects to the configured cluster; each call gives a client of its own.

    Parameters
    ----------
    patience_s
        See `KafkaSettings`.

    Raises
    ------
    ConfigError
        Settings are missing or contradict each other.
    """
    given = config.file.kafka
    try:
        settings = KafkaSettings(
            bootstrap=given.bootstrap,
            security_protocol=given.security_protocol,
            sasl_mechanism=given.sasl_mechanism,
            sasl_username=given.sasl_username,
            sasl_password=environ.get(PASSWORD),
            ca_file=given.ca_file,
            cert_file=given.cert_file,
            key_file=given.key_file,
            key_password=environ.get(KEY_PASSWORD),
            client_id=given.client_id,
            patience_s=patience_s,
        )
    except KafkaError as error:
        raise ConfigError(f"`kafka`: {error} (passwords: {PASSWORD}, {KEY_PASSWORD})") from error
    return lambda: connect(settings, given.library)


def topic_partitions(client: KafkaClient, topics: Sequence[str]) -> list[TopicPartition]:
    """Look partitions up; waits for a cluster that does not answer.

    Raises
    ------
    KafkaError
        A topic does not exist, or may not be read.
    """
    patience = Patience(f"looking up {', '.join(topics)}")
    while True:
        try:
            return client.partitions(topics)
        except KafkaAwayError as error:
            time.sleep(patience.failed(str(error)))


def store_text(config: Config) -> str:
    """Name the store for people, without what is secret in its URL."""
    location = config.store
    return str(location) if isinstance(location, Path) else str(parse_address(location))


def store_opener(config: Config) -> Callable[[], Store]:
    """Return what opens the configured store; each call gives a connection of its own."""
    location = config.store
    if isinstance(location, Path):
        return lambda: SqliteStore(location, keeping=config.keeping)
    # Only where it is chosen: redis-py takes as long to load as NumPy does.
    from state.stores.redis import RedisStore  # noqa: PLC0415

    compaction = config.file.output.compaction
    return lambda: RedisStore(location, keeping=config.keeping, compaction=compaction)
