"""Becomes another program, one that the kernel ends when our parent dies.

Run as `python -I -S bound.py PARENT_PID PROGRAM [ARGUMENT ...]`. A program of its own, because code between fork and
exec (`preexec_fn`) is unsafe in a parent that has threads, as every user of gRPC has. The process id stays the same.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2); it outlives exec


def main(parent: int, argv: list[str]) -> None:
    """Binds this process to its parent and executes the program; on other systems than Linux, only the latter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            raise SystemExit("the parent is gone")
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted
    except OSError as exc:
        raise SystemExit(f"cannot execute {argv[0]}: {exc.strerror}") from exc


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
