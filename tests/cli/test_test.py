"""`moonlet test` as a bot author uses it: what it finds, prints and returns,
and that one seed gives one history."""
import os
import re
import shlex
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import harness

BOT = """
local bot = require "moonlet.bot"
local api = require "moonlet.api"
bot.command("start", function(ctx) ctx:reply("Hi, " .. ctx.from.first_name) end)
bot.hears("^never", function() end)
bot.command("fail", function(ctx)
  return ctx.nothing.here
end)
"""

SPEC = """
local t = require "moonlet.test"
t.case("greets", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Hi, Ann")
end)
"""

FAILING = """
local t = require "moonlet.test"
t.case("greets Bob", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:send("/fail")
  ann:expect("Hi, Bob")
end)
"""


def run(*args, cwd, env=None):
    """Exit code and output."""
    done = subprocess.run(
        [harness.binary(), "test", *map(str, args)], cwd=cwd,
        env=harness.clean_environment(env), capture_output=True, text=True,
        errors="replace", timeout=harness.LIMIT * 3)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    """A project with a bot and one spec that passes."""
    write(tmp_path, "bot/main.lua", BOT)
    write(tmp_path, "bot/greet_spec.lua", SPEC)
    return tmp_path


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def last_line(output):
    return output.rstrip("\n").rsplit("\n", 1)[-1]


@pytest.mark.parametrize("source", [(), ("--webhook",)], ids=["polling",
                                                              "webhook"])
def test_the_specs_of_the_world_and_of_handlers(source):
    code, output = run(*source, "tests/world", "tests/bot", cwd=harness.ROOT)
    assert code == 0, output
    passed, failed = re.match(r"(\d+) passed, (\d+) failed",
                              last_line(output)).groups()
    assert int(passed) >= 30 and failed == "0"


@pytest.mark.parametrize("source", [(), ("--webhook",)], ids=["polling",
                                                              "webhook"])
def test_the_reference_bots_specs(source):
    code, output = run(*source, "scripts/bot", cwd=harness.ROOT)
    assert code == 0, output
    assert int(last_line(output).split()[0]) >= 15
    assert "never:" not in output


EXAMPLES = harness.ROOT / "scripts/examples"


@pytest.mark.parametrize("source", [
    (), ("--webhook",), ("--seed", "2"), ("--seed", "3", "--webhook")],
    ids=["polling", "webhook", "another order", "another webhook"])
def test_the_specs_of_the_examples(source):
    code, output = run(*source, "scripts/examples", cwd=harness.ROOT)
    assert code == 0, output
    assert "never:" not in output
    assert int(last_line(output).split()[0]) >= 30


def test_the_examples_are_small_and_loadable():
    bots = sorted(EXAMPLES.glob("*/main.lua"))
    assert len(bots) == 8
    readme = (harness.ROOT / "README.md").read_text()
    for bot in bots:
        assert bot.read_text().count("\n") < 80, bot
        assert f"[{bot.parent.name}](scripts/examples/{bot.parent.name}/" in (
            readme), bot
        done = subprocess.run(
            [harness.binary(), "check", "--strict", bot.parent],
            capture_output=True, text=True, timeout=harness.LIMIT,
            env=harness.clean_environment(), check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def log_of(folder, name, seed):
    """The log of all specs of the world with that seed."""
    path = folder / name
    code, output = run("--log", path, "--seed", seed, "tests/world",
                       cwd=harness.ROOT)
    assert code == 0, output
    return path.read_bytes()


def test_one_seed_gives_one_history_and_another_one_another(tmp_path):
    first = log_of(tmp_path, "first", 7)
    assert first.count(b"telegram.told") > 500
    assert log_of(tmp_path, "again", 7) == first
    assert log_of(tmp_path, "other", 8) != first


def test_what_a_spec_leaves_to_chance_comes_from_the_seed(project):
    write(project, "bot/main.lua", """
require("moonlet.bot").on("message:text", function(ctx)
  ctx:reply(ctx.message.text)
end)
""")
    write(project, "bot/greet_spec.lua", """
local t = require "moonlet.test"
local loaded_at = os.time()
t.case("chance", function()
  local ann = t.user { first_name = "Ann" }
  local bob = t.user { first_name = "Bob" }
  local keys = { [bob] = "bob", [ann] = "ann", [true] = "yes", [2.5] = "half",
    "one" }
  for i = 1, 40 do keys["k" .. i] = math.random(1000) end
  local said = {}
  for _, value in pairs(keys) do table.insert(said, tostring(value)) end
  ann:send(table.concat(said, " "))
  local text = ann:expect(t.any).text
  assert(text:find("^one half ") and text:find(" yes ann bob$"), text)
  assert(os.time() == loaded_at and os.date("%H") == "09")
  t.advance("1h")
  assert(os.time() == loaded_at + 3600 and os.date("*t").hour == 10)
end)
""")
    logs = []
    for seed, zone in ((1, "UTC"), (1, "Asia/Tokyo"), (2, "UTC")):
        code, output = run("--log", "log", "--seed", seed, "bot", cwd=project,
                           env={"TZ": zone, "LANG": "C", "COLUMNS": "40"})
        assert code == 0, output
        logs.append((project / "log").read_bytes())
    assert logs[0] == logs[1] != logs[2]


def test_specs_are_found_below_the_bot_and_tests_bot(project):
    write(project, "config.lua", 'return { scripts_dir = "bot" }')
    write(project, "tests/bot/more_spec.lua", SPEC)
    write(project, "bot/parts/deep_spec.lua", SPEC)
    write(project, "bot/parts/spec.lua", "error('no spec')")
    code, output = run(cwd=project)
    assert (code, last_line(output)) == (0, "3 passed, 0 failed"), output
    code, output = run("bot/parts", cwd=project)
    assert (code, last_line(output)) == (0, "1 passed, 0 failed"), output
    code, output = run("bot/parts/deep_spec.lua", "tests", cwd=project)
    assert (code, last_line(output)) == (0, "2 passed, 0 failed"), output


def test_links_to_folders_are_passed_over(project):
    (project / "bot/self").symlink_to(project / "bot")
    (project / "bot/linked_spec.lua").symlink_to("greet_spec.lua")
    code, output = run("bot", cwd=project)
    assert (code, last_line(output)) == (0, "2 passed, 0 failed"), output


def test_a_bot_can_be_named(project):
    write(project, "elsewhere/greet_spec.lua", SPEC)
    code, output = run("elsewhere", cwd=project)
    assert code == 1 and "say --bot DIR" in output, output
    code, output = run("--bot", "bot", "elsewhere", cwd=project)
    assert (code, last_line(output)) == (0, "1 passed, 0 failed"), output


def test_a_failure_shows_the_chat_the_place_and_the_calls(project):
    write(project, "bot/greet_spec.lua", FAILING)
    code, output = run(cwd=project, env={"SCRIPTS_DIR": "nowhere"})
    assert code == 1
    code, output = run("bot", cwd=project)
    assert code == 1 and last_line(output) == "0 passed, 1 failed"
    for part in ("FAIL  bot/greet_spec.lua: greets Bob",
                 "bot/greet_spec.lua:7: Ann: nothing within 60 s fits",
                 'text "Hi, Bob"', "Ann        09:00:00  /start",
                 "Hi, Ann", 'sendMessage 200 {',
                 "The bot failed: main.lua:7: attempt to index a nil value",
                 "again: moonlet test --seed 1 --filter 'greets Bob' bot/"):
        assert part in output, output


def test_handlers_that_never_ran_are_named(project):
    code, output = run("bot", cwd=project)
    assert code == 0
    assert "1 of 3 handlers ran; never:" in output
    assert "  bot/main.lua:5  hears ^never" in output
    assert "  bot/main.lua:6  /fail" in output


def test_the_line_that_runs_a_case_again_can_be_pasted(project):
    name = "it's $HOME; `two` words"
    write(project, "my bot/main.lua", BOT)
    write(project, "far specs/a_spec.lua", FAILING.replace("greets Bob", name)
          + SPEC)
    write(project, "my config.lua", "return {}")
    _, output = run("--bot", "my bot", "--config", "my config.lua",
                    "--webhook", "--seed", 5, "far specs", cwd=project)
    line = re.search(r"^  again: moonlet test (.*)$", output, re.M).group(1)
    words = shlex.split(line)
    assert words == ["--seed", "5", "--webhook", "--bot", "my bot",
                     "--config", "my config.lua", "--filter",
                     name, "far specs/a_spec.lua"]
    _, output = run(*words, cwd=project)
    assert last_line(output) == "0 passed, 1 failed", output


@pytest.mark.parametrize("death", [signal.SIGINT, signal.SIGTERM,
                                   signal.SIGKILL], ids=lambda s: s.name)
def test_no_folder_stays_behind_a_death(project, death):
    write(project, "bot/greet_spec.lua", SPEC + """
t.case("dies", function()
  print("begun")
  t.advance("10000000d")
end)
""")
    process = harness.Process(["test", "bot"], cwd=project)
    process.wait_line("^begun")
    folder = folder_of_run(process.child.pid)
    assert folder.is_dir()
    os.kill(process.child.pid, death)
    assert process.child.wait(harness.LIMIT) == -death
    wait_until_gone(folder)
    process.end()


def test_no_folder_stays_behind_a_spec_that_ends_the_process(project):
    write(project, "bot/greet_spec.lua", SPEC + """
t.case("ends it", function()
  for file in io.popen("readlink /proc/$PPID/fd/*"):lines() do print(file) end
  os.exit(3)
end)
""")
    code, output = run("bot", cwd=project)
    folder = re.search(r"^(/.*/moonlet-test-\w+)/", output, re.M)
    assert code == 3 and folder, output
    wait_until_gone(Path(folder.group(1)))


def folder_of_run(pid):
    """The folder of the data of a run that holds files open."""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        found = re.match(r"(/.*/moonlet-test-[^/]+)/", os.readlink(fd))
        if found:
            return Path(found.group(1))
    raise AssertionError("no file of a world is open")


def wait_until_gone(path):
    deadline = time.monotonic() + harness.LIMIT
    while path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


def test_filter_and_nothing_found(project):
    write(project, "bot/b_spec.lua", FAILING)
    code, output = run("--filter", "greets", "bot", cwd=project)
    assert last_line(output) == "1 passed, 1 failed"
    code, output = run("--filter", "Bob", "bot", cwd=project)
    assert last_line(output) == "0 passed, 1 failed"
    code, output = run("--filter", "nobody", "bot", cwd=project)
    assert code == 1 and last_line(output) == "0 passed, 0 failed"
    assert "no case was found that fits --filter" in output


def test_a_report_for_machines(project):
    write(project, "bot/b_spec.lua", FAILING.replace("Bob", "<&\\\"Bob"))
    code, _ = run("--junit", "report.xml", "bot", cwd=project)
    suite = ElementTree.parse(project / "report.xml").getroot()
    assert code == 1
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    cases = {c.get("name"): c for c in suite}
    assert cases["greets"].find("failure") is None
    failure = cases['greets <&"Bob'].find("failure")
    assert "bot/b_spec.lua:7" in failure.get("message")
    assert "Hi, Ann" in failure.text
    code, output = run("--junit", "no/where.xml", "bot/greet_spec.lua",
                       cwd=project)
    assert code == 1 and "--junit: no/where.xml" in output


def test_a_report_that_cannot_be_written_or_has_odd_bytes(project):
    code, output = run("--junit", "/dev/full", "bot", cwd=project)
    assert code == 1 and "--junit: /dev/full: No space left" in output, output
    write(project, "bot/greet_spec.lua", SPEC
          + 't.case("odd \\xff\\0", function()\n'
          + '  error("\\xc3(\\xed\\xa0\\x80")\nend)')
    run("--junit", "report.xml", "bot", cwd=project)
    suite = ElementTree.parse(project / "report.xml").getroot()
    assert [case.get("name") for case in suite] == ["greets", "odd ?"]
    assert "?(???" in suite[1].find("failure").text


def test_mistakes_in_files_are_named(project):
    write(project, "bot/typo_spec.lua", "local t = require 'moonlet.test'\nif")
    write(project, "bot/late_spec.lua", "\n\nerror('while loading')")
    write(project, "bot/run_spec.lua", SPEC + "\nt.case('x', function()\n"
          "  local n = nil + 1\nend)")
    code, output = run("bot", cwd=project)
    assert code == 1 and last_line(output) == "2 passed, 3 failed"
    assert "typo_spec.lua:2: " in output
    assert "late_spec.lua:3: while loading" in output
    assert "run_spec.lua:10: attempt to perform arithmetic" in output


def test_whatever_is_raised_ends_its_case_only(project):
    write(project, "bot/greet_spec.lua", SPEC + """
for _, raised in ipairs { "nil", "{}", "{ report = 1 }", "{ report = {{}} }",
    "coroutine.create(print)", "print" } do
  t.case(raised, function() error(load("return " .. raised)()) end)
end
t.case("of no text", function() t.update { message = print } end)
t.case("the last one", function() end)
""")
    code, output = run("bot", cwd=project)
    assert code == 1 and last_line(output) == "2 passed, 7 failed", output
    assert ("bot/greet_spec.lua:13: a function cannot be written as JSON"
            in output), output


def test_a_bot_that_does_not_start_fails_each_case(project):
    write(project, "bot/main.lua", BOT + "\nbot.command(")
    code, output = run("bot", cwd=project)
    assert code == 1 and last_line(output) == "0 passed, 1 failed"
    assert "the bot does not start: main.lua:10" in output, output


def test_config_is_read_but_its_token_and_servers_are_not_used(project):
    write(project, "bot/config.lua", """return {
  bot_token = "12:REAL", bot_api_url = "http://127.0.0.1:1",
  redis_url = "redis://127.0.0.1:1", https_proxy = "http://127.0.0.1:1",
  webhook_url = "https://bot.example.org/", webhook_secret = "s",
  handler_timeout = "5s", data_dir = "kept",
  app = { greeting = "Good day" },
}""")
    write(project, "bot/main.lua", """
local bot = require "moonlet.bot"
local config = require "moonlet.config"
local task = require "moonlet.task"
bot.command("start", function(ctx)
  ctx:reply(config.greeting)
  task.sleep(10)
  ctx:reply("still here")
end)
""")
    write(project, "bot/greet_spec.lua", """
local t = require "moonlet.test"
t.case("default", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Good day")
  ann:expect_nothing("20s")
  assert(t.errors()[1].kind == "timeout")
end)
t.case("of the case", { config = { handler_timeout = "20s" } }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Good day")
  ann:expect("still here")
end)
t.case("unknown", { config = { handler_timout = 1 } }, function() end)
t.case("bad", { config = { handler_timeout = "soon" } }, function() end)
""")
    code, output = run("--config", "bot/config.lua", "bot", cwd=project,
                       env={"HANDLER_TIMEOUT": "1h", "BOT_TOKEN": "13:ENV"})
    assert last_line(output) == "2 passed, 2 failed", output
    assert "there is no setting HANDLER_TIMOUT: did you mean" in output
    assert 'handler_timeout must be' in output.lower()
    assert not (project / "bot" / "kept").exists()


def test_bad_calls_of_the_command(project):
    for args, part in ((["--seed", "x"], "--seed must be a number"),
                       (["--timeout", "1s"], "--timeout must be a number"),
                       (["--sed", "1"], "unknown option --sed"),
                       (["--filter"], "--filter needs a value")):
        code, output = run(*args, cwd=project)
        assert code == 2 and part in output
    code, output = run("nowhere", cwd=project)
    assert code == 1 and "nowhere: No such file" in output


def test_a_bot_that_never_rests_is_told(project):
    write(project, "bot/main.lua", """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("start", function() while true do task.sleep(0) end end)
""")
    code, output = run("bot", cwd=project)
    assert code == 1 and "the bot never comes to rest" in output


@pytest.mark.parametrize("body", [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "coroutine.wrap(function() while true do pcall(t.now) end end)()",
    "t.advance('10000000d')",
    "t.at('9999-01-01 10:00')",
    "t.await(function() end, '300000d')",
], ids=["loop", "pcall", "coroutine", "advance", "at", "await"])
def test_a_case_that_does_not_end_is_told(project, body):
    write(project, "bot/greet_spec.lua", f"""
local t = require "moonlet.test"
t.case("for ever", function()
  {body}
end)
t.after(function() print("cleaned up") end)
""" + SPEC)
    code, output = run("--timeout", 1, "bot", cwd=project)
    assert code == 1 and last_line(output) == "1 passed, 1 failed", output
    assert "the case takes longer than 1 s of real time" in output
    assert "bot/greet_spec.lua:4:" in output
    assert output.count("cleaned up") == 2


def test_watch_runs_again_when_a_file_changes(project):
    process = harness.Process(["test", "--watch", "bot"], cwd=project)
    process.wait_line("^1 passed, 0 failed")
    seen = len(process.lines)
    # The watch begins a moment after the totals: touch until it has seen one.
    stamp = 0
    while True:
        write(project, "bot/greet_spec.lua", FAILING + f"-- {stamp}\n")
        stamp += 1
        try:
            process.wait_line("^0 passed, 1 failed", limit=1, start=seen)
            break
        except AssertionError:
            assert stamp < 30, process.text()
    process.end()
