"""Ties a process to the one that started it, then becomes the command it is given.

Run as a script of its own, ``python tether.py PARENT COMMAND...``, because a hook between fork and exec may
deadlock where the parent has threads. The kernel keeps the tie across exec: when the parent's main thread
ends, however that ends, this process is killed, even while it is stopped. Systems without that call go
without; there a member that outlives its supervisor keeps the lock it inherited, so that no second set starts
beside it.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``; see prctl(2)."""


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
        if os.getppid() != parent:
            # It died before the tie was made.
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # the supervisor's own command


if __name__ == "__main__":
    main()
