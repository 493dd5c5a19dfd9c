"""Errors of librdkafka in this program's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError as _TheirError
from confluent_kafka import KafkaException

from detectors.base import DriftflowError
from flows.kafka.base import (
    KafkaAwayError,
    KafkaError,
    NotAuthorizedError,
    OffsetOutOfRangeError,
    ProducerFencedError,
    UnknownTopicError,
)

# An old epoch means the same as being fenced: somebody has begun a newer one.
_FENCED = {
    _TheirError._FENCED,  # noqa: SLF001 - names of librdkafka's own errors begin with an underscore
    _TheirError.PRODUCER_FENCED,
    _TheirError.INVALID_PRODUCER_EPOCH,
}
_NOT_AUTHORIZED = {
    _TheirError._AUTHENTICATION,  # noqa: SLF001
    _TheirError.SASL_AUTHENTICATION_FAILED,
    _TheirError.TOPIC_AUTHORIZATION_FAILED,
    _TheirError.GROUP_AUTHORIZATION_FAILED,
    _TheirError.CLUSTER_AUTHORIZATION_FAILED,
    _TheirError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_UNKNOWN = {
    _TheirError._UNKNOWN_TOPIC,  # noqa: SLF001
    _TheirError._UNKNOWN_PARTITION,  # noqa: SLF001
    _TheirError.UNKNOWN_TOPIC_OR_PART,
    _TheirError.TOPIC_EXCEPTION,
}
_OUT_OF_RANGE = {_TheirError._AUTO_OFFSET_RESET, _TheirError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001
# No answer, or the broker has forgotten this producer, or the transaction was given up.
_AGAIN = {
    _TheirError._TRANSPORT,  # noqa: SLF001
    _TheirError._ALL_BROKERS_DOWN,  # noqa: SLF001
    _TheirError._TIMED_OUT,  # noqa: SLF001
    _TheirError._MSG_TIMED_OUT,  # noqa: SLF001
    _TheirError._TIMED_OUT_QUEUE,  # noqa: SLF001
    _TheirError._RESOLVE,  # noqa: SLF001
    _TheirError._WAIT_COORD,  # noqa: SLF001
    _TheirError._PURGE_QUEUE,  # noqa: SLF001
    _TheirError._PURGE_INFLIGHT,  # noqa: SLF001
    _TheirError.LEADER_NOT_AVAILABLE,
    _TheirError.NOT_LEADER_FOR_PARTITION,
    _TheirError.REQUEST_TIMED_OUT,
    _TheirError.NETWORK_EXCEPTION,
    _TheirError.COORDINATOR_LOAD_IN_PROGRESS,
    _TheirError.COORDINATOR_NOT_AVAILABLE,
    _TheirError.NOT_COORDINATOR,
    _TheirError.NOT_ENOUGH_REPLICAS,
    _TheirError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    _TheirError.INVALID_PRODUCER_ID_MAPPING,
    _TheirError.UNKNOWN_PRODUCER_ID,
    _TheirError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    _TheirError.INVALID_TXN_STATE,
    _TheirError.CONCURRENT_TRANSACTIONS,
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Let errors of librdkafka out as `KafkaError` and `KafkaAwayError`."""
    try:
        yield
    except KafkaException as error:
        raise translation(error.args[0], doing) from error


def translation(error: _TheirError, doing: str) -> DriftflowError:
    """Return what to raise."""
    code, text = error.code(), f"{error.name()}: {error.str()}"
    if code in _FENCED:
        return ProducerFencedError(
            f"{doing}: another process has taken over this output ({text}): "
            "two sets run at once, or this one was stopped for long; this one must end"
        )
    if code in _NOT_AUTHORIZED:
        return NotAuthorizedError(f"{doing}: Kafka does not allow it ({text}): check user, password and ACLs")
    if code in _UNKNOWN:
        return UnknownTopicError(f"{doing}: there is no such topic or partition ({text}): create it first")
    if code in _OUT_OF_RANGE:
        return OffsetOutOfRangeError(f"{doing}: the partition does not hold the offset ({text})")
    if code in _AGAIN or error.retriable() or error.txn_requires_abort():
        return KafkaAwayError(f"{doing}: Kafka does not answer ({text})")
    return KafkaError(f"{doing}: Kafka refuses ({text})")
