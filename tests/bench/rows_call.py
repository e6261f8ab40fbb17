"""Row "call": CPU of an API call in the engine's client, beside libcurl."""
from programs import TOKEN, Stub, cost_us

IN_FLIGHT = 64
AIM = 1.3  # times the bare loop


def measure(table, _moonlet, tools, options):
    bare, calls = [], []
    for _ in range(options.rounds):
        with Stub(tools) as stub:
            bare.append(cost_us([tools / "bench_curl",
                                 f"{stub.url}/bot{TOKEN}/sendMessage",
                                 str(options.updates), str(IN_FLIGHT)]))
        with Stub(tools) as stub:
            calls.append(cost_us([tools / "bench_call", stub.url, TOKEN,
                                  str(options.updates), str(IN_FLIGHT)]))
    table.add(f"API call, {IN_FLIGHT} in flight: CPU", "us", calls)
    table.add("reference: bare curl loop, CPU of a call", "us", bare)
    table.add("API call to bare curl loop", "times",
              [a / b for a, b in zip(calls, bare)], AIM)
