"""Errors of kafka-python in this program's words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from detectors.base import DriftflowError
from flows.kafka.base import (
    KafkaAwayError,
    KafkaError,
    NotAuthorizedError,
    OffsetOutOfRangeError,
    ProducerFencedError,
    UnknownTopicError,
)

with warnings.catch_warnings():
    # kafka-python reads its schemas by functions that Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka import errors  # type: ignore[import-untyped]  # carries no types

# An old epoch means the same as being fenced: somebody has begun a newer one.
_FENCED = (errors.ProducerFencedError, errors.InvalidProducerEpochError)
_NOT_AUTHORIZED = (
    errors.AuthorizationError,
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailedError,
    errors.SaslAuthenticationFailedError,
)
_UNKNOWN = (errors.UnknownTopicOrPartitionError, errors.InvalidTopicError)
# A partition has no leader at the moment; or the broker has forgotten this producer, or the transaction was
# given up, and a new writer can go on.
_AGAIN = (
    errors.UnknownBrokerIdError,
    errors.BrokerNotAvailableError,
    errors.InvalidProducerIdMappingError,
    errors.UnknownProducerIdError,
    errors.OutOfOrderSequenceNumberError,
    errors.InvalidTxnStateError,
    errors.TransactionAbortedError,
    errors.ConcurrentTransactionsError,
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Let errors of kafka-python out as `KafkaError` and `KafkaAwayError`."""
    try:
        yield
    except errors.KafkaError as error:
        raise translation(error, doing) from error


def translation(error: Exception, doing: str) -> DriftflowError:
    """Return what to raise instead."""
    # Methods of a failed producer raise a plain error that only quotes the one behind it.
    text = str(error)
    if isinstance(error, _FENCED) or "ProducerFencedError" in text or "InvalidProducerEpochError" in text:
        return ProducerFencedError(
            f"{doing}: another process has taken over this output ({text}): "
            "two sets run at once, or this one was stopped for long; this one must end"
        )
    if isinstance(error, _NOT_AUTHORIZED):
        return NotAuthorizedError(f"{doing}: Kafka does not allow it ({text}): check user, password and ACLs")
    if isinstance(error, _UNKNOWN):
        return UnknownTopicError(f"{doing}: there is no such topic or partition ({text}): create it first")
    if isinstance(error, errors.OffsetOutOfRangeError):
        return OffsetOutOfRangeError(f"{doing}: the partition does not hold the offset ({text})")
    if isinstance(error, _AGAIN) or getattr(error, "retriable", False):
        return KafkaAwayError(f"{doing}: Kafka does not answer ({text})")
    return KafkaError(f"{doing}: Kafka refuses ({text})")
