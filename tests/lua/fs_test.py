"""moonlet.fs inside a real bot: each function, its errors with the caller's
line, and what happens with many calls at once, limits, cancels and kill -9.

A case is a Lua function body that returns a text; the handler replies with
it, or with the error that it raised: "raised KIND CODE LINE: MESSAGE", where
the first line of the body is line 1.
"""
import os
import time

import pytest

BOT = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"
local function shown(rows)
  for i, row in ipairs(rows) do
    rows[i] = row.name .. " " .. row.type .. " " .. row.size
  end
  return table.concat(rows, ", ")
end
bot.command("run", function(ctx)
  local ok, result = pcall(function()
%s
  end)
  if not ok then
    result = ("raised %%s %%s %%s: %%s"):format(result.kind, result.code,
      result.line and result.line - 12, tostring(result):match(": (.*)"))
  end
  ctx:reply(tostring(result))
end)
"""

CASES = {
    "a text comes back as it was written": (
        "local text = 'a\\0b\\r\\n\\xff'\n"
        "fs.write('x/y/t', text) fs.write('empty', '')\n"
        "return tostring(fs.read('x/y/t') == text and fs.read('empty') == '')",
        "true"),
    "write replaces the whole file": (
        "fs.write('t', 'a long text') fs.write('t', 12) return fs.read('t')",
        "12"),
    "append adds and makes what is missing": (
        "fs.append('log/t', 'a') fs.append('log/t', 'b')\n"
        "return fs.read('log/t')",
        "ab"),
    "read is bounded by max": (
        "fs.write('t', 'four')\nlocal text = fs.read('t', { max = 4 })\n"
        "return text .. fs.read('t', { max = 3 })",
        "raised limit nil 3: fs.read: t: larger than 3 bytes"),
    "read takes 16 MiB and no more": (
        "local most = ('x'):rep(16 << 20)\n"
        "fs.write('t', most) assert(fs.read('t') == most)\n"
        "fs.append('t', 'x') fs.read('t')",
        "raised limit nil 3: fs.read: t: larger than 16777216 bytes"),
    "list is sorted and tells type and size": (
        "fs.write('b', 'four') fs.write('a/x', '1') fs.mkdir('c')\n"
        "return shown(fs.list()) .. '; ' .. shown(fs.list('a'))\n"
        ".. '; ' .. shown(fs.list('c'))",
        "a folder 0, b file 4, c folder 0; x file 1; "),
    "stat tells the time of change": (
        "local before = os.time() fs.write('a/t', 'four')\n"
        "local s = fs.stat('a/t')\n"
        "assert(s.modified >= before - 2 and s.modified <= os.time() + 2)\n"
        "assert(math.type(s.modified) == 'integer')\n"
        "return shown({ s, fs.stat('a') }) .. tostring(fs.stat('b'))\n"
        ".. tostring(fs.stat('a/t/x'))",
        "t file 4, a folder 0nilnil"),
    "remove takes files and empty folders": (
        "fs.write('a/t', '') fs.remove('a/t') fs.remove('a')\n"
        "assert(#fs.list() == 0) fs.write('a/t', '')\nfs.remove('a')",
        "raised fs 39 3: fs.remove: a: Directory not empty"),
    "rename moves, makes folders and replaces": (
        "fs.write('a', 'new') fs.write('x/b', 'old')\n"
        "fs.rename('a', 'x/b') fs.rename('x', 'y/z')\n"
        "return fs.read('y/z/b') .. ' ' .. shown(fs.list())",
        "new y folder 0"),
    "mkdir makes parents and is content with what exists": (
        "fs.mkdir('a/b/c') fs.mkdir('a/b') fs.write('a/t', '')\n"
        "return shown(fs.list('a'))",
        "b folder 0, t file 0"),
    "functions return nothing where nothing is said": (
        "return select('#', fs.write('a', '')) + select('#', fs.mkdir('b'))\n"
        "+ select('#', fs.rename('a', 'c')) + select('#', fs.remove('c'))\n"
        "+ select('#', fs.append('d', ''))",
        "0"),
    "a file that is not there": (
        "\n\nfs.read('a/b')",
        "raised fs 2 3: fs.read: a/b: No such file or directory"),
    "a folder is no file": (
        "fs.mkdir('a')\nfs.read('a')",
        "raised fs 21 2: fs.read: a: Is a directory"),
    "a list of a file": (
        "fs.write('a', '')\nfs.list('a')",
        "raised fs 20 2: fs.list: a: Not a directory"),
    "an error names the outcome in a task of its own": (
        "local h = task.spawn(function()\nfs.remove('gone') end) h:join()",
        "raised fs 2 2: fs.remove: gone: No such file or directory"),
    "paths stay below": (
        "local n = 0\nfor _, path in ipairs{ '', '/etc/passwd', '..', '../x',\n"
        "'a/../../x', 'a/./../../x', './a', 'a//b', 'a/', 'a\\0b',\n"
        "('x'):rep(1001), '.moonlet', '.moonlet/0' } do\n"
        "for _, name in ipairs{ 'read', 'write', 'append', 'list', 'stat',\n"
        "'remove', 'rename', 'mkdir' } do\n"
        "local ok, err = pcall(fs[name], path, 'x')\n"
        "n = n + (not ok and err.kind == 'misuse' and 1 or 0)\n"
        "end end return n .. shown(fs.list())",
        "104"),
    "a path that leads up": (
        "\nfs.write('../x', '')",
        'raised misuse nil 2: fs.write: the path must not hold "." or ".."'),
    "the target of rename is a path too": (
        "fs.rename('a', '../x')",
        'raised misuse nil 1: fs.rename: the path must not hold "." or ".."'),
    "a path that is no text": (
        "fs.read(12)",
        "raised misuse nil 1: fs.read: the path must be a text, got number"),
    "a text that is none": (
        "fs.write('a', {})",
        "raised misuse nil 1: fs.write: what to write must be a text, got "
        "table"),
    "an option that is not known": (
        "fs.write('a', '', { max = 1 })",
        'raised misuse nil 1: fs.write has no option "max"'),
    "a max that is no number of bytes": (
        "fs.read('a', { max = 1 << 40 })",
        "raised misuse nil 1: fs.read: max must be a number of bytes from 1 "
        "to 268435456"),
    "options that are no table": (
        "fs.list('a', 5)",
        "raised misuse nil 1: fs.list: the options must be a table, got "
        "number"),
    "a function that is not there": (
        "fs.open('a')",
        'raised misuse nil 1: fs has no function "open"'),
    "an await where none is possible": (
        "return (('x'):gsub('x', function() fs.read('a') end))",
        "raised misuse nil 1: cannot wait inside a callback of gsub, sort, "
        "require or a metamethod: collect the values first, then wait"),
    "a hundred writers leave one whole text": (
        "for i = 1, 100 do task.spawn(fs.write, 'a',\n"
        "string.char(32 + i % 90):rep(100000)) end\n"
        "while not fs.stat('a') do end\n"
        "local text = fs.read('a')\n"
        "assert(text == text:sub(1, 1):rep(100000))\n"
        "return #fs.list()",
        "1"),
    "appends of many tasks lose nothing": (
        "local jobs = {}\n"
        "for i = 1, 50 do\n"
        "jobs[i] = function() fs.append('a', ('%02d;'):format(i)) end end\n"
        "task.all(jobs)\nlocal seen, n = {}, 0\n"
        "for id in fs.read('a'):gmatch('(%d%d);') do\n"
        "n = n + (seen[id] and 0 or 1) seen[id] = true end return n",
        "50"),
    "a thousand wait, the next is refused": (
        "fs.write('a', 'x')\nlocal handles, ok, kinds = {}, 0, {}\n"
        "for i = 1, 1003 do handles[i] = task.spawn(fs.read, 'a') end\n"
        "for _, h in ipairs(handles) do\n"
        "local fine, err = pcall(h.join, h)\n"
        "if fine then ok = ok + 1 else kinds[#kinds + 1] = err.kind end end\n"
        "return ok .. ' ' .. table.concat(kinds, ' ') .. ' ' .. fs.read('a')",
        "1002 limit x"),
    "a call that waits behind others times out": (
        "local text = ('x'):rep(1 << 20)\n"
        "local handles, begun = {}, 0\n"
        "for i = 1, 40 do handles[i] = task.spawn(function()\n"
        "begun = begun + 1 fs.write('a' .. i, text) end) end\n"
        "while begun < 40 do task.sleep(0) end\n"
        "local ok, err = pcall(fs.write, 'late', 'x', { timeout = '1ms' })\n"
        "for _, h in ipairs(handles) do h:join() end\n"
        "return err.kind .. ' ' .. tostring(err.retryable) .. ' '\n"
        ".. tostring(fs.stat('late'))",
        "timeout true nil"),
}


@pytest.mark.parametrize("name", CASES)
def test_rule(sim, engine, name):
    body, expected = CASES[name]
    engine(BOT % body).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/run")
    assert sim.wait_call("sendMessage")["params"]["text"] == expected


def test_files_are_private_and_only_below_the_data_folder(sim, engine):
    bot = engine(BOT % "fs.write('a/b', 'x') return 'done'").start()
    files = bot.folder / "data" / "files"
    assert not files.exists()
    sim.send(sim.user("Ann")["id"], "/run")
    sim.wait_call("sendMessage")
    assert (files / "a" / "b").read_text() == "x"
    assert files.stat().st_mode & 0o777 == 0o700
    assert (files / "a" / "b").stat().st_mode & 0o777 == 0o600


def test_a_link_does_not_lead_out(sim, engine):
    bot = engine(BOT % """
  local told = {}
  for _, path in ipairs{ "link", "dir/secret" } do
    local ok, err = pcall(fs.read, path)
    told[#told + 1] = err.kind .. " " .. err.message
    told[#told + 1] = tostring(pcall(fs.append, path, "x"))
  end
  told[#told + 1] = tostring(pcall(fs.write, "dir/new", "x"))
  return table.concat(told, ", ")
""").start()
    files = bot.folder / "data" / "files"
    outside = bot.folder / "outside"
    files.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (files / "link").symlink_to(outside / "secret")
    (files / "dir").symlink_to(outside)
    sim.send(sim.user("Ann")["id"], "/run")
    assert sim.wait_call("sendMessage")["params"]["text"] == (
        "fs link: symbolic links are not followed, false, "
        "fs dir/secret: symbolic links are not followed, false, false")
    assert os.listdir(outside) == ["secret"]
    assert (outside / "secret").read_text() == "secret"


def test_loading_cannot_wait_for_a_file(engine):
    bot = engine('local fs = require "moonlet.fs"\nfs.read("a")\n')
    bot.start(wait=False)
    line = bot.process.wait_line("cannot wait while a script loads")
    assert "main.lua:2" in line
    assert bot.process.wait() == 1


SLOW = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local writing, during = false, 0
bot.command("write", function(ctx)
  local text = ("x"):rep(10 << 20)
  repeat
    writing = true
    fs.write("big", text)
    writing = false
  until during >= 5
  ctx:reply("written")
end)
bot.command("ping", function(ctx)
  if writing then during = during + 1 end
  ctx:reply("pong")
end)
"""


def test_others_are_answered_while_a_large_file_is_written(sim, engine):
    """The writer ends only when five others ran during a write."""
    engine(SLOW).start()
    writer, other = sim.user("Writer")["id"], sim.user("Other")["id"]
    sim.send(writer, "/write")
    pongs = 0
    while not any(c["chat_id"] == writer for c in sim.calls("sendMessage")):
        sim.send(other, "/ping")
        pongs += 1
        sim.events.wait_count(
            "call", pongs, lambda c: c["method"] == "sendMessage"
            and c["chat_id"] == other)
    assert pongs >= 5


CANCEL = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
bot.command("run", function(ctx)
  fs.write("a", "old")
  local text = ("x"):rep(32 << 20)
  local ok, err = pcall(fs.write, "a", text, { timeout = "1ms" })
  ctx:reply(err.kind .. " " .. err.line)
end)
bot.command("look", function(ctx)
  for _ = 1, 2 do fs.write("b", "y") end
  ctx:reply(fs.stat("a").size .. " " .. #fs.list())
end)
"""


def test_a_write_that_timed_out_leaves_a_whole_text(sim, engine):
    """The pool goes on with it; nothing of it is left lying about."""
    bot = engine(CANCEL, HANDLER_CPU_LIMIT="20s").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/run")
    call = sim.wait_call("sendMessage")
    assert call["params"]["text"] == "timeout 7"
    sim.send(ann, "/look")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] in (
        "3 2", f"{32 << 20} 2"))
    bot.stop()
    assert os.listdir(bot.folder / "data" / "files" / ".moonlet") == []


KILLED = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
bot.command("write", function(ctx)
  if ctx.update.redelivered then return end
  for i = 0, math.huge do
    fs.write("a", string.char(97 + i % 26):rep(8 << 20))
  end
end)
bot.command("look", function(ctx)
  local text = fs.read("a")
  local whole = #text == 8 << 20 and text == text:sub(1, 1):rep(8 << 20)
  ctx:reply(tostring(whole) .. " " .. #fs.list())
end)
"""


def wait_until(test, limit=30.0):
    """For what only the file system tells; the processor is left to others."""
    deadline = time.monotonic() + limit
    while not test():
        assert time.monotonic() < deadline
        os.sched_yield()


def unfinished(files):
    """What marks each file that is, or was left, half written."""
    try:
        stats = [e.stat() for e in os.scandir(files / ".moonlet")]
    except FileNotFoundError:
        return set()
    return {(s.st_ino, s.st_mtime_ns) for s in stats if 0 < s.st_size < 8 << 20}


def test_kill_during_a_write_leaves_a_whole_file(sim, engine):
    bot = engine(KILLED)
    ann = sim.user("Ann")["id"]
    files = bot.folder / "data" / "files"
    cut = 0
    for _ in range(50):
        left = unfinished(files)
        bot.start()
        sim.send(ann, "/write")
        wait_until(lambda: (files / "a").exists() and unfinished(files) - left)
        bot.kill()
        text = (files / "a").read_bytes()
        assert len(text) == 8 << 20
        assert text == text[:1] * len(text)
        cut += bool(unfinished(files) - left)
        if cut == 3:
            break
    assert cut == 3
    bot.start()
    sim.send(ann, "/look")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "true 1")
