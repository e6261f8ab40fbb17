"""The row `world`: how fast specs run, and how fast time goes by in them."""
import resource
import subprocess
import time
from pathlib import Path

SPECS = Path(__file__).resolve().parent / "specs"
SMALL = 1000
IDLE_HOURS = 90 * 24
SMALL_AIM_S = 5
HOURS_A_MINUTE_AIM = 50_000


def seconds(moonlet, spec):
    """Wall time and CPU of a run of one spec file, which must pass."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([moonlet, "test", SPECS / spec],
                          capture_output=True, text=True)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"bench: {spec}: {done.stdout}{done.stderr}")
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
    table.add("virtual hours a minute, an idle bot", "",
              [IDLE_HOURS / wall * 60 for wall, _ in idle],
              HOURS_A_MINUTE_AIM, floor=True)
