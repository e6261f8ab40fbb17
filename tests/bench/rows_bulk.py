"""Row "bulk": how long replies take while as many jobs as can wait to send."""
import tempfile
from pathlib import Path

from programs import HERE, Engine, Stub, core, fail

AIM_MS = 5        # of the worst hundredth, above that of a quiet bot
STEPS = 500       # updates of a part, one at a time
PARTS = 4         # of a round
WARM_UP = 100
BOTS = {"alone": ("echo", {}),
        "beside 30 bulk messages a second": ("bulk", {}),
        "beside 1,000 paid ones a second": ("bulk", {"BENCH_PAID": "yes"})}


def part(moonlet, tools, disk, bot, settings):
    with tempfile.TemporaryDirectory(dir=disk) as folder, Stub(tools) as stub:
        with core(0):
            engine = Engine(moonlet, stub.url, Path(folder) / "data",
                            bot=HERE / bot, settings=settings)
        with engine:
            stub.go(WARM_UP, steps=True)
            seen = stub.go(STEPS, steps=True)
    if seen["doubled"]:
        fail(f"not an echo: {seen}")
    bulk = (seen["calls"] - STEPS) / seen["wall_ns"] * 1e9
    return seen["p50_ns"] / 1e6, seen["p99_ns"] / 1e6, bulk


def measure(table, moonlet, tools, options):
    parts = {name: [] for name in BOTS}
    for _ in range(options.rounds * PARTS):
        for name, (bot, settings) in BOTS.items():
            parts[name].append(part(moonlet, tools, options.disk, bot,
                                    settings))
    quiet = parts["alone"]
    for name, seen in parts.items():
        table.add(f"reply {name}: p50", "ms", [each[0] for each in seen])
        table.add("      p99", "ms", [each[1] for each in seen])
        if seen is quiet:
            continue
        table.add("      added to p99", "ms",
                  [each[1] - one[1] for each, one in zip(seen, quiet)], AIM_MS)
        table.add("      bulk messages meanwhile", "1/s",
                  [each[2] for each in seen])
