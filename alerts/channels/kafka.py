"""Notices to a topic of Kafka, through what knows Kafka."""

from collections.abc import Mapping
from typing import Protocol

from alerts.channels.cloud_event import CONTENT_TYPE, cloud_event
from alerts.notices import Notice

ID_HEADER = "driftflow-notice"


class Publisher(Protocol):
    """Writes records to one topic; `flows` has one."""

    def publish(self, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> None:
        """Write one record; return once the brokers have it.

        Raises
        ------
        TryAgainError, RefusedError
            They have not taken it.
        """
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class KafkaChannel:
    """Sends CloudEvents; the key is the model, so those of a model stay in order.

    References
    ----------
    Kafka Protocol Binding for CloudEvents 1.0.2: structured mode.
    """

    def __init__(self, name: str, publisher: Publisher) -> None:
        self._name = name
        self._publisher = publisher

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        headers = {"content-type": CONTENT_TYPE.encode(), ID_HEADER: notice.id.encode()}
        self._publisher.publish(notice.model.encode(), cloud_event(notice), headers)

    def close(self) -> None:
        """See `Channel.close`."""
        self._publisher.close()
