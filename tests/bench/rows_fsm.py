"""Row "fsm": CPU of an update that also loads, moves and stores a machine."""
from programs import HERE
from rows_echo import echo_round

AIM_US = 60


def measure(table, moonlet, tools, options):
    bare, moved = [], []
    for _ in range(options.rounds):
        for rounds, bot in ((bare, "echo"), (moved, "fsm")):
            rounds.append(echo_round(moonlet, tools, options.updates,
                                     options.disk, False, HERE / bot))
    table.add("fsm: CPU of load, move, store over the echo", "us",
              [a["all"] - b["all"] for a, b in zip(moved, bare)], AIM_US)
    table.add("      of the whole update", "us",
              [each["all"] for each in moved])
    table.add("fsm: rate", "1/s", [each["rate"] for each in moved])
    table.add("fsm: update to sendMessage, p50", "ms",
              [each["p50"] for each in moved])
    table.add("fsm: update to sendMessage, p99", "ms",
              [each["p99"] for each in moved])
