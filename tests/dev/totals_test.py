"""The last line of ./dev test, from reports of ctest and pytest."""
import pathlib
import subprocess
import sys

TOTALS = pathlib.Path(__file__).resolve().parents[1] / "totals.py"

PYTEST = """<testsuites><testsuite name="pytest" tests="{tests}"
 failures="{failures}" errors="{errors}" skipped="{skipped}"/></testsuites>"""

GOOD = "[==========] Running 2 test(s).\n" + (
    "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[       OK ] b\n"
    "[==========] 2 test(s) run.\n[  PASSED  ] 2 test(s).\n")

SKIPPED = """[==========] Running 2 test(s).
[ RUN      ] a
[  SKIPPED ] a
[ RUN      ] b
[       OK ] b
[==========] 2 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] a

 1 SKIPPED TEST(S)
"""

FAILED = """[==========] Running 3 test(s).
[ RUN      ] a
[  FAILED  ] a
[ RUN      ] b
[       OK ] b
[ RUN      ] c
[       OK ] c
[==========] 3 test(s) run.
[  PASSED  ] 2 test(s).
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] a
"""

CRASHED = """[==========] Running 5 test(s).
[ RUN      ] a
[       OK ] a
[ RUN      ] b
"""


def ctest(*cases):
    rows = "".join(f'<testcase name="x" status="{status}">'
                   f"<system-out>{output}</system-out></testcase>"
                   for status, output in cases)
    return f"<testsuite>{rows}</testsuite>"


def pytest_report(tests=0, failures=0, errors=0, skipped=0):
    return PYTEST.format(tests=tests, failures=failures, errors=errors,
                         skipped=skipped)


def totals(folder, units, processes):
    """(last line, exit code)."""
    for name, text in (("ctest.xml", units), ("pytest.xml", processes)):
        if text is not None:
            (folder / name).write_text(text)
    done = subprocess.run([sys.executable, TOTALS, folder], text=True,
                          capture_output=True, timeout=60, check=False)
    return done.stdout, done.returncode


def test_adds_both(tmp_path):
    assert totals(tmp_path, ctest(("run", GOOD), ("run", GOOD)),
                  pytest_report(tests=3)) == ("7 passed, 0 failed\n", 0)


def test_names_the_skipped(tmp_path):
    assert totals(tmp_path, ctest(("run", SKIPPED)),
                  pytest_report(tests=2, skipped=1)) == (
        "2 passed, 0 failed, 2 skipped\n", 0)


def test_counts_failures_and_errors(tmp_path):
    assert totals(tmp_path, ctest(("fail", FAILED)),
                  pytest_report(tests=4, failures=1, errors=1)) == (
        "4 passed, 3 failed\n", 1)


def test_a_crash_fails_all_that_did_not_run(tmp_path):
    assert totals(tmp_path, ctest(("fail", CRASHED)),
                  pytest_report()) == ("1 passed, 4 failed\n", 1)


def test_a_leak_at_exit_fails_though_every_test_passed(tmp_path):
    assert totals(tmp_path, ctest(("fail", GOOD)),
                  pytest_report()) == ("2 passed, 1 failed\n", 1)


def test_an_executable_without_tests_fails(tmp_path):
    assert totals(tmp_path, ctest(("run", ""), ("notrun", "")),
                  pytest_report(tests=1)) == ("1 passed, 2 failed\n", 1)


def test_a_missing_report_fails(tmp_path):
    assert totals(tmp_path, None, pytest_report(tests=1)) == (
        "1 passed, 1 failed\n", 1)
    assert totals(tmp_path, ctest(("run", GOOD)), "<torn") == (
        "2 passed, 1 failed\n", 1)


def test_a_sanitizer_report_fails(tmp_path):
    (tmp_path / "sanitizer.4711").write_text("heap-use-after-free")
    assert totals(tmp_path, ctest(("run", GOOD)),
                  pytest_report(tests=1)) == ("3 passed, 1 failed\n", 1)


def test_nothing_that_ran_is_a_failure(tmp_path):
    assert totals(tmp_path, ctest(), pytest_report()) == (
        "0 passed, 0 failed\n", 1)
