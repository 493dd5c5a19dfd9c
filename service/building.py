"""Starts the building of a reference from a file that was sent."""

from fastapi import UploadFile
from starlette.types import Scope

from service.audit import job_audit
from service.context import Service
from service.jobs import Job
from service.uploads import workspace


def build_upload(service: Service, scope: Scope, model: str, file: UploadFile) -> Job[str]:
    """Keep the file until the reference is built.

    Raises
    ------
    ProblemError
        The file is too large, empty, or of no known format, or nothing is built here.
    JobsFullError
        Too many builds wait.
    """
    build = service.needed_ports.build_reference
    with workspace(service.upload_limits) as kept:
        path = kept.keep("reference", file.filename, file.file)
        place = f"/v1/models/{model}/references/builds"
        return service.builds.start(
            lambda tell: build(model, path, on_progress=tell),
            kept.remove,
            job_audit(scope, service.keys, service.audit, what="building a reference", place=place),
        )
