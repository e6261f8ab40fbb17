"""The Unix socket of a live engine, the commands that speak to it, and the
same routes on the HTTP port."""
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess

import harness
import pytest

BOT = """
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("hi") end)
"""
SLOW_TO_LOAD = BOT + "print('loading') for i = 1, 5e7 do end\n"
UNHURRIED = {"HOT_RELOAD": "false", "HANDLER_CPU_LIMIT": "30s"}
BROKEN = "local bot = 1\n\nbot = = 2\n"


def socket_of(bot):
    return bot.folder / "data" / "moonlet.sock"


def port_of(bot):
    return harness.HttpPeer("127.0.0.1",
                            bot.wait_event("ready")["http_port"])


def command(bot, *args, **env):
    settings = {"SCRIPTS_DIR": str(bot.folder / "bot"),
                "DATA_DIR": str(bot.folder / "data"), **env}
    return subprocess.run(
        [harness.binary(), *args], cwd=bot.folder, text=True,
        env=harness.clean_environment(settings), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)


def assert_one_line(done, text):
    assert (done.returncode, done.stdout) == (1, ""), done
    assert re.fullmatch(r"moonlet: [^\n]+\n", done.stderr), done.stderr
    assert text in done.stderr


def ask_for_reload(bot):
    """A connection on which the answer is to come."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(harness.LIMIT)
    connection.connect(str(socket_of(bot)))
    connection.sendall(b"POST /api/reload HTTP/1.1\r\nHost: localhost\r\n"
                       b"Content-Length: 0\r\n\r\n")
    return connection


def answer_of(connection):
    with connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return json.loads(answer.read())


# the socket

def test_the_socket_is_the_owners_alone_and_goes_with_the_engine(engine):
    bot = engine(BOT).start()
    mode = socket_of(bot).stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    bot.stop()
    assert not socket_of(bot).exists()


def test_the_socket_of_a_dead_engine_is_replaced(engine):
    bot = engine(BOT).start()
    bot.kill()
    assert socket_of(bot).exists()
    assert_one_line(command(bot, "status"), "no engine is running")
    bot.start()
    assert command(bot, "status").returncode == 0


def test_a_second_engine_leaves_the_socket_alone(engine):
    bot = engine(BOT).start()
    second = harness.Process(["run"], cwd=bot.folder, env=bot.environment())
    assert second.wait() == 1
    assert command(bot, "status").returncode == 0


def test_what_is_no_socket_is_not_removed(engine):
    bot = engine(BOT)
    socket_of(bot).parent.mkdir(mode=0o700)
    socket_of(bot).write_text("mine")
    bot.start()
    row = bot.wait_event("control.off")
    assert "moonlet.sock" in row["reason"] and "SIGHUP" in row["remedy"]
    bot.stop()
    assert socket_of(bot).read_text() == "mine"


def test_a_path_that_is_too_long_is_said_and_the_engine_goes_on(sim, engine):
    bot = engine(BOT, folder="x" * 120).start()
    row = bot.wait_event("control.off")
    assert "moonlet.sock" in row["reason"] and "107" in row["reason"]
    assert "DATA_DIR" in row["remedy"] and "shorter" in row["remedy"]
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "hi"
    for name in ("status", "reload"):
        assert_one_line(command(bot, name), "shorter")


# status

def test_status_tells_how_the_engine_is(sim, engine):
    bot = engine(BOT).start()
    bot.wait_event("polling.started")
    data = harness.LocalPeer(socket_of(bot)).sim("GET", "/api/status")
    assert data["pid"] == bot.process.child.pid
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["version"])
    assert data["uptime"] >= 0 and data["role"] == "active"
    assert data["generation"] == 1 and data["old_generations"] == 0
    assert data["file"] == str(bot.folder / "bot" / "main.lua")
    assert (data["inbox_depth"], data["running_handlers"],
            data["error_groups"]) == (0, 0, 0)
    ready = json.loads(port_of(bot).request("GET", "/ready")[1])
    assert {k: data[k] for k in ready} == ready

    done = command(bot, "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"process {bot.process.child.pid}, active, up \d+s",
                     done.stdout)
    assert re.search(r"^generation +1 of .*main\.lua", done.stdout, re.M)
    assert re.search(r"^inbox +up$", done.stdout, re.M)
    assert re.search(r"^redis +off$", done.stdout, re.M)
    # getUpdates is under way.
    assert re.search(r"^calls +1 under way; waiting: 0 replies, 0 jobs, "
                     r"0 broadcasts$", done.stdout, re.M)
    assert re.search(r"^limits +0 chats blocked; jobs and broadcasts 30 a "
                     r"second; 0 repeats, 0 unknown outcomes$",
                     done.stdout, re.M)


def test_status_counts_what_runs(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx) ctx:reply("begun"); task.sleep(60) end)
""", SHUTDOWN_TIMEOUT="1ms").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "1")
    sim.send(ann, "2")
    sim.wait_call("sendMessage")
    peer = harness.LocalPeer(socket_of(bot))
    while (data := peer.sim("GET", "/api/status"))["inbox_depth"] < 2:
        pass
    assert data["running_handlers"] == 1
    assert "2 in the inbox, 1 running" in command(bot, "status").stdout


def test_without_a_live_engine_commands_name_the_folder(engine):
    bot = engine(BOT)
    for name in ("status", "reload"):
        done = command(bot, name)
        assert_one_line(done, "no engine is running")
        assert str(bot.folder / "data") in done.stderr
        assert "No such file" in done.stderr
    assert not (bot.folder / "data").exists(), "asking makes nothing"


def test_play_answers_while_no_other_engine_does(play, sim, engine):
    bot = engine(BOT)
    folder = play.scripts.parent / "data"

    def ask(name):
        # What would be an error for `run` keeps nobody from asking.
        return command(bot, name, DATA_DIR=str(folder), BOT_TOKEN="none")

    for name, said in (("status", f"moonlet play 0.1.0, process "
                        f"{play.process.child.pid}, "),
                       ("reload", "generation 2 loaded in")):
        done = ask(name)
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout
    assert "by moonlet play" in done.stdout
    (play.scripts / "main.lua").write_text(BROKEN)
    assert_one_line(ask("reload"), "main.lua:3: ")

    bot.settings["DATA_DIR"] = folder
    bot.start()
    done = ask("status")
    assert f"process {bot.process.child.pid}," in done.stdout
    assert "moonlet play" not in done.stdout
    bot.stop()
    assert "moonlet play " in ask("status").stdout


def test_commands_find_the_engine_through_the_configuration(engine, tmp_path):
    bot = engine(BOT).start()
    (tmp_path / "other.lua").write_text(
        'return { data_dir = "project/data" }\n')
    (bot.folder / "config.lua").write_text('return { data_dir = "data" }\n')
    for args, cwd in ((["--config", "other.lua"], tmp_path),
                      (["project"], tmp_path), ([], bot.folder)):
        done = subprocess.run(
            [harness.binary(), "reload", *args], cwd=cwd, text=True,
            env=harness.clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=harness.LIMIT)
        assert (done.returncode, done.stderr) == (0, ""), args
    assert json.loads(harness.LocalPeer(socket_of(bot)).request(
        "GET", "/api/status")[1])["generation"] == 4


# reload

def test_reload_prints_one_line(engine):
    bot = engine(BOT, HOT_RELOAD="false").start()
    done = command(bot, "reload")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"generation 2 loaded in \d+ ms\n", done.stdout)
    bot.write("main.lua", BROKEN)
    done = command(bot, "reload")
    assert_one_line(done, "moonlet: main.lua:3: ")
    assert done.stderr.endswith("; generation 2 goes on\n")
    bot.write("main.lua", "error('first\\nsecond')")
    assert_one_line(command(bot, "reload"), "main.lua:1: first second; ")


def test_reload_over_http_answers_when_the_load_has_ended(sim, engine):
    bot = engine(BOT, HOT_RELOAD="false").start()
    for at, peer in enumerate((harness.LocalPeer(socket_of(bot)), port_of(bot))):
        bot.write("main.lua", BOT.replace('"hi"', f'"new{at}"'))
        data = peer.sim("POST", "/api/reload")
        assert data.pop("ms") >= 0
        assert data == {"ok": True, "generation": 2 + at}
        user = sim.user("Ann")["id"]
        sim.send(user, "x")
        assert sim.wait_call("sendMessage", lambda c, u=user: c["chat_id"]
                             == u)["params"]["text"] == f"new{at}"
        bot.write("main.lua", BROKEN)
        data = peer.sim("POST", "/api/reload", status=400)
        assert (data["ok"], data["generation"]) == (False, 2 + at)
        assert (data["error"]["script"], data["error"]["line"]) == (
            "main.lua", 3)
        assert data["error"]["message"]


def test_requests_during_a_load_share_one_further_load(engine):
    bot = engine(BOT, **UNHURRIED).start()
    bot.write("main.lua", SLOW_TO_LOAD)
    first = ask_for_reload(bot)
    bot.wait_event("script.print", text="loading")
    others = [ask_for_reload(bot) for _ in range(7)]
    for _ in range(5):
        bot.process.child.send_signal(signal.SIGHUP)
    assert answer_of(first)["generation"] == 2
    assert [answer_of(other)["generation"] for other in others] == [3] * 7
    status = harness.LocalPeer(socket_of(bot)).sim("GET", "/api/status")
    assert status["generation"] == 3
    bot.stop()
    assert bot.process.text().count('"text":"loading"') == 2


def test_one_who_leaves_during_a_load_is_forgotten(engine):
    bot = engine(BOT, **UNHURRIED).start()
    bot.write("main.lua", SLOW_TO_LOAD)
    asker = ask_for_reload(bot)
    bot.wait_event("script.print", text="loading")
    asker.close()
    assert harness.LocalPeer(socket_of(bot)).request("POST", "/api/reload")[0] == 200


def test_a_stop_during_a_load_ends_clean(engine):
    bot = engine(BOT, **UNHURRIED).start()
    bot.write("main.lua", SLOW_TO_LOAD)
    asker = ask_for_reload(bot)
    bot.wait_event("script.print", text="loading")
    assert bot.process.end() == 0, bot.process.text()
    asker.close()


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
    for name in ("status", "reload"):
        assert_one_line(command(bot, name), "the engine is stopping")
    bot.process.child.send_signal(signal.SIGHUP)
    assert bot.process.end() != 0, "a second SIGTERM ends it at once"
    assert '"generation":2' not in bot.process.text()


def test_the_http_port_keeps_strangers_out(engine):
    bot = engine(BOT).start()
    peer = port_of(bot)
    host = f"127.0.0.1:{peer.port}"
    for path in ("/api/status", "/api/errors"):
        assert peer.request("GET", path)[0] == 200
        for headers in ({"Host": "example.org"},
                        {"X-Forwarded-For": "10.0.0.1"}):
            assert peer.request("GET", path, headers=headers)[0] == 403
    for origin, status in ((f"http://{host}", 200), ("http://evil.org", 403),
                           ("null", 403)):
        got = peer.request("POST", "/api/reload",
                           headers={"Origin": origin})[0]
        assert got == status, origin
    assert peer.request("GET", "/api/reload")[0] == 405
    assert harness.LocalPeer(socket_of(bot)).request("GET", "/sim/users")[0] == 404


def test_play_has_the_routes_too(play):
    assert play.sim("GET", "/api/status")["generation"] == 1
    assert play.sim("POST", "/api/reload")["ok"] is True


# errors

FAILING = """
local bot = require "moonlet.bot"
local errors = require "moonlet.errors"
bot.on_start(function() errors.capture("at start") end)
bot.command("boom", function(ctx)
  error("order " .. ctx.args[1] .. " is 'odd " .. ctx.args[1] .. "'")
end)
bot.command("caught", function(ctx)
  local ok, err = pcall(ctx.api.sendMessage, { chat_id = 1, text = "x" })
  errors.capture(err, { order = 7, big = 9007199254740991 })
  errors.capture("plain")
  errors.capture({ message = "of a table" })
  errors.capture(nil)
  errors.capture(false)
  ctx:reply("goes on " .. tostring(ok))
end)
bot.command("misuse", function(ctx)
  local calls = { function() errors.capture() end,
    function() errors.capture("x", "y") end,
    function() errors.capture("x", { f = print }) end,
    function() errors.Capture("x") end }
  local failed = 0
  for _, call in ipairs(calls) do
    if not pcall(call) then failed = failed + 1 end
  end
  ctx:reply("failed " .. failed)
end)
"""


def groups(bot):
    return harness.LocalPeer(socket_of(bot)).sim("GET", "/api/errors")["errors"]


def test_errors_of_handlers_are_grouped(sim, engine):
    bot = engine(FAILING).start()
    ann = sim.user("Ann")["id"]
    bot.wait_event("handler.captured")
    assert [g["message"] for g in groups(bot)] == ["at start"]
    for number in (12, 345):
        sim.send(ann, f"/boom {number}")
        bot.wait_event("handler.error",
                       message=f"order {number} is 'odd {number}'")
    found = groups(bot)
    assert len(found) == 2
    first = found[0]
    row = bot.wait_event("handler.error",
                         message="order 345 is 'odd 345'")
    assert (first["kind"], first["script"], first["line"]) == (
        "script", "main.lua", 6)
    assert first["count"] == 2 and first["generation"] == 1
    assert first["message"] == "order 345 is 'odd 345'"
    assert first["lane"] == f"chat:{ann}" == row["lane"]
    assert first["update_id"] == row["update_id"]
    assert "main.lua:6" in first["traceback"]
    assert 1.6e9 < first["first_seen"] <= first["last_seen"]


def test_captured_errors_are_logged_and_grouped(sim, engine):
    bot = engine(FAILING).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/caught")
    assert sim.wait_call(
        "sendMessage", lambda c: c["chat_id"] == ann)["params"]["text"] == (
        "goes on false")
    rows = [json.loads(line) for line in bot.process.lines
            if '"event":"handler.captured"' in line]
    assert [r["line"] for r in rows] == [4, 9, 11, 12, 13, 14]
    assert rows[1]["kind"] == "api" and rows[1]["script"] == "main.lua"
    assert json.loads(rows[1]["fields"]) == {"order": 7,
                                             "big": 9007199254740991}
    assert [r["message"] for r in rows[2:]] == [
        "plain", "of a table", "nil", "false"]
    assert '"event":"handler.error"' not in bot.process.text()
    found = groups(bot)
    assert len(found) == 6
    api = found[4]
    assert (api["kind"], api["line"]) == ("api", 9)
    assert api["fields"] == {"order": 7, "big": 9007199254740991}
    assert api["lane"] == f"chat:{ann}" and api["update_id"] > 0
    assert found[5]["lane"] is None and found[5]["update_id"] is None


def test_capture_refuses_what_is_no_call_of_it(sim, engine):
    bot = engine(FAILING).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/misuse")
    assert sim.wait_call("sendMessage")["params"]["text"] == "failed 4"
    assert len(groups(bot)) == 1


# messages to the admins

def admin_texts(sim, *admins):
    return [c["params"]["text"] for c in sim.calls("sendMessage")
            if c["chat_id"] in admins]


def test_admins_hear_once_of_a_failed_reload_and_of_its_end(sim, engine):
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    nobody = 987654321
    bot = engine(BOT, HOT_RELOAD="false",
                 ADMIN_IDS=f"{ann},{nobody},{bob}").start()
    assert command(bot, "reload").returncode == 0
    for text in (BROKEN, BROKEN, "-- x\n" + BROKEN, "-- x\n" + BROKEN):
        bot.write("main.lua", text)
        assert command(bot, "reload").returncode == 1
        line = 3 + text.count("-- x")
        for admin in (ann, bob):
            sim.wait_call("sendMessage", lambda c, a=admin, n=line: c[
                "chat_id"] == a and f"main.lua:{n}: " in c["params"]["text"])
    for _ in range(2):
        bot.write("main.lua", BOT)
        assert command(bot, "reload").returncode == 0
        for admin in (ann, bob):
            sim.wait_call("sendMessage", lambda c, a=admin: c["chat_id"] == a
                          and "Loaded" in c["params"]["text"])
    row = bot.wait_event("admins.not_told")
    assert row["level"] == "debug" and row["id"] == nobody
    bot.stop()
    for admin in (ann, bob):
        texts = admin_texts(sim, admin)
        assert len(texts) == 3, texts
        assert re.fullmatch(r"Not loaded: main\.lua:3: .+\. Generation 2 "
                            r"goes on\.", texts[0])
        assert re.fullmatch(r"Not loaded: main\.lua:4: .+\. Generation 2 "
                            r"goes on\.", texts[1])
        assert texts[2] == "Loaded: generation 3."


def test_admins_hear_nothing_at_start(sim, engine):
    ann = sim.user("Ann")["id"]
    bot = engine(BROKEN, ADMIN_IDS=ann).start(wait=False)
    assert bot.process.wait() == 1
    bot.write("main.lua", BOT)
    bot.start()
    bot.wait_event("polling.started")
    bot.stop()
    assert sim.calls("sendMessage") == []


@pytest.mark.parametrize("name", ["reload", "status"])
def test_help_and_usage(name, tmp_path):
    def run(*args):
        return subprocess.run(
            [harness.binary(), name, *args], cwd=tmp_path, text=True,
            env=harness.clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=harness.LIMIT)
    helped = run("--help")
    assert helped.returncode == 0 and "--config FILE" in helped.stdout
    assert run("a", "b").returncode == 2
    assert run("--nonsense").returncode == 2
    assert not os.listdir(tmp_path)
