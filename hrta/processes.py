"""How a job of the workflow ends when something else does."""

import os
import signal
import sys
import threading
import time
from types import FrameType


def end_on_sigterm() -> None:
    """Let SIGTERM end the process as an exception would, so that temporary files are removed."""

    def leave(signum: int, frame: FrameType | None) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, leave)


def end_with(parent: int | None) -> None:
    """End this process soon after the process `parent`, which must be its parent, has ended.

    A workflow that is killed leaves its jobs running; without this they would go on to write.
    """
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
