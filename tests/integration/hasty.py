"""The command line of driftflow, with a supervisor that looks for new partitions several times a second."""

from functools import partial

from flows.cli import main
from flows.commands import supervise_job
from flows.supervisor import Timing, supervise

TIMING = Timing(partitions_s=0.3, first_pause_s=0.1)


if __name__ == "__main__":
    # Members are started as plain `flows.cli`: nothing else about them is different.
    supervise_job.supervise = partial(supervise, timing=TIMING)  # type: ignore[attr-defined]  # not meant for others
    main()
