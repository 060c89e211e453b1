"""One run at a time in a folder."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from dsocr_jax.errors import UserError
from train import folder
from train.folder import LOCK, run_folder


def test_folder_is_made_and_left_free(tmp_path):
    run = tmp_path / "deep" / "run"
    with run_folder(run):
        assert (run / LOCK).read_text() == f"{socket.gethostname()} process {os.getpid()}"
    with run_folder(run):
        pass
    assert (run / LOCK).read_text() == ""


def test_second_run_is_refused_and_told_who_is_there(tmp_path):
    with (
        run_folder(tmp_path / "run"),
        pytest.raises(UserError, match=rf"another training is at work in .*run \({socket.gethostname()} process"),
        run_folder(tmp_path / "run"),
    ):
        pass


def test_lock_of_a_killed_process_is_gone_with_it(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import fcntl\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "lock.write(sys.argv[2] + ' process 1'); lock.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "run.json").touch()
    subprocess.run([sys.executable, "-c", code, tmp_path / LOCK, socket.gethostname()], check=False)
    began = time.monotonic()
    with run_folder(tmp_path):
        pass
    assert time.monotonic() - began < folder.SILENCE / 2  # on one host nobody has to wait


def test_run_of_another_host_is_seen_by_its_heartbeat(tmp_path, monkeypatch):
    """The locks of two hosts may not know of each other: here the file is not locked at all."""
    monkeypatch.setattr(folder, "SILENCE", 2.0)
    (tmp_path / "run.json").touch()
    (tmp_path / LOCK).write_text("elsewhere process 7")
    stop = threading.Event()
    monkeypatch.setattr(folder, "BEAT", 0.05)
    heart = threading.Thread(target=folder._beat, args=(tmp_path / LOCK, stop))
    heart.start()
    try:
        with pytest.raises(UserError, match=r"\(elsewhere process 7\)"), run_folder(tmp_path):
            pass
    finally:
        stop.set()
        heart.join()
    assert (tmp_path / LOCK).read_text() == "elsewhere process 7"
    monkeypatch.setattr(folder, "SILENCE", 0.2)
    with run_folder(tmp_path):  # it has died
        assert (tmp_path / LOCK).read_text().startswith(f"{socket.gethostname()} ")


def test_folder_of_a_run_that_ended_before_its_first_file_is_taken(tmp_path):
    for name in (LOCK, ".run.json.partial", "goodput.json"):
        (tmp_path / name).touch()
    (tmp_path / "checkpoints").mkdir()
    with run_folder(tmp_path):
        pass


def test_full_disk_is_one_line(tmp_path):
    with (
        pytest.raises(UserError, match=r"is full \(No space left on device\); the last whole checkpoint"),
        run_folder(tmp_path / "run"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_errors_of_the_system_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), run_folder(tmp_path / "run"):
        raise PermissionError(errno.EACCES, "Permission denied")
