"""Settings as a user gives them: four sources, file:line errors, absent
parts, the table `app`, what play ignores, and secrets that stay secret."""
import json
import os
import re
import subprocess

import harness
import pytest

SECRET = "AAH-very-secret-part"
TOKEN = f"4242:{SECRET}"

BOT = """
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("hi") end)
"""


def command(*args, cwd, **env):
    return subprocess.run(
        [harness.binary(), *map(str, args)], cwd=cwd, text=True,
        env=harness.clean_environment(env), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=harness.LIMIT)


@pytest.fixture
def project(tmp_path):
    """A folder with scripts in five places; check prints which it took."""
    for name in ("scripts/bot", "from_lua", "from_dotenv", "from_env",
                 "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.lua").write_text(BOT)
    return tmp_path


def lua(project, text, name="config.lua"):
    (project / name).write_text(text)


def dotenv(project, text):
    (project / ".env").write_text(text)


def taken(project, **env):
    """The scripts' folder that `check` took, relative to the project."""
    done = command("check", cwd=project, **env)
    assert done.returncode == 0, done.stderr
    found = re.search(r"\((.+)\)", done.stdout).group(1)
    return os.path.relpath(found, project)


def refused(project, *args, **env):
    """The one line of a check that fails."""
    done = command("check", *args, cwd=project, **env)
    assert done.returncode == 1, done
    assert re.fullmatch(r"moonlet: [^\n]+\n", done.stderr), done.stderr
    assert done.stdout == ""
    return done.stderr[len("moonlet: "):-1]


def test_environment_then_dotenv_then_config_then_default(project):
    assert taken(project) == "scripts/bot"
    lua(project, 'return { scripts_dir = "from_lua" }')
    assert taken(project) == "from_lua"
    dotenv(project, "SCRIPTS_DIR=from_dotenv\n")
    assert taken(project) == "from_dotenv"
    assert taken(project, SCRIPTS_DIR="from_env") == "from_env"


def test_an_empty_value_is_unset(project):
    lua(project, 'return { scripts_dir = "from_lua", http_port = "" }')
    dotenv(project, "SCRIPTS_DIR=\nWORKERS=\n")
    assert taken(project, SCRIPTS_DIR="", HTTP_PORT="") == "from_lua"
    done = command("run", cwd=project, BOT_TOKEN="")
    assert done.returncode == 1 and "BOT_TOKEN is not set" in done.stderr


def test_paths_start_at_the_configs_folder(project):
    (project / "conf").mkdir()
    (project / "conf" / "bot").mkdir()
    (project / "conf" / "bot" / "main.lua").write_text(BOT)
    lua(project, 'return { scripts_dir = "bot" }', "conf/other.lua")
    for env in ({}, {"SCRIPTS_DIR": "bot"}, {"SCRIPTS_DIR": "./bot"}):
        done = command("check", "--config", "conf/other.lua", cwd=project,
                       **env)
        assert f"({project}/conf/bot)" in done.stdout, done
    dotenv(project / "conf", "SCRIPTS_DIR=../elsewhere\n")
    done = command("check", "--config", "conf/other.lua", cwd=project)
    assert os.path.realpath(re.search(r"\((.+)\)", done.stdout).group(1)) == (
        str(project / "elsewhere"))


@pytest.mark.parametrize("key, near", [
    ("http_prot", "http_port"), ("log_lvl", "log_level"),
    ("bottoken", "bot_token"), ("postgres_pasword", "postgres_password"),
    ("redis_urls", "redis_url"), ("HTTP_PORT", "http_port")])
def test_unknown_key_of_config_names_the_nearest(project, key, near):
    lua(project, f'return {{\n  data_dir = "d",\n  {key} = 1,\n}}\n')
    assert refused(project) == (
        f'config.lua:3: unknown setting "{key}"; did you mean "{near}"?')


def test_unknown_key_elsewhere(project):
    lua(project, "return {\n  zebra = 1 }")
    assert refused(project) == 'config.lua:2: unknown setting "zebra"'
    lua(project, "return {}")
    dotenv(project, "# mine\n\nHTTP_PROT=1\n")
    done = command("check", cwd=project, HTTP_PROT="2", ZEBRA="3")
    assert done.returncode == 0
    assert done.stderr == ('moonlet: .env:3: unknown setting "HTTP_PROT"; '
                           'did you mean "HTTP_PORT"?\n')


BAD = [
    ("http_port", '"abc"', "1..65535", '"abc"'),
    ("http_port", "70000", "1..65535", "70000"),
    ("http_port", "80.5", "1..65535", "80.5"),
    ("hot_reload", '"maybe"', "true or false", "maybe"),
    ("log_level", '"loud"', "debug, info, warn, error", "loud"),
    ("log_format", '"xml"', "text", "xml"),
    ("bot_api_url", '"ftp://x"', "http://", "ftp://x"),
    ("database_url", '"mysql://x"', "sqlite:PATH", None),
    ("admin_ids", '"1,ann"', "1", "1,ann"),
    ("request_timeout", '"soon"', "30s", "soon"),
    ("request_timeout", "-1", "30s", "-1"),
    ("shutdown_timeout", '"1w"', "30s", "1w"),
    ("lua_memory_limit", '"much"', "64M", "much"),
    ("max_retries", "-1", "0..100", "-1"),
    ("retry_backoff_base", "0", "1", "0"),
    ("state_store", '"disk"', "database", "disk"),
]


@pytest.mark.parametrize("key, value, allowed, found", BAD)
def test_bad_values_name_place_key_allowed_and_found(project, key, value,
                                                     allowed, found):
    plain = value.strip('"')

    def fits(line, place, name):
        assert line.startswith(f"{place}: {name} must be "), line
        assert allowed in line and (found is None or found in line)

    lua(project, f"return {{\n\n  {key} = {value},\n}}\n")
    fits(refused(project), "config.lua:3", key)
    lua(project, "return {}")
    dotenv(project, f"# first\n{key.upper()}={plain}\n")
    fits(refused(project), ".env:2", key.upper())
    dotenv(project, "")
    fits(refused(project, **{key.upper(): plain}), "environment",
         key.upper())


@pytest.mark.parametrize("text, place", [
    ("return {\n  data_dir = ,\n}", "config.lua:2: "),
    ("return {\n\n  data_dir = {} .. 1 }", "config.lua:3: "),
    ('error("mine")', "config.lua:1: mine"),
    ("return 7", "config.lua:1: "),
    ("while true do end", "config.lua:1: "),
    ("return { data_dir = function() end }", "config.lua:1: data_dir "),
    ("return { app = 7 }", "config.lua:1: app must be a table"),
    ("return {\n app = { tostring } }", "config.lua:2: app "),
])
def test_a_broken_config_names_its_line(project, text, place):
    lua(project, text)
    assert refused(project).startswith(place)


def test_a_broken_dotenv_names_its_line(project):
    dotenv(project, "A=1\nnonsense\n")
    assert ".env:2: expected NAME=value" in command(
        "check", cwd=project).stderr


@pytest.mark.parametrize("value", [
    "30", "0.5", "500ms", "30s", "5m", "2h", "7d"])
def test_durations_everywhere(project, value):
    names = ("POSTGRES_POOL_RECYCLE", "SHUTDOWN_TIMEOUT", "HANDLER_TIMEOUT")
    if value not in ("0.5", "500ms", "7d"):
        names += ("REQUEST_TIMEOUT", "FILE_DOWNLOAD_TIMEOUT", "DB_TIMEOUT",
                  "TRANSFER_STALL_TIMEOUT", "POSTGRES_POOL_TIMEOUT")
    for name in names[value in ("0.5", "500ms", "7d"):]:
        if (name, value) == ("SHUTDOWN_TIMEOUT", "7d"):
            continue
        assert taken(project, **{name: value}) == "scripts/bot"


WEBHOOK = {"WEBHOOK_URL": "https://x.example/hook",
           "WEBHOOK_SECRET": "s3cret-of-hook"}
ABSENT = {
    "POSTGRES_HOST": {"POSTGRES_HOST": "db"},
    "DATABASE_URL": {"DATABASE_URL": "postgresql://u:s3cret-pw@db/x"},
    "REDIS_HOST": {"REDIS_HOST": "cache"},
    "REDIS_URL": {"REDIS_URL": "redis://:s3cret-pw@cache/0"},
    "RQ_REDIS_URL": {"RQ_REDIS_URL": "redis://:s3cret-pw@cache/1"},
    "CONSOLE_TOKEN": {"CONSOLE_TOKEN": "s3cret-console"},
    "SANDBOX": {"SANDBOX": "false"},
}


@pytest.mark.parametrize("name", ABSENT)
def test_settings_that_switch_absent_parts_on(project, name):
    env = ABSENT[name]
    line = refused(project, **env)
    assert line == f"environment: not built yet: {name}"
    done = command("run", cwd=project, BOT_TOKEN=TOKEN, **env)
    assert done.returncode == 1
    assert done.stderr == f"moonlet: {line}\n"
    assert not (project / "data").exists()
    dotenv(project, "".join(f"{k}={v}\n" for k, v in env.items()))
    assert refused(project) == f".env:1: not built yet: {name}"


def test_state_store_redis_is_not_built_and_needs_redis(project):
    lua(project, 'return {\n  state_store = "redis" }')
    assert refused(project) == ("config.lua:2: state_store = redis needs "
                                "REDIS_URL or REDIS_HOST, neither is set")
    assert "not built yet: REDIS_HOST" in refused(project, REDIS_HOST="r")


@pytest.mark.parametrize("url", [
    "https://x.example/a*", "https://x.example/a%20b"])
def test_a_webhook_path_is_plain(project, url):
    line = refused(project, **{**WEBHOOK, "WEBHOOK_URL": url})
    assert line == ("environment: WEBHOOK_URL must have neither * nor % in "
                    "its path")


def test_a_webhook_address_may_have_anything_elsewhere(project):
    for url in ("https://u:%41@x.example/hook?a=%20*", "https://x.example"):
        assert taken(project, **{**WEBHOOK, "WEBHOOK_URL": url}) == \
            "scripts/bot"


def test_settings_that_only_tune_are_accepted(project):
    lua(project, """return {
      admin_ids = { 1, 2, 4503599627370495 }, tz = "Europe/Berlin",
      log_level = "warn", log_format = "json", http_host = "127.0.0.1",
      http_port = 9090, webhook_secret = "abc_DEF-1",
      postgres_port = 5433,
      postgres_user = "u", postgres_password = "p", postgres_db = "d",
      postgres_pool_size = 5, postgres_max_overflow = 0,
      postgres_pool_recycle = "1h", postgres_pool_timeout = 5,
      postgres_pool_pre_ping = false, redis_port = 6380, redis_db = 3,
      redis_password = "p", state_store = "database",
      rq_queue_name = "mine", workers = 8, request_timeout = "20s",
      file_download_timeout = "10m", transfer_stall_timeout = 15,
      db_timeout = 10, max_retries = 5, retry_backoff_base = 1.5,
      broadcast_batch_size = 10, broadcast_rate = 25, broadcast_delay = 0.05,
      broadcast_paid = false, hot_reload = false, handler_cpu_limit = "1s",
      handler_timeout = "1h", lua_memory_limit = "64M", inbox_limit = 10,
      shutdown_timeout = 5, sandbox = true, core_dumps = true,
      https_proxy = "http://proxy:3128", no_proxy = "localhost,10.0.0.0/8",
      ssl_cert_file = "config.lua",
      bot_api_url = "http://127.0.0.1:8081/",
    }""")
    done = command("check", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_url_wins_over_its_parts_with_one_warning(project):
    lua(project, """return {
      database_url = "sqlite:other.db", postgres_db = "one",
      postgres_user = "two" }""")
    done = command("check", cwd=project)
    assert done.returncode == 0
    assert re.fullmatch(r"moonlet: config\.lua:2: DATABASE_URL wins over "
                        r"[^\n]+\n", done.stderr), done.stderr


def test_app_is_what_scripts_see(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local config = require "moonlet.config"
local json = require "moonlet.json"
bot.on("message:text", function(ctx) ctx:reply(json.encode(config)) end)
""", MY_KEY="from the environment")
    (bot.folder / "config.lua").write_text("""return {
      app = { name = "shop", key = env "MY_KEY", none = env "NO_SUCH_KEY",
              big = 9007199254740992, half = 0.5, on = true,
              list = { 1, 2 }, deep = { er = { x = "y" } } } }""")
    bot.start()
    sim.send(sim.user("Ann")["id"], "x")
    text = sim.wait_call("sendMessage")["params"]["text"]
    assert json.loads(text) == {
        "name": "shop", "key": "from the environment",
        "big": 9007199254740992, "half": 0.5, "on": True, "list": [1, 2],
        "deep": {"er": {"x": "y"}}}
    assert "BOT_TOKEN" not in text and "4242" not in text


def test_without_app_the_module_is_an_empty_table(project):
    (project / "scripts/bot/main.lua").write_text(
        'assert(next(require "moonlet.config") == nil)')
    assert taken(project) == "scripts/bot"


# play

IGNORED = {
    "BOT_TOKEN": TOKEN, "BOT_API_URL": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1", **WEBHOOK,
    **ABSENT["DATABASE_URL"], **ABSENT["POSTGRES_HOST"],
    "POSTGRES_PASSWORD": "s3cret-pw", **ABSENT["REDIS_URL"],
    **ABSENT["REDIS_HOST"], **ABSENT["RQ_REDIS_URL"], "STATE_STORE": "redis"}


def start_play(folder, **env):
    process = harness.Process(
        ["play"], cwd=folder,
        env={"HTTP_PORT": harness.free_port(), "LOG_LEVEL": "debug", **env})
    line = process.wait_line(r"http://127\.0\.0\.1:\d+/play")
    port = int(re.search(r":(\d+)/play", line).group(1))
    return process, harness.HttpPeer("127.0.0.1", port)


def assert_play_answers(peer):
    events = harness.Events(peer)
    ann = peer.sim("POST", "/sim/users", {"first_name": "Ann"})["id"]
    peer.sim("POST", "/sim/send", {"from": ann, "text": "x"})
    call = events.wait("call", lambda c: c["method"] == "sendMessage")
    events.close()
    assert call["params"]["text"] == "hi" and call["chat_id"] == ann


def test_play_ignores_servers_and_token_and_has_its_own_data(project):
    process, peer = start_play(project, DATA_DIR="mine", **IGNORED)
    assert_play_answers(peer)
    assert peer.request("POST", "/bot1:PLAY/getMe")[0] == 200
    assert process.end() == 0, process.text()
    assert {p.name for p in (project / "mine").iterdir()} == {"play"}
    assert (project / "mine" / "play" / "inbox.db").is_file()
    for secret in (SECRET, "s3cret"):
        assert secret not in process.text()


@pytest.mark.parametrize("env", [
    {"STATE_STORE": "redis"}, {"BOT_TOKEN": "put-your-token-here"},
    {"WEBHOOK_URL": "https://x.example/hook"}, {"REDIS_URL": "cache:6379"},
    {"BOT_API_URL": "nowhere"}, {"HTTPS_PROXY": "gopher://x"},
    {"WEBHOOK_SECRET": "not one"}, {"DATABASE_URL": "mysql://x"},
    {"POSTGRES_PORT": "none"}, {"POSTGRES_POOL_SIZE": "0"},
    {"POSTGRES_POOL_RECYCLE": "soon"}, {"REDIS_DB": "-1"},
    {"RQ_REDIS_URL": "cache"}, {"HOT_RELOAD": "maybe"},
    {"BOT_API_URL": "http://own.example", "BROADCAST_RATE": "60"},
    {"DATABASE_URL": "postgresql://db/x", "POSTGRES_HOST": "other"}])
def test_play_ignores_what_would_be_an_error_elsewhere(project, env):
    process, peer = start_play(project, **env)
    assert_play_answers(peer)
    assert process.end() == 0, process.text()
    assert "moonlet:" not in process.text()


def test_play_ignores_them_wherever_they_stand_and_check_does_not(project):
    lua(project, 'return { redis_port = "many", state_store = "redis" }')
    dotenv(project, "POSTGRES_PORT=many\nWEBHOOK_URL=x\n")
    process, peer = start_play(project, BOT_TOKEN="none")
    assert_play_answers(peer)
    assert process.end() == 0, process.text()
    assert refused(project, BOT_TOKEN="none").startswith(
        "environment: BOT_TOKEN must be ")
    assert refused(project).startswith(".env:2: WEBHOOK_URL must be ")
    dotenv(project, "")
    assert refused(project).startswith("config.lua:1: redis_port must be ")


def test_play_takes_all_other_settings_as_they_are(project):
    lua(project, 'return {\n http_prot = 1, workers = -1 }')
    done = command("play", cwd=project)
    assert done.returncode == 1 and "config.lua:2: unknown" in done.stderr
    lua(project, 'return {\n workers = -1 }')
    done = command("play", cwd=project, BOT_TOKEN=TOKEN)
    assert done.returncode == 1 and "config.lua:2: workers" in done.stderr
    done = command("play", cwd=project, BOT_TOKEN=TOKEN, HTTP_PORT=TOKEN)
    assert done.returncode == 1 and SECRET not in done.stderr


# secrets

def test_bad_secrets_are_not_shown(project):
    for name, value in (("BOT_TOKEN", f"4242 {SECRET}"),
                        ("REDIS_URL", f"redi://:{SECRET}@x"),
                        ("DATABASE_URL", f"pg://u:{SECRET}@x"),
                        ("WEBHOOK_SECRET", f"{SECRET} "),
                        ("HTTPS_PROXY", f"gopher://u:{SECRET}@x")):
        line = refused(project, **{name: value})
        assert line.startswith(f"environment: {name} must be ")
        assert SECRET not in line
    # A token in the wrong place.
    line = refused(project, BOT_TOKEN=TOKEN, HTTP_PORT=TOKEN)
    assert "HTTP_PORT" in line and SECRET not in line


@pytest.mark.parametrize("text", [
    'return { bot_token = "%s }', 'return { bot_token = %s }',
    'return { bot_token = "%s" "" }', "return { bot_token = '%s\n' }",
    'return { bot_token = [[%s }', 'return { bot_token = { { "%s" } } }',
    'return { bot_token = "x" "%s" }', 'return { bot_token = 42%s }',
    'local t = "%s"\nreturn t.x.y', 'return "%s"'])
def test_a_broken_config_does_not_show_the_token(project, text):
    lua(project, text % TOKEN)
    line = refused(project)
    assert line.startswith("config.lua:") and SECRET not in line


def run_until(project, pattern, **env):
    process = harness.Process(
        ["run"], cwd=project,
        env={"BOT_TOKEN": TOKEN, "LOG_LEVEL": "debug",
             "HTTP_PORT": harness.free_port(), **env})
    process.wait_line(pattern)
    return process


@pytest.mark.parametrize("env", [
    {"BOT_API_URL": "http://127.0.0.1:1"},
    {"BOT_API_URL": "http://no-such-host.invalid"},
    {"BOT_API_URL": "http://127.0.0.1:1", "LOG_FORMAT": "json"},
    {"HTTPS_PROXY": f"http://user:{SECRET}@127.0.0.1:1",
     "BOT_API_URL": "http://api.example"},
])
def test_unreachable_api_hosts_do_not_show_the_token(project, env):
    process = run_until(project, "polling.failed", **env)
    assert process.end() == 0, process.text()
    assert SECRET not in process.text() and TOKEN not in process.text()


def test_scripts_cannot_log_the_token(project):
    (project / "scripts/bot/main.lua").write_text(f"""
local bot = require "moonlet.bot"
local log = require "moonlet.log"
bot.on_start(function()
  log.info("has {TOKEN}", {{ url = "x/bot{TOKEN}/getMe" }})
  error("failed with {TOKEN}")
end)
""")
    process = run_until(project, "handler.error|start.error|failed with",
                        BOT_API_URL="http://127.0.0.1:1")
    assert process.end() == 0, process.text()
    assert "/getMe" in process.text(), "the line itself is there"
    assert SECRET not in process.text()


def test_refused_token_is_not_shown(project):
    sim = harness.Sim("--token", "1:OTHER")
    process = run_until(project, "telegram.refused", BOT_API_URL=sim.url)
    assert process.wait() == 1
    assert SECRET not in process.text()
    sim.close()


def test_config_lua_may_ask_for_what_stands_in_env(tmp_path):
    bot = tmp_path / "bot"
    bot.mkdir()
    (bot / "main.lua").write_text("""
require "moonlet.bot"
local app = require "moonlet.config"
assert(app.key == "from .env" and app.both == "from outside" and not app.no)
""")
    (bot / "config.lua").write_text("""
return { app = { key = env "SHOP_KEY", both = env "BOTH", no = env "NO" } }
""")
    (bot / ".env").write_text("SHOP_KEY='from .env'\nBOTH=1\nOTHER=2\n")
    done = command("check", "bot", cwd=tmp_path, BOTH="from outside")
    assert done.returncode == 0, done.stderr
    assert done.stderr == 'moonlet: .env:3: unknown setting "OTHER"\n'
