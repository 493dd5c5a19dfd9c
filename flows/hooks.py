"""What a run tells those who watch it: metrics, the log, a progress bar, a supervisor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.checks import Family
from flows.batch import Batch
from state.joined import Joined
from state.report import Output


class OnSnapshot(Protocol):
    """Takes the size of one key's packed state, and what it was at the snapshot before."""

    def __call__(self, step: str, size: int, *, before: int) -> None:
        """Take both, in bytes; `before` is 0 for a key that begins or resumes."""
        ...


def _ignore(*_: object, **__: object) -> None:
    """Take anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Functions that a run calls from the thread of its steps: they must be quick.

    Attributes
    ----------
    on_batch
        What one poll returned, quiet ones too.
    on_lag
        Records from a live partition's position to its end; None while that is not known.
    on_outputs
        What the report gave at once, before the sinks have it.
    on_resume
        Open episodes by window, when a report begins or resumes: that of the columns, and that of errors.
    on_resume_checks
        Open violations of checks by window and family, likewise.
    on_epoch
        An epoch has ended for a partition of this process.
    on_wait
        A step has tried a service that is away, and will try again: no epoch ends meanwhile.
    on_joined
        What one shard of the join has told, and its name.
    on_snapshot
        See `OnSnapshot`.
    """

    on_batch: Callable[[Batch], None] = _ignore
    on_lag: Callable[[str, int | None], None] = _ignore
    on_outputs: Callable[[Sequence[Output]], None] = _ignore
    on_resume: Callable[[Mapping[str, int]], None] = _ignore
    on_resume_checks: Callable[[Mapping[tuple[str, Family], int]], None] = _ignore
    on_epoch: Callable[[], None] = _ignore
    on_wait: Callable[[], None] = _ignore
    on_joined: Callable[[str, Joined], None] = _ignore
    on_snapshot: OnSnapshot = _ignore


def together(*hooks: Hooks) -> Hooks:
    """Return hooks that call all of them, in this order."""
    return Hooks(
        on_batch=_in_turn([each.on_batch for each in hooks]),
        on_lag=_in_turn([each.on_lag for each in hooks]),
        on_outputs=_in_turn([each.on_outputs for each in hooks]),
        on_resume=_in_turn([each.on_resume for each in hooks]),
        on_resume_checks=_in_turn([each.on_resume_checks for each in hooks]),
        on_epoch=_in_turn([each.on_epoch for each in hooks]),
        on_wait=_in_turn([each.on_wait for each in hooks]),
        on_joined=_in_turn([each.on_joined for each in hooks]),
        on_snapshot=_in_turn([each.on_snapshot for each in hooks]),
    )


def _in_turn(calls: Sequence[Callable[..., None]]) -> Callable[..., None]:
    def call(*values: object, **named: object) -> None:
        for each in calls:
            each(*values, **named)

    return call
