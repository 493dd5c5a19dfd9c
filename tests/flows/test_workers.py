"""How members tell that they live and where they belong, and what a supervisor makes of time and chance."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.config_values import ConfigError
from flows.supervisor import auto_workers, check_workers
from flows.workers.backoff import Backoff
from flows.workers.beats import Watchdog, begin_beat
from flows.workers.environment import member_from_environment
from flows.workers.processes import cores
from flows.workers.requests import Watch, stops


def test_a_machine_that_was_paused_gets_its_limit_again(tmp_path: Path) -> None:
    now_s = 0.0
    watchdog = Watchdog(tmp_path, limit_s=60.0, clock=lambda: now_s)
    watchdog.begin()
    before = watchdog.beaten
    begin_beat(tmp_path, 0)
    assert watchdog.complaint() is None
    assert (before, watchdog.beaten) == (False, True)
    now_s += 3_600.0
    assert watchdog.complaint() is None
    for _ in range(12):
        now_s += 5.0
        assert watchdog.complaint() is None
    now_s += 5.0
    assert watchdog.complaint() == "no epoch has ended for 65.0 s, and member 0 was the first to fall silent"
    watchdog.begin()
    assert watchdog.complaint() is None
    assert not watchdog.beaten


@given(st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_pauses_stay_within_bounds(seed: int, failures: int) -> None:
    backoff = Backoff(
        first_s=1.0,
        longest_s=60.0,
        healthy_s=60.0,
        rng=np.random.default_rng(seed),
        failures=failures,
    )
    pause = backoff.pause_s(0.0)
    whole = min(2**failures, 60)
    assert whole / 2 <= pause <= whole


def test_pauses_differ_from_host_to_host() -> None:
    pauses = {
        Backoff(first_s=1.0, longest_s=60.0, healthy_s=60.0, rng=np.random.default_rng(seed)).pause_s(0.0)
        for seed in range(20)
    }
    assert len(pauses) == 20


def test_stops_are_counted_and_handlers_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stops() as asked:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert asked.asked == 2
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_partitions_are_asked_for_again_after_an_error() -> None:
    answers: list[list[str] | None] = [None, ["a"], None, ["b", "a"]]

    def ask() -> list[str]:
        answer = answers.pop(0) if answers else ["a", "b"]
        if answer is None:
            raise OSError
        return answer

    watch = Watch("partitions", lambda: frozenset(ask()), every_s=0.001)
    seen = []
    with watch.running():
        deadline = time.monotonic() + 30
        while frozenset("ab") not in seen:
            assert time.monotonic() < deadline
            seen += [watch.take()]
    assert set(seen) <= {None, frozenset("a"), frozenset("ab")}


def test_a_question_without_an_answer_holds_nothing_up() -> None:
    def ask() -> list[str]:
        time.sleep(1.0)
        return []

    began = time.monotonic()
    with Watch("partitions", ask, every_s=0.0).running():
        time.sleep(0.05)
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("workers", [0, 9, -1])
def test_numbers_of_workers_that_cannot_be(workers: int) -> None:
    with pytest.raises(ConfigError, match=f"--workers is {workers}, wanted 1 to 8"):
        check_workers(workers)


def test_automatic_workers() -> None:
    check_workers(None)
    check_workers(8)
    # The least of partitions, cores and the 8 that a recovery folder serves; never none.
    assert [auto_workers(*pair) for pair in [(4, 2), (1, 64), (100, 64), (0, 4)]] == [2, 1, 8, 1]


def test_cores_within_a_containers_quota(tmp_path: Path) -> None:
    limits = tmp_path / "cpu.max"
    allowed = len(os.sched_getaffinity(0))
    assert cores(limits) == allowed
    # Microseconds of quota and period, kernel documentation, cgroup-v2, "cpu.max".
    for text, expected in [("max 100000\n", allowed), ("100000 100000", 1), ("50000 100000", 1)]:
        limits.write_text(text)
        assert cores(limits) == expected


PODS = {
    "DRIFTFLOW_POD_NAME": "drift-flow-3",
    "DRIFTFLOW_STATEFULSET": "drift-flow",
    "DRIFTFLOW_SERVICE": "members.prod.svc",
    "DRIFTFLOW_REPLICAS": "4",
}


def test_member_of_a_statefulset() -> None:
    member = member_from_environment(PODS)
    assert member is not None
    assert member.process_id == 3
    assert not member.supervised
    # Names of pods behind a headless service: Kubernetes documentation, StatefulSets, "Stable Network ID".
    assert member.addresses == tuple(f"drift-flow-{i}.members.prod.svc:2101" for i in range(4))
    other = member_from_environment({**PODS, "DRIFTFLOW_PORT": "7000"})
    assert other is not None
    assert other.addresses[0] == "drift-flow-0.members.prod.svc:7000"


def test_member_of_a_list() -> None:
    listed = {"DRIFTFLOW_POD_NAME": "x-1", "DRIFTFLOW_ADDRESSES": "a:1, [::1]:2"}
    member = member_from_environment(listed)
    assert member is not None
    assert (member.process_id, member.addresses) == (1, ("a:1", "[::1]:2"))


def test_an_environment_that_says_nothing() -> None:
    assert member_from_environment({"PATH": "/bin", "DRIFTFLOW_METRICS_PORT": "9200"}) is None


def test_what_kubernetes_says_of_a_service_called_driftflow_is_left_alone() -> None:
    # Kubernetes documentation, Service, "Environment variables": {SVCNAME}_PORT=tcp://ADDRESS:PORT.
    link = {"DRIFTFLOW_PORT": "tcp://10.0.0.11:9464", "DRIFTFLOW_SERVICE_HOST": "10.0.0.11"}
    assert member_from_environment(link) is None
    assert member_from_environment({**PODS, **link}) == member_from_environment(PODS)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"DRIFTFLOW_POD_NAME": "x-1"}, "nothing says who the other members are"),
        ({"DRIFTFLOW_ADDRESSES": "a:1"}, "DRIFTFLOW_POD_NAME is not"),
        ({**PODS, "DRIFTFLOW_POD_NAME": "drift"}, "wanted a name with a number behind its last dash"),
        ({**PODS, "DRIFTFLOW_POD_NAME": "drift-flow-4"}, "the set has 4 members"),
        ({**PODS, "DRIFTFLOW_POD_NAME": "other-0"}, "is a pod of 'other'"),
        ({**PODS, "DRIFTFLOW_REPLICAS": "0"}, "DRIFTFLOW_REPLICAS is '0'"),
        ({**PODS, "DRIFTFLOW_REPLICAS": "four"}, "DRIFTFLOW_REPLICAS is 'four'"),
        ({**PODS, "DRIFTFLOW_SERVICE": ""}, "DRIFTFLOW_SERVICE not set"),
        ({**PODS, "DRIFTFLOW_PORT": "65536"}, "wanted at most 65535"),
        ({**PODS, "DRIFTFLOW_ADDRESSES": "a:1"}, "are both set"),
        ({"DRIFTFLOW_POD_NAME": "x-0", "DRIFTFLOW_ADDRESSES": "a"}, "holds 'a', wanted host:port"),
        ({"DRIFTFLOW_POD_NAME": "x-0", "DRIFTFLOW_ADDRESSES": "a:99999"}, "wanted host:port"),
        ({"DRIFTFLOW_POD_NAME": "x-0", "DRIFTFLOW_ADDRESSES": "a:1,"}, "holds '', wanted host:port"),
        ({"DRIFTFLOW_POD_NAME": "x-0", "DRIFTFLOW_ADDRESSES": "a:1,a:1"}, "one address twice"),
    ],
)
def test_an_environment_that_makes_no_sense(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        member_from_environment(environ)
