"""What partitions hold, asked for in a thread of its own so that readers never wait for a broker."""

import time
from collections.abc import Callable, Collection, Mapping
from threading import Event, Lock, Thread

from flows.kafka.base import Bounds, KafkaAwayError, KafkaError, TopicPartition, UnknownTopicError

PERIOD_S = 0.5
"""Pause between two questions."""
FRESH_S = 2.0
"""Age up to which an answer counts."""

UNKNOWN_FOR_S = 60.0
"""Time for which a topic that was there may be unknown: a broker that starts does not know its topics yet."""

_LAST_QUESTION_S = 5.0

Question = Callable[[Collection[TopicPartition]], Mapping[TopicPartition, Bounds]]
"""Asks a broker; may wait, and raises `KafkaAwayError` or `KafkaError`."""


class OffsetWatch:
    """Keeps the bounds of the partitions that readers have open.

    Client libraries remember the end that came with the last records. That figure stays when the broker goes,
    and a reader that trusts it would take itself to be caught up during an outage.
    """

    def __init__(self, ask: Question, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()
        self._watched: dict[TopicPartition, int] = {}
        self._known: dict[TopicPartition, tuple[float, Bounds]] = {}
        self._refused: KafkaError | None = None
        self._unknown_since_s: float | None = None
        self._wake = Event()
        self._ended = False
        self._thread: Thread | None = None

    def add(self, at: TopicPartition) -> None:
        """Watch a partition; the first answer comes soon after."""
        with self._lock:
            self._watched[at] = self._watched.get(at, 0) + 1
            if self._thread is None:
                self._thread = Thread(target=self._run, name="driftflow-kafka-watch", daemon=True)
                self._thread.start()
        self._wake.set()

    def remove(self, at: TopicPartition) -> None:
        """Undo one `add`."""
        with self._lock:
            self._watched[at] -= 1
            if not self._watched[at]:
                del self._watched[at]
                self._known.pop(at, None)

    def bounds(self, at: TopicPartition) -> Bounds | None:
        """Return the last answer if it is fresh; raises what Kafka last refused with."""
        with self._lock:
            if self._refused is not None:
                raise self._refused
            asked_s, bounds = self._known.get(at, (float("-inf"), None))
            return bounds if self._clock() - asked_s <= FRESH_S else None

    def close(self) -> None:
        """Stop asking."""
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_LAST_QUESTION_S)

    def _run(self) -> None:
        while not self._ended:
            self._wake.clear()
            with self._lock:
                watched = list(self._watched)
            if watched:
                self._learn(watched)
            self._wake.wait(PERIOD_S)

    def _learn(self, watched: Collection[TopicPartition]) -> None:
        # The time of the question: the answer is at most that old when it is used.
        asked_s = self._clock()
        refused: KafkaError | None = None
        answers: Mapping[TopicPartition, Bounds] = {}
        try:
            answers = self._ask(watched)
        except KafkaAwayError:
            self._unknown_since_s = None
            return
        except UnknownTopicError as error:
            if self._unknown_since_s is None:
                self._unknown_since_s = asked_s
            if asked_s - self._unknown_since_s <= UNKNOWN_FOR_S:
                return
            refused = error
        except KafkaError as error:
            refused = error
        except Exception as error:  # noqa: BLE001 - a thread that dies in silence would look like an outage
            refused = KafkaError(f"asking Kafka about offsets failed: {type(error).__name__}: {error}")
        if refused is None:
            self._unknown_since_s = None
        with self._lock:
            self._refused = refused
            for at, bounds in answers.items():
                if at in self._watched:
                    self._known[at] = (asked_s, bounds)
