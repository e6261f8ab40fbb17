"""Row "endurance": what grows while millions of updates go through."""
import sqlite3
import statistics
import tempfile
from pathlib import Path

from programs import Engine, Stub, core, fail, memory_kb

UPDATES = 10_000_000
SLICES = 40
WARM_UP = 4           # slices at least
FILLS = 600_000       # updates until SQLite's page cache is full
LINES = 10            # shown on the way
MIB = 1024 * 1024
# 256 connections to the Bot API, 64 that post, what an idle engine has. They
# come as the load asks for them, so their growth tells less than this bound.
FILES_MAX = 360
MEMORY_AIM_MIB = 2
FILE_AIM_MIB = 1


def file_size(path):
    return path.stat().st_size if path.exists() else 0


class Sampler:
    def __init__(self, engine):
        self.engine = engine
        self.samples = []
        self.seen = []
        self.warm_up = WARM_UP

    def look(self):
        data = self.engine.data
        self.seen.append((memory_kb(self.engine.pid)[0] / 1024,
                          file_size(data / "inbox.db-wal") / MIB))

    def end_slice(self, updates):
        """Memory: the median of the looks while it worked."""
        self.samples.append({
            "updates": updates,
            "memory": statistics.median(memory for memory, _ in self.seen),
            "log": max(log for _, log in self.seen),
            "files": self.engine.open_files(),
            "inbox": file_size(self.engine.data / "inbox.db") / MIB})
        self.seen = []

    def show_last(self):
        s = self.samples[-1]
        print(f"  {s['updates']:>11,} updates: {s['memory']:.2f} MiB resident,"
              f" {s['files']} open files, inbox.db {s['inbox']:.1f} MiB,"
              f" log {s['log']:.1f} MiB", flush=True)

    def after_warm_up(self, key):
        return [s[key] for s in self.samples[self.warm_up:]]

    def growth(self, key):
        """From the first to the last quarter of what is after the warm-up."""
        values = self.after_warm_up(key)
        quarter = max(1, len(values) // 4)
        return (statistics.median(values[-quarter:]) -
                statistics.median(values[:quarter]))


def count_seen(path):
    """The ids in the seen set, the bytes that they take, found by taking them
    out, and those that are free, where there were ids before."""
    db = sqlite3.connect(path)
    number, = db.execute("SELECT count(*) FROM seen").fetchone()
    page, = db.execute("PRAGMA page_size").fetchone()
    free, = db.execute("PRAGMA freelist_count").fetchone()
    db.execute("DROP TABLE seen")
    more, = db.execute("PRAGMA freelist_count").fetchone()
    db.close()
    return number, (more - free) * page, free * page


def warm_up_slices(a_slice):
    slices = max(WARM_UP, -(-FILLS // a_slice))
    if slices > SLICES // 2:
        print("  too few updates to tell: caches still fill", flush=True)
    return min(slices, SLICES // 2)


def endure(moonlet, tools, updates, disk, webhook):
    a_slice = max(updates // SLICES, 1)
    with tempfile.TemporaryDirectory(dir=disk) as folder, Stub(tools) as stub:
        data = Path(folder) / "data"
        with core(0):
            engine = Engine(moonlet, stub.url, data, webhook)
        with engine:
            port = engine.port if webhook else None
            if webhook:
                stub.wait("webhook")
            sampler = Sampler(engine)
            sampler.warm_up = warm_up_slices(a_slice)
            for n in range(1, SLICES + 1):
                seen = stub.go(a_slice, port, meanwhile=sampler.look)
                if seen["doubled"] or seen["calls"] != a_slice:
                    fail(f"not an echo: {seen}")
                engine.settle()
                sampler.end_slice(n * a_slice)
                if n % (SLICES // LINES) == 0:
                    sampler.show_last()
        return sampler, count_seen(data / "inbox.db")


def show(table, name, sampler, ids, id_bytes, free):
    """The file without ids is known at its end, and after the warm-up, when
    none has been forgotten yet."""
    each = id_bytes / ids
    early = sampler.samples[sampler.warm_up]
    rest = [early["inbox"] - early["updates"] * each / MIB,
            sampler.samples[-1]["inbox"] - (id_bytes + free) / MIB]
    table.add(f"{name}: updates", "", [sampler.samples[-1]["updates"]])
    table.add("      open files", "", sampler.after_warm_up("files"),
              FILES_MAX, of="max")
    for key, title, aim in (
            ("memory", "resident memory", MEMORY_AIM_MIB),
            ("log", "inbox.db-wal", FILE_AIM_MIB)):
        table.add(f"      {title}", "MiB", sampler.after_warm_up(key))
        table.add("         growth after the warm-up", "MiB",
                  [sampler.growth(key)], aim)
    table.add("      inbox.db without the seen ids", "MiB", rest)
    table.add("         growth after the warm-up", "MiB", [rest[1] - rest[0]],
              FILE_AIM_MIB)
    table.add("      seen ids at the end", "", [ids])
    table.add("         bytes each", "bytes", [each])
    table.add("         all, and what forgotten ones have left", "MiB",
              [(id_bytes + free) / MIB])


def measure(table, moonlet, tools, options):
    updates = options.updates_named or UPDATES
    for name, webhook, count in (("polling", False, updates),
                                 ("webhook", True, max(updates // 5, 1))):
        print(f"endurance by {name}:", flush=True)
        sampler, found = endure(moonlet, tools, count, options.disk, webhook)
        show(table, f"endurance by {name}", sampler, *found)
