"""Row "echo": CPU of an update that is answered by one sendMessage."""
import subprocess
import tempfile
from pathlib import Path

from programs import (CHATS, HERE, LIMIT, TOKEN, Engine, Stub, core, cost_us,
                      fail)

BOUND_US = 65
AIM_US = 55
BATCH = 100       # updates a getUpdates call
POSTERS = 64      # connections that post; also calls in flight
WARM_UP = 2000    # updates before those that are measured
MEMORY = Path("/dev/shm")


def echo_round(moonlet, tools, updates, disk, webhook, bot=HERE / "echo"):
    with tempfile.TemporaryDirectory(dir=disk) as folder, Stub(tools) as stub:
        with core(0):
            engine = Engine(moonlet, stub.url, Path(folder) / "data", webhook,
                            bot)
        with engine:
            port = engine.port if webhook else None
            if webhook:
                stub.wait("webhook")
            stub.go(WARM_UP, port)
            engine.settle()
            before = engine.cpu()
            seen = stub.go(updates, port)
            engine.settle()
            after = engine.cpu()
    if seen["doubled"] or seen["calls"] != updates:
        fail(f"not an echo: {seen}")
    cost = {key: (after[key] - before[key]) / updates / 1000 for key in after}
    return cost | {"rate": updates / seen["wall_ns"] * 1e9,
                   "p50": seen["p50_ns"] / 1e6, "p99": seen["p99_ns"] / 1e6}


def curl_round(tools, updates):
    with Stub(tools) as stub:
        return cost_us([tools / "bench_curl",
                        f"{stub.url}/bot{TOKEN}/sendMessage", str(updates),
                        str(POSTERS)])


def store_round(tools, updates, disk, webhook):
    puts, size = (POSTERS, 1) if webhook else (1, BATCH)
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        return cost_us([tools / "bench_store", folder, str(updates),
                        str(puts), str(size)])


def wrk_round(tools):
    """Answers a second that wrk gets from the stub."""
    with Stub(tools) as stub, core(0):
        done = subprocess.run(
            ["wrk", "-t1", f"-c{POSTERS}", "-d2s", "-s", HERE / "send.lua",
             f"{stub.url}/bot{TOKEN}/sendMessage"],
            capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0 or "Non-2xx" in done.stdout:
        fail(f"wrk: {done.stdout}{done.stderr}")
    return float(done.stdout.split("Requests/sec:")[1].split()[0])


class Source:
    """Updates by polling or by webhook, and what was measured of them."""

    def __init__(self, name, webhook):
        self.name = name
        self.webhook = webhook
        self.echoes, self.in_memory = [], []
        self.stores, self.stores_in_memory = [], []

    def measure(self, moonlet, tools, options):
        n = options.updates
        self.echoes.append(echo_round(moonlet, tools, n, options.disk,
                                      self.webhook))
        self.stores.append(store_round(tools, n, options.disk, self.webhook))
        if not MEMORY.is_dir():
            return
        self.in_memory.append(echo_round(moonlet, tools, n, MEMORY,
                                         self.webhook))
        self.stores_in_memory.append(store_round(tools, n, MEMORY,
                                                 self.webhook))

    def each(self, key):
        return [echo[key] for echo in self.echoes]

    def show(self, table):
        name = self.name
        table.add(f"{name}: CPU of an update", "us", self.each("all"), AIM_US,
                  BOUND_US)
        for key in ("user", "system"):
            table.add(f"      {key}", "us", self.each(key))
        table.add("      of it the thread that stores", "us",
                  self.each("writer"))
        if self.in_memory:
            table.add("      all, if storing is not durable", "us",
                      [echo["all"] for echo in self.in_memory])
        table.add(f"{name}: rate", "1/s", self.each("rate"))
        table.add(f"{name}: update to sendMessage, p50", "ms",
                  self.each("p50"))
        table.add(f"{name}: update to sendMessage, p99", "ms",
                  self.each("p99"))
        table.add("reference: store alone, such batches", "us", self.stores)
        if self.in_memory:
            table.add("      if it is not durable", "us",
                      self.stores_in_memory)


def measure(table, moonlet, tools, options):
    polling = Source("polling, 100 a call", False)
    webhook = Source("webhook, 64 connections", True)
    curls, wrks = [], []
    for _ in range(options.rounds):
        for source in (polling, webhook):
            source.measure(moonlet, tools, options)
        curls.append(curl_round(tools, options.updates))
        wrks.append(wrk_round(tools))
    for source in (polling, webhook):
        source.show(table)
    table.add("reference: bare curl loop, CPU of a call", "us", curls)
    table.add("reference: wrk on the stub", "1/s", wrks)
    table.add("polling to curl loop and store", "times",
              [a / (b + c) for a, b, c in
               zip(polling.each("all"), curls, polling.stores)])
    table.add("webhook to polling", "times",
              [a / b for a, b in zip(webhook.each("all"),
                                     polling.each("all"))])
