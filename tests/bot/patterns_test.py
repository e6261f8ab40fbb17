"""No text of a user hangs the engine through a pattern: registrations, the
string library and moonlet.re are bounded, and dangerous patterns are told of
when scripts load."""
import subprocess

import harness

WILD = "^(.-) (.-) (.-)$x"  # 37 s on LONG if nobody bounds it
LONG = ("a b " * 1024)[:-1] + "b"  # no blank that Telegram takes off


def reply_to(sim, user, text):
    """Sends a text and returns the text of the next message to that chat."""
    calls = sim.calls()
    last = calls[-1]["n"] if calls else 0
    sim.send(user, text)
    call = sim.wait_call("sendMessage", lambda c: c["n"] > last
                         and c["chat_id"] == user)
    return call["params"]["text"]


def test_a_wild_pattern_ends_its_own_update_alone(sim, engine):
    bot = engine(f"""
local bot = require "moonlet.bot"
local log = require "moonlet.log"
bot.catch(function(_, e)
  log.info("caught", {{ kind = e.kind, at = e.script .. ":" .. e.line }})
end)
bot.use(function(_, next)
  next()
end)
bot.hears("^hello (%a+)$", function(ctx, name) ctx:reply("hi " .. name) end)
bot.hears("{WILD}", function(ctx) ctx:reply("never") end)
bot.hears(":)", function(ctx) ctx:reply("a smile") end) -- no capture's end
bot.on("message:text", function(ctx) ctx:reply("other") end)
""").start()
    others = [sim.user(f"User{i}")["id"] for i in range(20)]
    mallory = sim.user("Mallory")["id"]
    for user in others:
        sim.send(user, "hello you")
        sim.send(mallory, LONG)
    sim.events.wait_count("call", 20, lambda c: c["method"] == "sendMessage"
                          and c["params"]["text"] == "hi you")
    row = bot.wait_event("handler.error", kind="limit")
    assert (row["script"], row["line"]) == ("main.lua", 11)
    assert WILD in row["message"] and "4096 bytes" in row["message"]
    assert "moonlet.re" in row["message"]
    bot.wait_event("caught", kind="limit", at="main.lua:11")
    # A short text of the same person finds the registrations behind it.
    assert reply_to(sim, mallory, "short") == "other"
    assert reply_to(sim, mallory, "short :)") == "a smile"
    assert bot.stop().count('"event":"handler.error"') == 20
    assert all(c["params"]["text"] != "never"
               for c in sim.calls("sendMessage"))


def test_bombs_in_a_handler_raise_at_its_line(sim, engine):
    bot = engine(f"""
local bot = require "moonlet.bot"
local bombs = {{
  find = function(s) return s:find("{WILD}") end,
  match = function(s) return s:match("a*.*a*.*a*x") end,
  gsub = function(s) return s:gsub(".-.-.-x", "") end,
  gmatch = function(s) for _ in s:gmatch("%s*.-%s*x") do return end end,
}}
bot.on("message:text", function(ctx)
  local name, text = ctx.message.text:match("^(%w+) (.*)$")
  local ok, e = pcall(bombs[name], text)
  ctx:reply(ok and "fine" or e.kind .. " " .. e.script .. ":" .. e.line)
end)
""").start()
    ann = sim.user("Ann")["id"]
    text = LONG[:4000]
    for line, name in enumerate(("find", "match", "gsub", "gmatch"), 4):
        assert reply_to(sim, ann, f"{name} {text}") == (
            f"limit main.lua:{line}")
        assert reply_to(sim, ann, f"{name} short text") == "fine"
    bot.stop()


def test_hears_and_callback_take_a_re(sim, engine):
    bot = engine(r"""
local bot = require "moonlet.bot"
local re = require "moonlet.re"
local order = re.new([[^(tea|milk)(?: for (\d+))?$]], "i")
bot.hears(order, function(ctx, what, n)
  ctx:reply(what .. " " .. tostring(n))
end)
bot.hears(re.new([[^(?:a b |a b a b )+[xy]$]]), function(ctx)
  ctx:reply("never")
end)
bot.on("message:text", function(ctx)
  ctx:reply("pick", { reply_markup = { inline_keyboard = { {
    { text = "go", callback_data = "page:7:up" } } } } })
end)
bot.callback(re.new([[^page:(\d+):(?:up|down)$]]), function(ctx, n)
  ctx:reply("page " .. n)
end)
""").start()
    ann = sim.user("Ann")["id"]
    assert reply_to(sim, ann, "Milk for 2") == "Milk 2"
    assert reply_to(sim, ann, "TEA") == "TEA false"
    assert reply_to(sim, ann, "teapot") == "pick"
    sim.sim("POST", "/sim/click", {"from": ann, "chat": ann, "text": "go"})
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "page 7")
    sim.send(ann, LONG)
    row = bot.wait_event("handler.error", kind="limit")
    assert (row["script"], row["line"]) == ("main.lua", 8)
    assert reply_to(sim, ann, "still there?") == "pick"


def check(folder, text):
    folder.mkdir()
    (folder / "main.lua").write_text(text)
    return subprocess.run(
        [harness.binary(), "check", str(folder)], text=True,
        env=harness.clean_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)


def test_check_warns_of_dangerous_patterns_once(tmp_path):
    done = check(tmp_path / "wild", f"""
local bot = require "moonlet.bot"
bot.hears("^order (%d+)$", print)
bot.hears("^%s*(.-)%s*$", print)
bot.hears("{WILD}", print)
bot.callback("^(.*)%.(.*)%.(.*)!$", print)
""")
    assert done.returncode == 0, done
    lines = [line for line in done.stderr.splitlines() if "pattern" in line]
    assert len(lines) == 2, done.stderr
    assert "main.lua:5: bot.hears: the pattern" in lines[0]
    assert WILD in lines[0] and "moonlet.re" in lines[0]
    assert "main.lua:6: bot.callback" in lines[1]


def test_check_refuses_malformed_patterns(tmp_path):
    for at, (pattern, why) in enumerate((
            ('"x["', "bot.hears: malformed pattern (missing ']')"),
            ('"(a"', "bot.hears: unfinished capture"),
            ("12", "bot.hears needs a Lua pattern or a re, got number"),
            ('require("moonlet.re").new("a)")', "unmatched closing"))):
        done = check(tmp_path / str(at), f"""
local bot = require "moonlet.bot"
bot.hears({pattern}, print)
""")
        assert done.returncode == 1, done
        assert "main.lua:3" in done.stderr and why in done.stderr
