"""A pytest plugin: a test that takes too long fails with a traceback. One
that not even a signal gets out of its call ends the whole run a little later.
"""
import faulthandler
import os
import signal

import pytest

SECONDS = int(os.environ.get("TEST_SECONDS", "120"))
STDERR = os.dup(2)  # taken before pytest captures it


class TooLong(Exception):
    """Raised in whatever the test waits for."""


def stop(_signal, _frame):
    raise TooLong(f"the test took more than {SECONDS} s")


def pytest_configure():
    signal.signal(signal.SIGALRM, stop)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol():
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True, file=STDERR)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
