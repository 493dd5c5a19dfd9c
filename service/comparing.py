"""Starts the comparison of two files that were sent."""

from fastapi import UploadFile
from starlette.types import Scope

from service.audit import job_audit
from service.context import Service
from service.jobs import Job
from service.ports import Compared
from service.uploads import workspace

PLACE = "/v1/comparisons"
"""Where comparisons are asked for."""

FIELDS = ("column", "kind", "verdict", "severity", "test", "statistic", "p_value", "q_value", "effect")
"""Of a compared column, what a table shows."""


def compare_uploads(
    service: Service, scope: Scope, baseline: UploadFile, current: UploadFile
) -> Job[Compared]:
    """Keep both files until they are compared.

    Raises
    ------
    ProblemError
        A file is too large, empty, or of no known format, or nothing is compared here.
    JobsFullError
        Too many comparisons wait.
    """
    compare = service.needed_ports.compare_files
    with workspace(service.upload_limits) as kept:
        files = [
            kept.keep(place, sent.filename, sent.file)
            for place, sent in (("baseline", baseline), ("current", current))
        ]
        return service.comparisons.start(
            lambda on_progress: compare(*files, on_progress=on_progress),
            kept.remove,
            job_audit(scope, service.keys, service.audit, what="comparison of files", place=PLACE),
        )
