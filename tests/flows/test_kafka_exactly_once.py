import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.kafka.base import (
    Isolation,
    KafkaAwayError,
    KafkaError,
    OutgoingRecord,
    ProducerFencedError,
    UnknownTopicError,
)
from flows.kafka.exactly_once import JOB_HEADER, ExactlyOncePartition, Job
from state.codec import FingerprintMismatchError
from tests.flows.fake_kafka import AT, CrashError, FakeClient, FakeKafka

JOB = Job(name="fraud", id_header="id")
PLAIN = Job(name="fraud", id_header="id", transactions=False)
Jobs = pytest.mark.parametrize("job", [JOB, PLAIN], ids=["transactions", "plain"])


def item(number: int) -> tuple[str, OutgoingRecord]:
    return str(number), OutgoingRecord(key=b"k", value=b"%d" % number, headers=(("id", b"%d" % number),))


def opened(kafka: FakeKafka, job: Job = JOB, resume: bytes | None = None) -> ExactlyOncePartition:
    return ExactlyOncePartition(FakeClient(kafka), AT, job, resume=resume, sleep=lambda _: None)


def found(kafka: FakeKafka, isolation: Isolation = Isolation.COMMITTED) -> list[str]:
    return [(record.value or b"").decode() for record in kafka.seen(isolation)]


@Jobs
def test_first_life_writes_everything_with_its_name(job: Job) -> None:
    kafka = FakeKafka()
    opened(kafka, job).write([item(0), item(1)])
    assert found(kafka) == ["0", "1"]
    assert [dict(record.headers) for record in kafka.seen()] == [
        {"id": b"0", JOB_HEADER: b"fraud"},
        {"id": b"1", JOB_HEADER: b"fraud"},
    ]


@Jobs
def test_life_that_replays_only_a_part_keeps_looking_for_the_rest(job: Job) -> None:
    # The trap: the third life must still know what the first one wrote, though the second one's snapshot was
    # taken after it had read all of it back.
    kafka = FakeKafka()
    opened(kafka, job).write([item(number) for number in range(10)])
    second = opened(kafka, job)
    assert second.pending == 10
    second.write([item(number) for number in range(3)])
    third = opened(kafka, job, second.snapshot())
    assert third.pending == 7
    third.write([item(number) for number in range(3, 12)])
    assert found(kafka) == [str(number) for number in range(12)]
    assert opened(kafka, job, third.snapshot()).pending == 0


def test_foreign_records_neither_count_nor_hold_the_snapshot_back() -> None:
    kafka = FakeKafka()
    others = opened(kafka, Job(name="churn", id_header="id"))
    others.write([item(0), item(1)])
    kafka.put(b"no headers")
    first = opened(kafka)
    assert first.pending == 0
    first.write([item(0)])
    assert found(kafka) == ["0", "1", "no headers", "0"]
    kafka.put(b"late")
    assert opened(kafka, resume=first.snapshot()).pending == 0


def test_old_life_is_fenced_and_what_it_had_open_is_aborted() -> None:
    kafka = FakeKafka()
    old = opened(kafka)
    old.write([item(0)])
    new = opened(kafka)
    with pytest.raises(ProducerFencedError):
        old.write([item(1)])
    new.write([item(0), item(1)])
    assert found(kafka) == ["0", "1"]


def test_life_that_lost_the_broker_does_not_take_the_topic_back() -> None:
    kafka = FakeKafka()
    old = opened(kafka)
    old.write([item(0)])
    new = opened(kafka)
    new.write([item(0), item(1)])
    epoch = kafka.epoch

    losing = [True]

    def fate() -> None:
        if losing:
            losing.pop()
            raise KafkaAwayError("away")

    kafka.fate = fate
    old._writer = None
    with pytest.raises(ProducerFencedError, match="offset 2 meanwhile"):
        old.write([item(5)])
    assert kafka.epoch == epoch
    new.write([item(2)])
    assert found(kafka) == ["0", "1", "2"]


def test_topic_that_was_made_anew_is_refused() -> None:
    kafka = FakeKafka()
    first = opened(kafka)
    first.write([item(number) for number in range(5)])
    second = opened(kafka, resume=first.snapshot())
    with pytest.raises(
        KafkaError, match=r"topic/0 ends at offset 0, and this job read it up to 6.*made anew"
    ):
        opened(FakeKafka(), resume=second.snapshot())


def test_snapshot_of_another_job_is_refused() -> None:
    kafka = FakeKafka()
    with pytest.raises(FingerprintMismatchError):
        opened(kafka, Job(name="churn", id_header="id"), opened(kafka).snapshot())


def test_retention_that_was_faster_is_said_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    kafka = FakeKafka()
    first = opened(kafka)
    snapshot = first.snapshot()
    first.write([item(number) for number in range(5)])
    kafka.low = 3
    second = opened(kafka, resume=snapshot)
    assert second.pending == 2
    assert "offsets 0 to 2 were deleted" in caplog.text
    second.write([item(number) for number in range(6)])
    assert found(kafka) == ["3", "4", "0", "1", "2", "5"]


@Jobs
def test_same_id_in_one_write_is_written_once(job: Job) -> None:
    kafka = FakeKafka()
    opened(kafka, job).write([item(0), item(1), item(0)])
    assert sorted(found(kafka)) == ["0", "1"]


@Jobs
@given(data=st.data(), batch=st.integers(1, 4))
def test_every_record_is_there_once_whatever_dies_or_gets_lost(
    job: Job, data: st.DataObject, batch: int
) -> None:
    # The engine's law: state goes back to the last durable snapshot, and the same items come again from
    # there. The oracle is the list of items itself.
    kafka = FakeKafka()
    items = [item(number) for number in range(14)]
    durable: tuple[int, bytes | None] = (0, None)

    # Deaths and lost answers end at some time; then the last life gets through.
    troubles = st.tuples(st.integers(0, 25), st.sampled_from(["away", "crash"]))
    fates = iter(
        [
            fate
            for quiet, trouble in data.draw(st.lists(troubles, min_size=2, max_size=8))
            for fate in [*[""] * quiet, trouble]
        ]
    )

    def fate() -> None:
        match next(fates, ""):
            case "away":
                raise KafkaAwayError("lost")
            case "crash":
                raise CrashError

    kafka.fate = fate
    done = False
    while not done:
        position, resume = durable
        try:
            life = opened(kafka, job, resume)
            while position < len(items):
                life.write(items[position : position + batch])
                position += batch
                if data.draw(st.booleans()):
                    durable = (position, life.snapshot())
            done = True
        except CrashError:
            pass
    assert found(kafka) == [identity for identity, _ in items]
    if not job.transactions:
        assert found(kafka, Isolation.UNCOMMITTED) == found(kafka)


@given(data=st.data())
def test_a_zombie_and_its_successor_write_every_record_once(data: st.DataObject) -> None:
    # Both write the same items at their own pace; whoever is fenced is started again from the beginning.
    kafka = FakeKafka()
    items = [item(number) for number in range(8)]
    lives = [opened(kafka), opened(kafka)]
    positions = [0, 0]
    for _ in range(30):
        which = data.draw(st.integers(0, 1))
        try:
            lives[which].write(items[positions[which] : positions[which] + 2])
            positions[which] += 2
        except ProducerFencedError:
            lives[which], positions[which] = opened(kafka), 0
    last = opened(kafka)
    last.write(items)
    assert sorted(found(kafka)) == [identity for identity, _ in items]


def test_each_try_in_vain_is_told() -> None:
    kafka = FakeKafka()
    waits: list[float] = []

    def sleep(pause_s: float) -> None:
        waits.append(pause_s)
        kafka.away = len(waits) < 5

    told: list[int] = []
    partition = ExactlyOncePartition(
        FakeClient(kafka), AT, JOB, sleep=sleep, on_wait=lambda: told.append(len(waits))
    )
    kafka.away = True
    partition.write([item(0)])
    # Before each pause, and never after the last.
    assert told == list(range(5))
    assert found(kafka) == ["0"]


def test_topic_that_a_starting_broker_does_not_know_is_waited_for_but_not_for_ever() -> None:
    kafka = FakeKafka()
    now_s = 0.0

    def sleep(pause_s: float) -> None:
        nonlocal now_s
        now_s += pause_s

    unknown_until_s = 50.0

    def fate() -> None:
        if now_s < unknown_until_s:
            raise UnknownTopicError("unknown")

    def life() -> ExactlyOncePartition:
        return ExactlyOncePartition(FakeClient(kafka), AT, JOB, sleep=sleep, clock=lambda: now_s)

    partition = life()
    kafka.fate = fate
    partition.write([item(0)])
    assert found(kafka) == ["0"]
    unknown_until_s = float("inf")
    with pytest.raises(UnknownTopicError):
        partition.write([item(1)])
    assert 110 < now_s < 120
    # What was never there is a mistake in the configuration.
    before_s = now_s
    with pytest.raises(UnknownTopicError):
        life()
    assert now_s == before_s
