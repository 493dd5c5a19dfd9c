"""Asks a run in this container whether its epochs end; for the health checks of containers.

The first member answers for all: an epoch ends for every member of a set or for none. A command that serves
no metrics has no health to ask for, and passes. The standard library alone, because it starts so often.
"""
# ruff: noqa: INP001  # a script in the image, no package

import os
import sys
import urllib.error
import urllib.request

VARIABLE = "DRIFTFLOW_METRICS_PORT"
TIMEOUT_S = 4.0


def main() -> int:
    """Return the exit code: 0 healthy, 1 not."""
    port = os.environ.get(VARIABLE)
    if not port:
        sys.stdout.write(f"{VARIABLE} is not set: nothing to ask\n")
        return 0
    try:
        # No proxy of the environment stands between a process and its own container.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{int(port)}/healthz", timeout=TIMEOUT_S) as answer:
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            sys.stdout.write(error.read().decode())
        return 1
    except (OSError, ValueError) as error:
        sys.stdout.write(f"port {port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
