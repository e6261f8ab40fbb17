"""The command line as its user meets it: help, usage errors, check, and how
run, play and sim start, refuse to start, and end."""
import os
import re
import signal
import socket
import subprocess
import xml.etree.ElementTree

import harness
import pytest

BOT = """
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("hi") end)
"""

SLOW = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  local again = ctx.update.redelivered and " again" or ""
  ctx:reply("begun" .. again)
  task.sleep(tonumber(ctx.message.text))
  ctx:reply("ended" .. again)
end)
"""

COMMANDS = ("run", "play", "sim", "new", "check", "graph", "types", "reload", "status",
            "dead", "version", "help")
NOT_BUILT = ("worker", "migrate", "broadcast", "jobs", "backup")


def command(*args, cwd=None, **env):
    """Runs one that ends by itself."""
    return subprocess.run(
        [harness.binary(), *map(str, args)], cwd=cwd, text=True,
        env=harness.clean_environment(env), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)


def assert_one_line(done, code, text):
    assert done.returncode == code, done
    assert re.fullmatch(r"moonlet: [^\n]+\n", done.stderr), done.stderr
    assert text in done.stderr and done.stdout == ""


def write_bot(folder, text=BOT):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.lua").write_text(text)
    return folder


def test_no_command_prints_help_and_is_a_usage_error():
    done = command()
    assert (done.returncode, done.stdout) == (2, "")
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stderr, re.M)


def test_help_and_version():
    for spelled in ("help", "--help", "-h"):
        done = command(spelled)
        assert (done.returncode, done.stderr) == (0, "")
        assert "usage: moonlet COMMAND" in done.stdout
    for spelled in ("version", "--version"):
        done = command(spelled)
        assert done.returncode == 0 and done.stderr == ""
        assert re.fullmatch(r"moonlet \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    for spelled in ("--help", "-h"):
        done = command(name, spelled)
        assert (done.returncode, done.stderr) == (0, "")
        assert "moonlet" in done.stdout and len(done.stdout) > 30


def test_help_lists_commands_in_columns():
    rows = re.findall(r"^  (\w+ +(?:\[?DIR\]?)? +)\w", command("help").stdout,
                      re.M)
    assert len(rows) == len(COMMANDS)
    assert {len(row) for row in rows} == {len(rows[0])}


def test_help_says_what_runs_and_what_ends_it():
    helped = command("check", "--help").stdout
    assert "loads the scripts; no handler and no" in helped
    assert "bot.on_start runs" in helped
    assert "until SIGTERM or SIGINT" in command("run", "--help").stdout


def test_help_explains_a_command():
    assert command("help", "sim").stdout == command("sim", "--help").stdout
    assert_one_line(command("help", "nonsense"), 2, "unknown command")
    assert_one_line(command("help", "jobs"), 1, "not built yet: jobs")


def test_help_names_every_option_that_is_taken():
    assert "--config FILE" in command("run", "--help").stdout
    assert "--config FILE" in command("play", "--help").stdout
    assert "--config FILE" in command("check", "--help").stdout
    helped = command("sim", "--help").stdout
    assert "--port N" in helped and "--token T" in helped
    assert "--standby" in command("run", "--help").stdout
    for name in ("check", "sim"):
        assert "--standby" not in command(name, "--help").stdout


@pytest.mark.parametrize("args, text", [
    (["nonsense"], 'unknown command "nonsense"'),
    (["run", "--nonsense"], "unknown option --nonsense"),
    (["play", "--token", "x"], "unknown option --token"),
    (["run", "-x"], "unknown option -x"),
    (["check", "--config"], "--config needs a value"),
    (["check", "--config="], "--config needs a value"),
    (["check", "a", "b"], "unexpected argument b"),
    (["version", "--nonsense"], "unknown option --nonsense"),
    (["help", "--nonsense"], "unknown option --nonsense"),
    (["sim", "here"], "unexpected argument here"),
    (["sim", "--port", "70000"], "--port must be 0..65535"),
    (["sim", "--port", "http"], "--port must be 0..65535"),
    (["sim", "--port", "-1"], "--port must be 0..65535"),
    (["sim", "--token", "no token"], "--token must be"),
    (["nonsense", "--help"], 'unknown command "nonsense"'),
])
def test_bad_calls_exit_2_with_one_line(args, text):
    assert_one_line(command(*args), 2, text)


@pytest.mark.parametrize("name", NOT_BUILT)
def test_commands_that_are_not_built_say_so(name):
    assert_one_line(command(name), 1, f"not built yet: {name}")


@pytest.mark.parametrize("name, option", [
    ("run", "--migrate")])
def test_options_that_are_not_built_say_so(name, option):
    assert_one_line(command(name, option), 1, f"not built yet: {option}")


# check

def test_check_takes_a_folder_of_scripts(tmp_path):
    done = command("check", write_bot(tmp_path / "mine"), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "mine") in done.stdout
    assert not (tmp_path / "data").exists(), "check stores nothing"


def test_check_takes_a_project_whose_config_names_the_scripts(tmp_path):
    project = tmp_path / "project"
    write_bot(project / "code")
    (project / "config.lua").write_text('return { scripts_dir = "code" }\n')
    for args, cwd in ((["project"], tmp_path), ([], project),
                      (["--config", "project/config.lua"], tmp_path)):
        done = command("check", *args, cwd=cwd)
        assert (done.returncode, done.stderr) == (0, ""), args
        assert str(project / "code") in done.stdout


def test_check_of_a_project_without_config_uses_the_default(tmp_path):
    write_bot(tmp_path / "project" / "scripts" / "bot")
    done = command("check", "project", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "project" / "scripts" / "bot") in done.stdout


def test_dir_wins_over_scripts_dir(tmp_path):
    write_bot(tmp_path / "mine")
    write_bot(tmp_path / "other", "this is no Lua")
    (tmp_path / "config.lua").write_text('return { scripts_dir = "other" }\n')
    assert command("check", "mine", cwd=tmp_path).returncode == 0
    done = command("check", "mine", cwd=tmp_path, SCRIPTS_DIR="other")
    assert done.returncode == 0, done.stderr
    assert command("check", cwd=tmp_path).returncode == 1


def test_dir_holds_its_own_config(tmp_path):
    write_bot(tmp_path / "mine")
    (tmp_path / "mine" / "config.lua").write_text("return { nope = 1 }\n")
    (tmp_path / "config.lua").write_text("return {}\n")
    assert_one_line(command("check", "mine", cwd=tmp_path), 1,
                    'config.lua:1: unknown setting "nope"')
    done = command("check", "--config", "config.lua", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script, text", [
    ("local a = 1\nlocal = 2\n", "main.lua:2: "),
    ("\n\nerror('stop here')\n", "main.lua:3: stop here"),
    ('require "moonlet.bot".on("mesage", print)\n',
     'main.lua:1: bot.on: "mesage": there is no update kind "mesage"; did '
     'you mean "message"?'),
    ('\nrequire "moonlet.bot".on("message:entities:hashtags", print)\n',
     'main.lua:2: bot.on: "message:entities:hashtags": there is no entity '
     'type "hashtags"; did you mean "hashtag"?'),
    ('\nrequire "parts.one"\n', "parts/one.lua:2: "),
    ('\nrequire "absent"\n', 'main.lua:2: '),
])
def test_check_names_file_and_line(tmp_path, script, text):
    bot = write_bot(tmp_path / "bot", script)
    (bot / "parts").mkdir()
    (bot / "parts" / "one.lua").write_text("local x\nx.y = 1\n")
    assert_one_line(command("check", bot, cwd=tmp_path), 1, text)


def test_check_keeps_the_memory_limit(tmp_path):
    write_bot(tmp_path, 'LIST = {}\nfor i = 1, 3e6 do LIST[i] = i end\n')
    done = command("check", ".", cwd=tmp_path, LUA_MEMORY_LIMIT="64M")
    assert_one_line(done, 1, "more than LUA_MEMORY_LIMIT (64 MiB)")
    assert command("check", ".", cwd=tmp_path).returncode == 0


# graph

MACHINE = """
local bot = require "moonlet.bot"
bot.fsm("order", { initial = "cart", states = {
  cart = { on = { checkout = { to = "paying", guard = function() end },
                  add = "cart" } },
  paying = { on = { paid = "done" }, timeout = { after = "15m", to = "cart" } },
  done = {} } })
"""


def test_graph_prints_mermaid(tmp_path):
    done = command("graph", write_bot(tmp_path / "bot", MACHINE), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[1:] == [
        "title: order", "---", "stateDiagram-v2", "  [*] --> cart",
        "  cart --> cart: add", "  cart --> paying: checkout [guard]",
        "  paying --> done: paid", "  paying --> cart: after 15m",
        "  done --> [*]", ""]


def test_graph_draws_a_picture(tmp_path):
    bot = write_bot(tmp_path / "bot", MACHINE.replace("add", '["a<b"]'))
    done = command("graph", "--svg", bot, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    svg = xml.etree.ElementTree.fromstring(done.stdout)
    texts = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(texts) == ["a<b", "after 15m", "cart", "checkout [guard]",
                             "done", "order", "paid", "paying"]


def test_graph_without_machines_says_so(tmp_path):
    bot = write_bot(tmp_path / "bot")
    for options in (), ("--svg",):
        assert_one_line(command("graph", *options, bot, cwd=tmp_path), 1,
                        "declares no machine (bot.fsm)")
    assert_one_line(command("graph", write_bot(tmp_path / "plain", "x = 1")), 1,
                    "do not require moonlet.bot")
    assert_one_line(command("graph", write_bot(tmp_path / "bad", "x =")), 1,
                    "main.lua:1: ")


def test_check_without_scripts_says_where_it_looked(tmp_path):
    done = command("check", cwd=tmp_path)
    assert_one_line(done, 1, str(tmp_path / "scripts/bot/main.lua"))
    assert_one_line(command("check", "nowhere", cwd=tmp_path), 1,
                    "nowhere: No such file or directory")
    (tmp_path / "file").write_text("")
    assert_one_line(command("check", "file", cwd=tmp_path), 1,
                    "file is not a folder")
    assert_one_line(command("check", "--config", "no.lua", cwd=tmp_path), 1,
                    "no.lua: No such file or directory")


# run, play, sim: start

def test_run_needs_a_token(tmp_path):
    write_bot(tmp_path)
    assert_one_line(command("run", ".", cwd=tmp_path), 1, "BOT_TOKEN")


def test_run_with_broken_scripts_does_not_start(sim, engine):
    bot = engine("bot = = 1").start(wait=False)
    assert bot.process.wait() == 1
    assert "main.lua:1: " in bot.process.text()
    assert sim.calls() == []


def test_sim_takes_a_port_and_one_token():
    port = harness.free_port()
    process = harness.Process(["sim", "--port", port, "--token", "7:SEVEN"])
    process.wait_line(rf"http://127\.0\.0\.1:{port}$")
    peer = harness.HttpPeer("127.0.0.1", int(port))
    assert peer.request("POST", "/bot7:SEVEN/getMe")[0] == 200
    assert peer.request("POST", "/bot8:OTHER/getMe")[0] == 401
    taken = command("sim", "--port", port)
    assert_one_line(taken, 1, f"127.0.0.1:{port}")
    assert process.end() == 0
    assert process.text().count("\n") == 0, "the address is all it prints"


def test_play_prints_its_address_and_serves_there(play):
    line = play.process.wait_line("/play")
    assert re.fullmatch(r".*http://127\.0\.0\.1:\d+/play", line)
    status, page = play.request("GET", "/play")
    assert status == 200 and b"<html" in page.lower()


def test_port_in_use_is_one_clear_line(sim, engine):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        bot = engine(BOT, HTTP_PORT=port).start(wait=False)
        assert bot.process.wait() == 1
    text = bot.process.text()
    assert text == (f"moonlet: cannot listen on 127.0.0.1:{port}: "
                    "Address already in use")
    assert sim.calls() == []


def test_second_engine_on_one_data_dir_names_the_holder(engine):
    bot = engine(BOT).start()
    second = harness.Process(["run"], cwd=bot.folder,
                             env={**bot.environment()})
    assert second.wait() == 1
    assert f"in use by process {bot.process.child.pid}" in second.text()
    assert "DATA_DIR" in second.text()


def test_another_bots_data_dir_is_refused(engine):
    bot = engine(BOT).start()
    bot.stop()
    other = harness.Process(
        ["run"], cwd=bot.folder,
        env={**bot.environment(), "BOT_TOKEN": "777:ANOTHER-BOT"})
    assert other.wait() == 1
    assert "4242" in other.text() and "777" in other.text()
    assert "ANOTHER-BOT" not in other.text()
    # The owner, whose token may have been renewed, still may.
    bot.settings["BOT_TOKEN"] = "4242:RENEWED"
    bot.start()


# and end

def test_sigterm_lets_handlers_finish_and_exits_0(sim, engine):
    bot = engine(SLOW).start()
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    sim.send(ann, "1")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "begun")
    bot.process.child.send_signal(signal.SIGTERM)
    bot.wait_event("engine.stopping")
    sim.send(bob, "0")
    assert bot.process.wait() == 0, bot.process.text()
    assert [c["params"]["text"] for c in sim.calls("sendMessage")] == [
        "begun", "ended"]
    bot.start()
    sim.wait_call("sendMessage", lambda c: c["chat_id"] == bob
                  and c["params"]["text"] == "ended")
    assert len([c for c in sim.calls("sendMessage")
                if c["chat_id"] == ann]) == 2, "an end is an end"


def test_shutdown_timeout_leaves_the_update_for_the_next_start(sim, engine):
    bot = engine(SLOW, SHUTDOWN_TIMEOUT="200ms").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "3")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "begun")
    bot.stop()
    assert len(sim.calls("sendMessage")) == 1
    bot.settings["SHUTDOWN_TIMEOUT"] = "20s"
    bot.start()
    sim.wait_call("sendMessage",
                  lambda c: c["params"]["text"] == "ended again")


def test_second_sigterm_ends_at_once(sim, engine):
    bot = engine(SLOW, SHUTDOWN_TIMEOUT="1h").start()
    sim.send(sim.user("Ann")["id"], "3600")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "begun")
    bot.process.child.send_signal(signal.SIGTERM)
    bot.wait_event("engine.stopping")
    assert bot.process.child.poll() is None
    bot.process.child.send_signal(signal.SIGTERM)
    assert bot.process.wait() > 0, "it ends by itself, and says unfinished"
    assert len(sim.calls("sendMessage")) == 1


def test_sigterm_ends_an_engine_whose_server_is_silent(engine):
    """A call in flight that never ends must not hold the exit."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        bot = engine(BOT)
        bot.api_url = "http://127.0.0.1:%d" % server.getsockname()[1]
        bot.start()
        connection, _ = server.accept()
        assert b"/getMe" in connection.recv(4096)
        assert bot.process.end() == 0
        connection.close()


def test_sigint_is_a_sigterm(engine):
    bot = engine(BOT).start()
    assert bot.process.end(signal.SIGINT) == 0, bot.process.text()


def test_sighup_loads_the_scripts_anew(engine):
    bot = engine(BOT, HOT_RELOAD="false").start()
    bot.write("main.lua", BOT + "-- changed\n")
    bot.process.child.send_signal(signal.SIGHUP)
    bot.wait_event("scripts.loaded", generation=2)
    bot.write("main.lua", "bot = = 1")
    bot.process.child.send_signal(signal.SIGHUP)
    row = bot.wait_event("scripts.not_loaded")
    assert (row["script"], row["line"]) == ("main.lua", 1)
    assert row["still_running"] == 2


def test_no_hot_reload_unless_wanted(sim, engine):
    bot = engine(BOT, HOT_RELOAD="false").start()
    bot.write("main.lua", BOT.replace('"hi"', '"new"'))
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "hi"
    assert '"generation":2' not in bot.process.text()


def test_the_pid_that_was_started_is_the_engines(engine):
    bot = engine(BOT).start()
    lock = (bot.folder / "data" / "moonlet.lock").read_text()
    assert int(lock) == bot.process.child.pid
    assert os.stat(bot.folder / "data").st_mode & 0o077 == 0
