"""Rows "reload", "task" and "load": what the scripts' host costs."""
import tempfile
from pathlib import Path

from programs import HERE, run_tool

SWITCH_AIM_MS = 2
TASK_AIM_US = 3
WAITING_AIM_BYTES = 2048
LOAD_AIM_US = 1000
HANDLERS = 500
HANDLERS_A_FILE = 20
TASKS = 200000    # a round


HANDLER = """
bot.command("order%(n)d", function(ctx)
  local id = tonumber(ctx.args[1])
  if not id then return ctx:reply("Which one? /order%(n)d NUMBER") end
  local order = orders[id] or { lines = {}, seen = 0 }
  local total = 0
  for _, line in ipairs(order.lines) do
    total = total + line.price * line.count
  end
  order.seen, orders[id] = order.seen + 1, order
  ctx:reply(("Order %%d of kind %(n)d: %%d lines, %%.2f"):format(
    id, #order.lines, total))
end)
"""


def write_bot(folder):
    """A bot whose handlers are spread over files."""
    names = []
    for first in range(0, HANDLERS, HANDLERS_A_FILE):
        name = f"orders_{first}"
        text = 'local bot = require "moonlet.bot"\nlocal orders = {}\n'
        for n in range(first, min(first + HANDLERS_A_FILE, HANDLERS)):
            text += HANDLER % {"n": n}
        (folder / f"{name}.lua").write_text(text)
        names.append(name)
    main = "".join(f'require "{name}"\n' for name in names)
    (folder / "main.lua").write_text(main)


def measure_reload(table, moonlet, tools, options):
    with tempfile.TemporaryDirectory() as folder:
        write_bot(Path(folder))
        seen = run_tool([tools / "bench_reload", folder,
                         str(options.reloads)])

    def ms(key):
        return [ns / 1e6 for ns in seen[key]]

    table.add("reload: loop held by the switch", "ms", ms("switch_ns"),
              SWITCH_AIM_MS)
    table.add("      CPU of that, at most", "ms", ms("switch_cpu_ns"),
              SWITCH_AIM_MS, of="max")
    table.add("      held while the scripts load", "ms", ms("loading_ns"))
    table.add("      held without a reload", "ms", ms("quiet_ns"))
    table.add("reload: load beside the loop", "ms", ms("load_ns"))


def measure_task(table, moonlet, tools, options):
    seen = run_tool([tools / "bench_task", HERE / "tasks", str(TASKS),
                     str(options.rounds)])

    def us(key, less=None):
        return [(each[key] - (each[less] if less else 0)) / 1000
                for each in seen["rounds"]]

    table.add("task: CPU above a bare coroutine", "us",
              us("task_ns", "bare_ns"), TASK_AIM_US)
    table.add("joined child: CPU above a bare coroutine", "us",
              us("child_ns", "bare_ns"), TASK_AIM_US)
    table.add("bare coroutine", "us", us("bare_ns"))
    table.add("waiting task: memory, all", "bytes", [seen["heap_bytes"]],
              WAITING_AIM_BYTES)
    table.add("      Lua's", "bytes", [seen["lua_bytes"]])


def measure_load(table, moonlet, tools, options):
    for mode, name in (("real", "load: CPU of a fresh generation"),
                       ("simulated", "load: the same in a simulation")):
        seen = run_tool([tools / "bench_load", HERE / "echo",
                         str(options.loads), mode])
        table.add(name, "us", [ns / 1000 for ns in seen["load_ns"]],
                  LOAD_AIM_US)
        table.add("      its end", "us",
                  [ns / 1000 for ns in seen["close_ns"]])
