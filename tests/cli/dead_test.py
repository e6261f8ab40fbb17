"""moonlet dead, over the socket of a live engine and on the files of one that
is stopped."""
import json
import os
import re
import signal
import subprocess

import harness
import pytest

BOT = """
local bot = require "moonlet.bot"
bot.command("boom", function(ctx)
  if ctx.update.redelivered then return ctx:reply("again") end
  error("order " .. ctx.args[1] .. "\\n\\27[31m")
end)
bot.on("message:text", function(ctx) ctx:reply("hi") end)
"""


def dead(bot, *args, **env):
    settings = {"DATA_DIR": str(bot.folder / "data"), **env}
    return subprocess.run(
        [harness.binary(), "dead", *args], cwd=bot.folder, text=True,
        env=harness.clean_environment(settings), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)


def printed(bot, *args, **env):
    done = dead(bot, *args, **env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def assert_one_line(done, code, text):
    assert (done.returncode, done.stdout) == (code, ""), done
    assert re.fullmatch(r"moonlet: [^\n]+\n", done.stderr), done.stderr
    assert text in done.stderr


@pytest.fixture
def failed(sim, engine):
    """An engine that runs, with three letters; its user has id `user`."""
    bot = engine(BOT).start()
    bot.user = sim.user("Ann")["id"]
    for i in range(3):
        start = len(bot.process.lines)
        sim.send(bot.user, f"/boom {i + 1}")
        bot.wait_event("dead.letter", start=start)
    return bot


@pytest.fixture(params=["live", "stopped"])
def either(request, failed):
    """Whether an engine lives makes no difference to the words."""
    if request.param == "stopped":
        failed.stop()
    return failed


def test_list(either):
    rows = printed(either, "list").splitlines()
    assert len(rows) == 3
    for row, number in zip(rows, (3, 2, 1)):
        assert re.fullmatch(
            rf"{number}  \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ  error    "
            rf"update \d+  chat:{either.user}  "
            rf"main\.lua:5: order {number}  \[31m", row), row
    rows = printed(either, "list", "--limit", "2").splitlines()
    assert [row[0] for row in rows] == ["3", "2", "2"]
    assert rows[2] == "2 of 3; older ones: --before 2"
    assert printed(either, "list", "--before=2").splitlines()[0][0] == "1"
    assert printed(either, "list", "--before", "1") == "none that are older\n"


def test_show(either):
    text = printed(either, "show", "2")
    assert re.search(r"^id        2$", text, re.M)
    assert re.search(r"^died      20\d\d-.*Z$", text, re.M)
    assert re.search(r"^reason    error\nkind      script\n", text, re.M)
    assert re.search(rf"^lane      chat:{either.user}$", text, re.M)
    assert re.search(r"^error     main\.lua:5: order 2", text, re.M)
    assert re.search(r"^\s*main\.lua:5: in ", text, re.M)
    assert "\x1b" not in text
    update = json.loads(text[text.index("\n{"):])
    assert update["message"]["text"] == "/boom 2"
    assert f"update    {update['update_id']}, from telegram, rec" in text


def test_replay_and_drop_with_a_live_engine(sim, failed):
    assert printed(failed, "replay", "2") == (
        "the update is in the inbox again\n")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again")
    assert printed(failed, "drop", "1") == "dropped\n"
    assert [row[0] for row in printed(failed, "list").splitlines()] == ["3"]


def test_replay_and_drop_without_one(sim, failed):
    failed.stop()
    assert printed(failed, "replay", "2") == (
        "the update is in the inbox again\n")
    assert printed(failed, "drop", "1") == "dropped\n"
    assert [row[0] for row in printed(failed, "list").splitlines()] == ["3"]
    failed.start()
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again")
    failed.stop()
    assert printed(failed, "drop", "3") == "dropped\n"
    assert printed(failed, "list") == "no dead letters\n"


def test_a_letter_that_is_not_there(either):
    for verb in ("show", "replay", "drop"):
        assert_one_line(dead(either, verb, "17"), 1,
                        "there is no dead letter 17")


def test_without_an_inbox_nothing_is_made(engine):
    bot = engine(BOT)
    assert_one_line(dead(bot, "list"), 1, "holds no inbox")
    assert not (bot.folder / "data").exists()


def test_the_files_of_a_live_engine_without_a_socket_are_left_alone(engine):
    bot = engine(BOT, folder="x" * 120).start()
    bot.wait_event("control.off")
    done = dead(bot, "list")
    assert_one_line(done, 1, "is in use by process "
                    f"{bot.process.child.pid}")


def test_an_engine_that_is_stopping_says_so(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx) ctx:reply("begun"); task.sleep(600) end)
""", SHUTDOWN_TIMEOUT="1h").start()
    sim.send(sim.user("Ann")["id"], "x")
    sim.wait_call("sendMessage")
    bot.process.child.send_signal(signal.SIGTERM)
    bot.wait_event("engine.stopping")
    for args in (["list"], ["show", "1"], ["replay", "1"], ["drop", "1"]):
        assert_one_line(dead(bot, *args), 1, "the engine is stopping")
    assert bot.process.end() != 0, "a second SIGTERM ends it at once"


def test_letters_of_play(tmp_path):
    scripts = tmp_path / "bot"
    scripts.mkdir()
    (scripts / "main.lua").write_text(BOT)
    play = harness.Play(tmp_path, scripts)
    play.folder = tmp_path
    ann = play.sim("GET", "/sim/users")[0]["id"]
    events = harness.Events(play)
    play.sim("POST", "/sim/send", {"from": ann, "text": "/boom 1"})
    play.process.wait_line(r"dead\.letter")
    for args in (["list"], ["list", "--play"]):
        rows = printed(play, *args).splitlines()
        assert [row[:4] for row in rows] == ["1  2", "they"], "its own are said"
    assert play.sim("GET", "/api/dead")["count"] == 1
    assert printed(play, "replay", "1") == (
        "the update is in the inbox of moonlet play again\n")
    events.wait("call", lambda c: c["method"] == "sendMessage"
                and c["params"]["text"] == "again")
    events.close()
    play.close()
    assert printed(play, "list", "--play") == (
        "no dead letters of moonlet play\n")
    assert_one_line(dead(play, "list"), 1, "holds no inbox")


def test_the_folder_is_found_through_the_configuration(failed, tmp_path):
    (tmp_path / "other.lua").write_text('return { data_dir = "project/data" }')
    (failed.folder / "config.lua").write_text('return { data_dir = "data" }')
    for args, cwd in ((["list", "--config", "other.lua"], tmp_path),
                      (["list", "project"], tmp_path),
                      (["show", "1", "project"], tmp_path),
                      (["show", "1"], failed.folder)):
        done = subprocess.run(
            [harness.binary(), "dead", *args], cwd=cwd, text=True,
            env=harness.clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=harness.LIMIT)
        assert (done.returncode, done.stderr) == (0, ""), args


def test_status_counts_them(failed):
    done = subprocess.run(
        [harness.binary(), "status"], cwd=failed.folder, text=True,
        env=harness.clean_environment({"DATA_DIR": failed.folder / "data"}),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.LIMIT)
    assert re.search(r"^dead        3 letters$", done.stdout, re.M)


@pytest.mark.parametrize("args, text", [
    ([], "list, show, replay or drop?"),
    (["nonsense"], "cannot nonsense"),
    (["show"], "which one?"),
    (["replay", "--play"], "which one?"),
    (["drop", "x"], "no ID of a dead letter: x"),
    (["show", "0"], "no ID of a dead letter: 0"),
    (["show", "1/replay"], "no ID of a dead letter"),
    (["show", "1", "a", "b"], "unexpected argument b"),
    (["show", "1", "--limit", "5"], "are for list"),
    (["list", "--limit", "0"], "--limit must be 1..500"),
    (["list", "--limit", "501"], "--limit must be 1..500"),
    (["list", "--before", "x"], "--before must be an ID"),
    (["list", "--nonsense"], "unknown option --nonsense"),
    (["list", "--play=1"], "--play takes no value"),
])
def test_bad_calls_exit_2_with_one_line(args, text, tmp_path):
    done = subprocess.run(
        [harness.binary(), "dead", *args], cwd=tmp_path, text=True,
        env=harness.clean_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)
    assert_one_line(done, 2, text)
    assert not os.listdir(tmp_path)


def test_help(tmp_path):
    for args in (["--help"], ["-h"], ["list", "--help"], ["show", "-h"]):
        done = subprocess.run(
            [harness.binary(), "dead", *args], cwd=tmp_path, text=True,
            env=harness.clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=harness.LIMIT)
        assert (done.returncode, done.stderr) == (0, "")
        for word in ("--limit N", "--before ID", "--play", "--config FILE"):
            assert word in done.stdout
