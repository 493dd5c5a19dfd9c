"""Work that takes longer than a request: started, watched, and kept for a while when it is done."""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from logging import getLogger
from typing import Generic, TypeVar

from detectors.base import DriftflowError
from service.ports import OnProgress

_logger = getLogger("driftflow.service")

MOST_JOBS = 50
"""Jobs that are kept; of those that are done the oldest leave first."""

MOST_WAITING = 8
"""Jobs that wait for others at most."""

Result = TypeVar("Result")


class JobsFullError(DriftflowError):
    """Too many jobs wait."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_ENDED = frozenset({JobState.DONE, JobState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[Result]):
    """One piece of work as it stands.

    Attributes
    ----------
    id
        Cannot be guessed: who has it may see the result.
    progress
        Share that is done, from 0 to 1.
    result, error
        What came of it; None while it is not done.
    """

    id: str
    state: JobState = JobState.WAITING
    progress: float = 0.0
    result: Result | None = None
    error: str | None = None


class Jobs(Generic[Result]):
    """Runs jobs one after the other, in threads of its own.

    Parameters
    ----------
    workers
        Jobs that run at the same time.
    """

    def __init__(self, *, workers: int = 1) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job[Result]] = {}
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="job")

    def start(
        self,
        work: Callable[[OnProgress], Result],
        cleanup: Callable[[], None],
        on_end: Callable[[Job[Result]], None] = lambda _job: None,
    ) -> Job[Result]:
        """Queue a piece of work.

        Parameters
        ----------
        work
            Told whom to tell of its progress.
        cleanup
            Called when it has ended, however.
        on_end
            Told how it has ended, before anybody else can see that.

        Raises
        ------
        JobsFullError
            Too many wait already; `cleanup` was called.
        """
        job: Job[Result] = Job(id=secrets.token_urlsafe(16))
        with self._lock:
            waiting = sum(each.state is JobState.WAITING for each in self._jobs.values())
            full = waiting >= MOST_WAITING
            if not full:
                self._forget()
                self._jobs[job.id] = job
        if full:
            cleanup()
            raise JobsFullError(f"{waiting} jobs wait already: try again when some are done")
        run = self._executor.submit(self._run, job, work, on_end)

        def ended(run: Future[None]) -> None:
            if run.cancelled():
                self._end(job, on_end, state=JobState.FAILED, error="The service ended before it began.")
            cleanup()

        run.add_done_callback(ended)
        return job

    def find(self, job_id: str) -> Job[Result] | None:
        """Return a job as it stands; None where there is none of this id."""
        with self._lock:
            return self._jobs.get(job_id)

    def count(self, state: JobState) -> int:
        """Return how many jobs are in a state."""
        with self._lock:
            return sum(job.state is state for job in self._jobs.values())

    def close(self) -> None:
        """Let the jobs that run come to their end, and drop those that wait."""
        self._executor.shutdown(cancel_futures=True)

    def _run(
        self,
        job: Job[Result],
        work: Callable[[OnProgress], Result],
        on_end: Callable[[Job[Result]], None],
    ) -> None:
        def on_progress(share: float) -> None:
            self._change(job.id, progress=min(max(share, 0.0), 1.0))

        self._change(job.id, state=JobState.RUNNING)
        try:
            result = work(on_progress)
        except DriftflowError as error:
            self._end(job, on_end, state=JobState.FAILED, error=str(error))
        except Exception:  # a job must not take the service with it
            _logger.exception("a job has failed")
            self._end(job, on_end, state=JobState.FAILED, error="This is a fault in driftflow.")
        else:
            self._end(job, on_end, state=JobState.DONE, progress=1.0, result=result)

    def _end(self, job: Job[Result], on_end: Callable[[Job[Result]], None], **changes: object) -> None:
        on_end(replace(job, **changes))  # type: ignore[arg-type]  # its fields
        self._change(job.id, **changes)

    def _change(self, job_id: str, **changes: object) -> None:
        with self._lock:
            if job_id in self._jobs:
                self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # type: ignore[arg-type]  # its fields

    def _forget(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.state in _ENDED]
        for job_id in ended[: max(len(self._jobs) - MOST_JOBS + 1, 0)]:
            del self._jobs[job_id]
