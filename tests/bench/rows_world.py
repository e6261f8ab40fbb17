"""The row `world`: how fast specs run, and how fast time goes by in them."""
import resource
import subprocess
import time
from pathlib import Path

from programs import fail

SPECS = Path(__file__).resolve().parent / "specs"
SMALL = 1000
IDLE_HOURS = 90 * 24
SMALL_AIM_S = 5
HOUR_AIM_US = 60_000_000 / 50_000  # 50,000 of them a minute


def seconds(moonlet, spec):
    """Wall time and CPU of a run of one spec file, which must pass."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([moonlet, "test", SPECS / spec],
                          capture_output=True, text=True)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        fail(f"{spec}: {done.stdout}{done.stderr}")
    return wall, (after.ru_utime - before.ru_utime
                  + after.ru_stime - before.ru_stime)


def measure(table, moonlet, _tools, options):
    """The other arguments are those of every row."""
    small, idle = [], []
    for _ in range(options.rounds):
        small.append(seconds(moonlet, "small_spec.lua"))
        idle.append(seconds(moonlet, "idle_spec.lua"))
    table.add(f"specs: {SMALL} small ones", "s", [wall for wall, _ in small],
              SMALL_AIM_S)
    table.add("       CPU of one", "us",
              [cpu / SMALL * 1e6 for _, cpu in small])
    table.add("idle bot: an hour of virtual time", "us",
              [wall / IDLE_HOURS * 1e6 for wall, _ in idle], HOUR_AIM_US)
