import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from train.interrupt import Interrupt


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_is_noted_and_the_handlers_are_given_back(number, status):
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert not interrupt.agreed()
        os.kill(os.getpid(), number)
        assert interrupt.agreed()
        assert interrupt.exit_code == status
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM"])
def test_ctrl_c_after_a_signal_kills_at_once(first):
    code = (
        "import os, signal\n"
        "from train.interrupt import Interrupt\n"
        "with Interrupt():\n"
        f"    os.kill(os.getpid(), signal.{first})\n"
        "    print('alive', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('still alive', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stdout == b"alive\n"
    assert b"Ctrl-C again ends at once" in done.stderr
