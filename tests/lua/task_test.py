"""moonlet.task and moonlet.timeout, each rule inside a real bot.

A case is a Lua function body that returns a text; the handler replies with
it, or with the error that it raised.
"""
import pytest

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local timeout = require "moonlet.timeout"
local log = require "moonlet.log"
local trail = {}
local function say(word) trail[#trail + 1] = word end
local function later(seconds, ...)
  task.sleep(seconds)
  return ...
end
bot.command("run", function(ctx)
  trail = {}
  local ok, result = pcall(function()
%s
  end)
  if not ok then
    result = "raised " .. tostring(result.kind or result) .. ": "
      .. tostring(result.message)
  end
  ctx:reply(tostring(result) .. " | " .. table.concat(trail, " "))
end)
"""

CASES = {
    "join gives the results": (
        "local h = task.spawn(later, 0.01, 1, nil, 3)\n"
        "return select('#', h:join()) .. ' ' .. tostring((h:join()))",
        "3 1 | "),
    "join raises the child's error": (
        "local h = task.spawn(function() error({ reason = 'x' }) end)\n"
        "local ok, err = pcall(task.join, h)\n"
        "return tostring(ok) .. ' ' .. err.kind .. ' ' .. err.value.reason",
        "false script x | "),
    "children run while the parent waits": (
        "for i = 1, 3 do task.spawn(function() later(i / 100); say('c' .. i) "
        "end) end\n task.sleep(0.2); say('p') return 'done'",
        "done | c1 c2 c3 p"),
    "all keeps the order of its functions": (
        "local r = task.all{ function() return later(0.03, 'a') end,\n"
        "function() return later(0.01, 'b') end, function() return 'c' end }\n"
        "return table.concat(r, ',')",
        "a,b,c | "),
    "all cancels the others when one fails": (
        "local ok, err = pcall(task.all, { function() local c <close> = "
        "setmetatable({}, { __close = function() say('closed') end })\n"
        "later(60); say('never') end, function() later(0.01)\n"
        "error('bad', 0) end })\n task.sleep(0.05) return err.message",
        "bad | closed"),
    "race gives the first and cancels the rest": (
        "local first = task.race{ function() later(60); say('never') end,\n"
        "function() return later(0.01, 'quick') end }\n"
        "task.sleep(0.05) return first",
        "quick | "),
    "cancel is not caught by pcall": (
        "local h = task.spawn(function() pcall(task.sleep, 60); say('no') "
        "end)\n task.sleep(0.01); h:cancel(); task.sleep(0.01)\n"
        "local ok, err = pcall(task.join, h) return err.kind",
        "cancelled | "),
    "task.cancel is the same as handle:cancel": (
        "local h = task.spawn(function() local c <close> = setmetatable({}, "
        "{ __close = function() say('closed') end }) task.sleep(60)\n"
        "say('never') end)\n task.sleep(0.01) task.cancel(h)\n"
        "task.cancel(h) local ok, err = pcall(task.join, h)\n"
        "return tostring(ok) .. ' ' .. err.kind",
        "false cancelled | closed"),
    "an await in a close variable fails at cancel": (
        "local h = task.spawn(function() local c <close> = setmetatable({}, "
        "{ __close = function() local ok, err = pcall(task.sleep, 1)\n"
        "say(err.kind) end }) task.sleep(60) end)\n"
        "task.sleep(0.01) h:cancel() task.sleep(0.01) return 'x'",
        "x | misuse"),
    "an await in a close variable works when its block ends": (
        "do local c <close> = setmetatable({}, { __close = function()\n"
        "say(later(0.01, 'closed')) end }) end return 'x'",
        "x | closed"),
    "await in __gc": (
        "setmetatable({}, { __gc = function() local _, err = pcall("
        "task.sleep, 1)\n say(err.kind) end })\n"
        "while not trail[1] do local t = { {} } end return 'x'",
        "x | misuse"),
    "timeout raises a catchable error": (
        "local ok, err = pcall(timeout, '20ms', task.sleep, 60)\n"
        "return err.kind .. ' ' .. err.message",
        "timeout not done within 20ms | "),
    "timeout passes results and errors through": (
        "local a, b = timeout(5, later, 0.01, 1, 2)\n"
        "local ok, err = pcall(timeout, 5, error, 'own')\n"
        "return a + b .. ' ' .. err.message",
        "3 own | "),
    "a grandchild ends with its parent": (
        "local h = task.spawn(function() task.spawn(function() later(0.05)\n"
        "say('never') end) later(0.01) say('child') end)\n"
        "h:join() task.sleep(0.1) return 'x'",
        "x | child"),
    "await in a coroutine of one's own": (
        "local co = coroutine.wrap(function() task.sleep(1) end) co()",
        "raised misuse: cannot wait inside a coroutine of your own: call "
        "this from the handler itself | "),
    "await in a gsub callback": (
        "return (('x'):gsub('x', function() task.sleep(1) end))",
        "raised misuse: cannot wait inside a callback of gsub, sort, require "
        "or a metamethod: collect the values first, then wait | "),
    "await in a sort callback": (
        "table.sort({ 2, 1 }, function() task.sleep(1) end)",
        "raised misuse: cannot wait inside a callback of gsub, sort, require "
        "or a metamethod: collect the values first, then wait | "),
    "yield in the handler itself is misuse": (
        "local ok, err = pcall(task.join, task.spawn(coroutine.yield))\n"
        "return err.kind",
        "misuse | "),
    "arguments are checked with the caller's line": (
        "local ok, err = pcall(task.sleep, 'soon')\n"
        "return err.kind .. ' ' .. err.line",
        "misuse 15 | "),
    "a list that is none": (
        "return task.all(5)",
        "raised misuse: task.all takes a list of functions | "),
    "join takes a limit and leaves the task running": (
        "local h = task.spawn(later, 0.2, 'late')\n"
        "local ok, err = pcall(h.join, h, '10ms')\n"
        "return err.kind .. ' ' .. h:join(5)",
        "timeout late | "),
    "an empty race": (
        "return task.race{}",
        "raised misuse: task.race needs at least one function | "),
    "coroutines of one's own stay generators": (
        "local sum = 0\n for v in coroutine.wrap(function() for i = 1, 4 do "
        "coroutine.yield(i) end end) do sum = sum + v end return sum",
        "10 | "),
}


@pytest.mark.parametrize("name", CASES)
def test_rule(sim, engine, name):
    body, expected = CASES[name]
    engine(BOT % body).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/run")
    assert sim.wait_call("sendMessage")["params"]["text"] == expected


def test_error_of_a_child_that_nobody_joined_is_logged(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("run", function(ctx)
  task.spawn(function() error("lost") end)
  task.sleep(0.01)
  ctx:reply("done")
end)
""").start()
    sim.send(sim.user("Ann")["id"], "/run")
    sim.wait_call("sendMessage")
    row = bot.wait_event("task.error")
    assert (row["script"], row["line"], row["message"]) == (
        "main.lua", 5, "lost")


def test_detached_task_outlives_its_handler(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("run", function(ctx)
  task.detach(function(text) task.sleep(0.1); ctx:reply(text) end, "later")
  ctx:reply("now")
end)
""").start()
    sim.send(sim.user("Ann")["id"], "/run")
    texts = [c["params"]["text"] for c in
             sim.events.wait_count("call", 2,
                                   lambda c: c["method"] == "sendMessage")]
    assert texts == ["now", "later"]
    bot.stop()
