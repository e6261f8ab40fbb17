"""The row `sim`: how fast `moonlet sim` answers sendMessage over sockets."""
import json
import os
import signal
import subprocess
import urllib.request
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT = 120.0    # seconds that anything may take
CONNECTIONS = 16
CHAT = 7123400000  # the one of send.lua
AIM_US = 50      # 20,000 calls a second on one core
TICKS = os.sysconf("SC_CLK_TCK")


def on_core(number):
    """What a child runs first: it keeps to that core, if there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: (os.sched_setaffinity(0, {cores[number]})
                    if len(cores) > 1 else None)


def post(url, path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return json.load(answer)


@contextmanager
def simulator(moonlet):
    """Its address and process, without limits and with one person."""
    with subprocess.Popen([moonlet, "sim", "--port", "0"], text=True,
                          stdout=subprocess.PIPE,
                          preexec_fn=on_core(0)) as child:
        try:
            url = child.stdout.readline().split()[-1]
            post(url, "/sim/limits", {"per_second": 0, "per_chat": 0,
                                      "per_group_minute": 0})
            post(url, "/sim/users", {"first_name": "Ann", "id": CHAT})
            yield url, child.pid
        finally:
            child.send_signal(signal.SIGTERM)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(") ")[1]
    return sum(map(int, fields.split()[11:13])) / TICKS


def load(url, seconds):
    """Calls answered and calls a second, by wrk."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s",
         HERE / "send.lua", f"{url}/bot1:BENCH/sendMessage"],
        capture_output=True, text=True, timeout=LIMIT,
        preexec_fn=on_core(-1), check=False)
    if done.returncode != 0 or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return (int(done.stdout.split(" requests in")[0].split()[-1]),
            float(done.stdout.split("Requests/sec:")[1].split()[0]))


def one_round(moonlet):
    """CPU of a call in us, and calls a second, once all rings are full."""
    with simulator(moonlet) as (url, pid):
        load(url, 1)
        before = cpu_seconds(pid)
        calls, rate = load(url, 2)
        return (cpu_seconds(pid) - before) / calls * 1e6, rate


def measure_sim(table, moonlet, _tools, options):
    rounds = [one_round(moonlet) for _ in range(options.rounds)]
    table.add("sim: CPU of a sendMessage", "us", [r[0] for r in rounds],
              AIM_US)
    table.add(f"sim: rate over {CONNECTIONS} connections", "1/s",
              [r[1] for r in rounds])
