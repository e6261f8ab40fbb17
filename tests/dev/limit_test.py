"""A test that hangs fails; it does not hold up the run."""
import os
import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]


def run(folder, text):
    (folder / "hang_test.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "limit",
         "-p", "no:cacheprovider", "hang_test.py"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env=dict(os.environ, PYTHONPATH=str(TESTS), TEST_SECONDS="1"))


def test_a_wait_without_end_fails_and_the_next_test_runs(tmp_path):
    done = run(tmp_path, "import threading\n"
                         "def test_waits():\n"
                         "    threading.Event().wait()\n"
                         "def test_next():\n    pass\n")
    assert "TooLong" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_what_no_signal_stops_ends_the_run(tmp_path):
    done = run(tmp_path, "import signal\n"
                         "def test_is_deaf():\n"
                         "    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
                         "    while True:\n        pass\n")
    assert done.returncode != 0
    assert "hang_test.py" in done.stderr
