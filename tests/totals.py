"""Adds up what ctest and pytest left in a folder and prints one last line,
"N passed, N failed". Exit 1 if anything failed or nothing ran.

A cmocka executable counts by its tests: those that it announced and that
neither passed nor were skipped have failed, so a crash in the middle fails
all that it kept from running.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

ANNOUNCED = re.compile(r"^\[=+\] .*Running (\d+) test", re.M)
PASSED = re.compile(r"^\[ +OK \] ", re.M)
SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) test", re.M)


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def add_executable(totals, case):
    """One testcase of ctest's report: an executable with many tests."""
    output = case.findtext("system-out") or ""
    announced = sum(int(n) for n in ANNOUNCED.findall(output))
    passed = len(PASSED.findall(output))
    skipped = sum(int(n) for n in SKIPPED.findall(output))
    failed = announced - passed - skipped
    broken = case.get("status") != "run" or announced == 0
    totals.add(passed, max(failed, int(broken)), skipped)


def add_ctest(totals, path):
    for case in xml.parse(path).getroot().iter("testcase"):
        add_executable(totals, case)


def add_pytest(totals, path):
    for suite in xml.parse(path).getroot().iter("testsuite"):
        count = {key: int(suite.get(key, 0))
                 for key in ("tests", "failures", "errors", "skipped")}
        failed = count["failures"] + count["errors"]
        totals.add(count["tests"] - failed - count["skipped"], failed,
                   count["skipped"])


def add_report(totals, path, add):
    """A runner that left no readable report has failed as a whole."""
    try:
        add(totals, path)
    except (OSError, xml.ParseError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        totals.add(0, 1)


def add_sanitizer(totals, folder):
    for report in sorted(folder.glob("sanitizer.*")):
        print(report.read_text(errors="replace"), file=sys.stderr)
        totals.add(0, 1)


def main(folder):
    totals = Totals()
    add_report(totals, folder / "ctest.xml", add_ctest)
    add_report(totals, folder / "pytest.xml", add_pytest)
    add_sanitizer(totals, folder)
    sys.stderr.flush()
    print(totals)
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
