"""Row "latency": how long an update takes to its API call at low load."""
import tempfile
from pathlib import Path

from programs import Engine, Stub, core, fail, run_tool

MEDIAN_AIM_MS = 0.3   # above a write with fdatasync: median over median
P99_AIM_MS = 1.5      # the worst hundredth over the disk's worst hundredth
REST_MS = 2           # between updates, STUB_STEP_MS
WARM_UP = 200
PARTS = 4             # of a round, so that all see the same disk
STEPS_MAX = 2000      # updates a round


def step_round(moonlet, tools, steps, disk, webhook):
    with tempfile.TemporaryDirectory(dir=disk) as folder, Stub(tools) as stub:
        with core(0):
            engine = Engine(moonlet, stub.url, Path(folder) / "data", webhook)
        with engine:
            port = engine.port if webhook else None
            if webhook:
                stub.wait("webhook")
            stub.go(WARM_UP, port, steps=True)
            seen = stub.go(steps, port, steps=True)
    if seen["doubled"] or seen["calls"] != steps:
        fail(f"not an echo: {seen}")
    return in_ms(seen)


def fsync_round(tools, steps, disk):
    with tempfile.TemporaryDirectory(dir=disk) as folder, core(0):
        return in_ms(run_tool([tools / "bench_fsync", Path(folder) / "file",
                               str(steps), str(REST_MS)]))


def in_ms(seen):
    return {"p50": seen["p50_ns"] / 1e6, "p99": seen["p99_ns"] / 1e6}


def measure(table, moonlet, tools, options):
    fsyncs = []
    rounds = {"webhook": [], "polling": []}
    steps = max(min(options.updates, STEPS_MAX) // PARTS, 1)
    for _ in range(options.rounds * PARTS):
        for name in rounds:
            rounds[name].append(step_round(moonlet, tools, steps, options.disk,
                                           name == "webhook"))
        fsyncs.append(fsync_round(tools, steps, options.disk))

    for key in ("p50", "p99"):
        table.add(f"write and fdatasync: {key}", "ms",
                  [each[key] for each in fsyncs])
    for name, seen in rounds.items():
        for key, aim in (("p50", MEDIAN_AIM_MS), ("p99", P99_AIM_MS)):
            table.add(f"{name}: update to sendMessage, {key}", "ms",
                      [each[key] for each in seen])
            table.add(f"      above fdatasync's {key}", "ms",
                      [each[key] - disk[key]
                       for each, disk in zip(seen, fsyncs)], aim)
        table.add("      p99 above fdatasync's p50", "ms",
                  [each["p99"] - disk["p50"]
                   for each, disk in zip(seen, fsyncs)])
