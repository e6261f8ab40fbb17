"""What `moonlet check` finds in scripts that load, and that it is silent
about what is right or may be right."""
import socket

import pytest

from cli.commands_test import command, write_bot
from laws import tree

HEAD = """local bot = require "moonlet.bot"
local api = require "moonlet.api"
local fs = require "moonlet.fs"
local i18n = require "moonlet.i18n"
local keyboard = require "moonlet.keyboard"
"""
HANDLER = 'bot.command("x", function(ctx)\n%s\nend)\n'
LINE = HEAD.count("\n") + 2 # of what stands in HANDLER


def check(tmp_path, script, *args, **files):
    """The findings, and the result."""
    bot = write_bot(tmp_path / "bot", script)
    for name, text in files.items():
        path = bot / name.replace("__", "/").replace("_lua", ".lua")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    done = command("check", *args, bot, cwd=tmp_path)
    return [line for line in done.stdout.split("\n")
            if line and not line.startswith("configuration")], done


@pytest.mark.parametrize("code, column, text", [
    ("ctx.api.sendMesage { chat_id = 1, text = 'x' }", 9,
     'there is no Bot API method "sendMesage": did you mean sendMessage?'),
    ("pcall(api.getmee)", 11,
     'there is no Bot API method "getmee": did you mean getMe?'),
    ("ctx.api.sendMessage { chat_id = 1, txt = 'x' }", 36,
     'sendMessage has no parameter "txt": did you mean text?'),
    ("api.sendMessage { chat_id = 1 }", 5, "sendMessage needs text"),
    ("api.sendPhoto {}", 5, "sendPhoto needs chat_id and photo"),
    ("pcall(api.deleteMessage, { chat_id = 1 })", 11,
     "deleteMessage needs message_id"),
    ("local send = ctx.api.sendMessage send { chat_id = 1 }", 22,
     "sendMessage needs text"),
    ("ctx:reply('a', { quote = true, parse_mod = 'HTML' })", 32,
     'ctx:reply: sendMessage has no parameter "parse_mod": did you mean '
     "parse_mode?"),
    ("fs.raed('a')", 4, 'fs has no "raed"; did you mean "read"?'),
    ("return bot.comand", 12, 'bot has no "comand"; did you mean "command"?'),
    ("return bot.cron", 12, "not built yet: bot.cron"),
    ('require "moonlet.tsk"', 9,
     'moonlet has no module "moonlet.tsk"; did you mean "moonlet.task"?'),
    ('require "moonlet.db"', 9, "not built yet: moonlet.db"),
    ('ctx:repyl "x"', 5, 'ctx has no method "repyl"; did you mean "reply"?'),
    ('ctx:ask "x"', 5, "not built yet: ctx:ask"),
    ("local total = 1 return totl", 24,
     'nothing sets the global "totl"; did you mean "total"?'),
    ("do local id = 1 end return id", 28, 'nothing sets the global "id"; '
     "the local of this name does not reach here"),
    ("io.open 'x'", 1, "scripts have no io: files are for moonlet.fs"),
    ("return os.execute", 11, 'os has no "execute"'),
    ("return ('x'), string.trimm", 22, 'string has no "trimm"'),
])
def test_an_error_has_its_place_and_what_was_meant(tmp_path, code, column,
                                                   text):
    found, done = check(tmp_path, HEAD + HANDLER % code)
    assert found == [f"main.lua:{LINE}:{column}: {text}"]
    assert done.returncode == 1
    assert done.stderr.startswith("moonlet: 1 error, 0 warnings (")


@pytest.mark.parametrize("code", [
    "local key = 'a' ctx.api.sendMessage { [key] = 1, text = 'x' }",
    "api.sendMessage({ chat = 1 }, { unchecked = true })",
    "api.newMethod({}, { unchecked = true })",
    "local options = {} api.sendMessage({ chat = 1 }, options)",
    "local api = { nope = print } api.nope {}",
    "local fs = { raed = print } fs.raed()",
    "local function f(ctx) ctx:draw() end f { draw = print }",
    "function ctx:greet() end ctx:greet()",
    "function ctx.reply() end ctx:reply('a', { nope = 1 })",
    "ctx:reply('a', { on_unknown = 'skip', timeout = '5s' })",
    "ctx:edit('a', { sparkle = 1, unchecked = true })",
    "ctx.state = {} ctx.state.x = 1 return ctx.state.y",
    "local t = {} t.x, t['y z'] = 1, 2 goto done ::done:: return #t .. [[x]]",
    "for i = 1, 2 do local _ = i end for k, v in pairs {} do print(k, v) end",
    "repeat local x = 1 until x == 1 while false do end",
    "local x <const>, y <close> = 1, nil return x, y, 0x1p-3, 1e-5, 3 // 2",
    "local function f(...) return ... end return f'x', f{}, f[==[y]==]",
    "return _VERSION, utf8.char(1), math.pi, require 'cjson'",
    'return require "moonlet.config"',
])
def test_what_is_right_or_may_be_right_is_no_finding(tmp_path, code):
    found, done = check(tmp_path, HEAD + HANDLER % code,
                        config_lua="return { app = { a = env 'HOME' } }\n")
    assert (found, done.returncode, done.stderr) == ([], 0, "")


def test_columns_count_characters(tmp_path):
    found, _ = check(tmp_path, 'local x = "äöü", nowhere\n'
                     'require "moonlet.bot".on("message", function() return x '
                     'end)\n')
    assert found == ['main.lua:1:18: nothing sets the global "nowhere"']


def test_globals_are_a_warning_unless_strict(tmp_path):
    script = HEAD + "count = 1\nbot.on('message', function() print(count) end)"
    found, done = check(tmp_path, script)
    assert found == [
        f'main.lua:{LINE - 1}:1: warning: "count" becomes a global, which is '
        "read-only once the scripts have loaded; write local before it"]
    assert done.returncode == 0 and done.stdout.endswith(", 1 warning\n")
    found, done = check(tmp_path, script, "--strict")
    assert len(found) == 1 and done.returncode == 1
    assert "0 errors, 1 warning (" in done.stderr
    assert check(tmp_path, script + " _G.x = 1")[0] == []


def test_files_that_nothing_requires_are_read_too(tmp_path):
    found, done = check(
        tmp_path, HEAD, parts__later_lua="local x = 1\n  x = = 2\n",
        parts__other_lua='local fs = require "moonlet.fs"\nfs.opne()\n',
        types__x_lua="---@meta\nlocal = \n", x_spec_lua="local t = "
        'require "moonlet.test"\nt.case("x", function(t) t.y() end)\n')
    assert found == [
        "parts/later.lua:2:3: unexpected symbol near '='",
        'parts/other.lua:2:4: fs has no "opne"']
    assert done.returncode == 1


@pytest.mark.parametrize("folder", sorted(
    str(path.parent.relative_to(tree.ROOT))
    for path in (tree.ROOT / "scripts").rglob("main.lua")))
def test_the_bots_that_come_with_it_are_fine(folder):
    done = command("check", "--strict", tree.ROOT / folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_bot_that_handles_nothing_is_told(tmp_path):
    found, done = check(tmp_path, "print 'x'", "--strict")
    assert len(found) == 1 and found[0].startswith(
        "main.lua:1:1: warning: no script requires moonlet.bot")
    assert done.returncode == 1


LOCALES = {
    "locales__en_lua":
        'return { hello = "Hello, {name}",\n  menu = { title = "Menu" } }\n',
    "locales__de_lua": 'return {\n  hello = "Hallo" }\n',
}


MACHINES = HEAD + """bot.fsm("order", { initial = "cart", states = {
  cart = { on = { checkout = "paid" } }, paid = { on = { again = "cart" } } } })
"""


def test_machines_and_events_that_nothing_declares(tmp_path):
    found, done = check(tmp_path, MACHINES + HANDLER %
                        """ctx:fsm("ordr"):fire("checkout")
ctx:fsm("order"):fire("chekout")
local order = ctx:fsm "order"
if order:can("agian") then order:fire("again", 1) end
local name = "x" ctx:fsm(name):fire("x") ctx:fsm("order"):fire(name)""")
    line = MACHINES.count("\n") + 2
    assert found == [
        f'main.lua:{line}:9: no bot.fsm declares "ordr"; did you mean '
        '"order"?',
        f'main.lua:{line + 1}:23: no state of "order" takes the event '
        '"chekout"; did you mean "checkout"?',
        f'main.lua:{line + 3}:14: no state of "order" takes the event '
        '"agian"; did you mean "again"?']
    assert done.returncode == 1
    found, done = check(tmp_path, HEAD + "function ctx_fsm() end\n" + HANDLER %
                        "function ctx:fsm() end ctx:fsm('none'):fire('x')")
    assert done.returncode == 0


def test_texts_that_are_missing(tmp_path):
    found, done = check(
        tmp_path, HEAD + HANDLER %
        'ctx:t "menu.titel" ctx:t("hello", {}) i18n.t("en", "no") '
        'i18n.t "hello" i18n.t("nein", {}) i18n.said "hallo"', **LOCALES)
    assert found == [
        'locales/de.lua:1:1: warning: the text "menu.title" is missing',
        'locales/de.lua:2:3: warning: the text "hello" does not use {name}',
        f'main.lua:{LINE}:7: no language has the text "menu.titel"; did you '
        'mean "menu.title"?',
        f'main.lua:{LINE}:52: no language has the text "no"',
        f'main.lua:{LINE}:80: no language has the text "nein"',
        f'main.lua:{LINE}:102: no language has the text "hallo"; did you mean '
        '"hello"?']
    assert "4 errors, 2 warnings" in done.stderr


BUTTONS = """
bot.callback("^page:%d+$", function() end)
local rows = { inline_keyboard = { { { text = "a", callback_data = "page:1" },
  { text = "b", callback_data = "pag:1" } } } }
local made = keyboard.inline { { { "c", "page:2" }, { "d", "d:1" } } }
made:row():text("e", "e"):text("f", "page:3")
bot.on("message", function(ctx) ctx:reply(rows, made, "page:" .. 1) end)
"""


def test_data_of_buttons_that_no_handler_takes(tmp_path):
    found, done = check(tmp_path, HEAD + BUTTONS)
    first = LINE - 1
    assert found == [
        f'main.lua:{first + 3}:33: warning: no bot.callback fits the data '
        '"pag:1"',
        f'main.lua:{first + 4}:60: warning: no bot.callback fits the data '
        '"d:1"',
        f'main.lua:{first + 5}:22: warning: no bot.callback fits the data '
        '"e"']
    assert done.returncode == 0
    for more in ('bot.on("callback_query", function() end)',
                 "bot.use(function(ctx) print(ctx.callback_query.data) end)"):
        assert check(tmp_path, HEAD + BUTTONS + more)[0] == []


def test_connect_tells_whose_the_token_is(tmp_path, sim):
    bot = write_bot(tmp_path)
    url = f"http://127.0.0.1:{sim.port}"
    done = command("check", "--connect", bot, BOT_TOKEN="7:SEVEN",
                   BOT_API_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Telegram at {url} knows the bot @" in done.stdout


def test_connect_tells_why_not(tmp_path, sim):
    bot = write_bot(tmp_path)
    done = command("check", "--connect", bot)
    assert done.returncode == 1 and "needs BOT_TOKEN" in done.stderr
    done = command("check", "--connect", bot, BOT_TOKEN="no-token",
                   BOT_API_URL=f"http://127.0.0.1:{sim.port}")
    assert done.returncode == 1
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % nobody.getsockname()[1]
        done = command("check", "--connect", bot, BOT_TOKEN="7:SEVEN",
                       BOT_API_URL=url, MAX_RETRIES="0")
    assert done.returncode == 1
    assert f"moonlet: Telegram at {url}: " in done.stderr
    assert "SEVEN" not in done.stderr + done.stdout
