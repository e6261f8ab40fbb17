"""Row "start": memory of an idle engine and the time to its first call."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from programs import Engine, Stub, memory_kb

MEMORY_AIM = 1.5
START_AIM_MS = 15


def empty_times(tools, file):
    """Exec to exit in ms; resident memory while it waits."""
    empty = tools / "bench_empty"
    began = time.monotonic_ns()
    os.waitpid(os.posix_spawn(empty, [empty, file], os.environ), 0)
    took = (time.monotonic_ns() - began) / 1e6
    with subprocess.Popen([empty, file, "wait"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        memory = memory_kb(child.pid)
        child.stdin.close()
    return took, memory


def start_once(moonlet, tools, data):
    """Exec to the first getUpdates in ms; memory while that waits."""
    with Stub(tools) as stub:
        with Engine(moonlet, stub.url, data) as engine:
            took = (stub.wait("polling")["at"] - engine.started) / 1e6
            engine.come_to_rest()
            return took, memory_kb(engine.pid)


def measure(table, moonlet, tools, options):
    empties, firsts, agains = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        file = str(Path(folder) / "empty.db")
        for _ in range(options.starts):
            shutil.rmtree(data, ignore_errors=True)
            empties.append(empty_times(tools, file))
            firsts.append(start_once(moonlet, tools, data))
            agains.append(start_once(moonlet, tools, data))

    def above(starts):
        return [a[0] - b[0] for a, b in zip(starts, empties)]

    for at, name in enumerate(("VmRSS", "PSS")):
        ours = [memory[at] / 1024 for _, memory in agains]
        theirs = [memory[at] / 1024 for _, memory in empties]
        table.add(f"idle: {name}", "MiB", ours)
        table.add(f"empty program: {name}", "MiB", theirs)
        table.add(f"idle to empty program: {name}", "times",
                  [a / b for a, b in zip(ours, theirs)],
                  MEMORY_AIM if name == "VmRSS" else None)
    table.add("start: exec to first getUpdates", "ms",
              [took for took, _ in agains])
    table.add("start: the same in a new DATA_DIR", "ms",
              [took for took, _ in firsts])
    table.add("empty program: exec to exit", "ms",
              [took for took, _ in empties])
    table.add("start above empty program", "ms", above(agains), START_AIM_MS)
    table.add("start above empty program, new DATA_DIR", "ms", above(firsts),
              START_AIM_MS)
