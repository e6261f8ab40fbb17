"""`moonlet new`: the bot that it makes is right from the first moment."""
import harness

from cli.commands_test import assert_one_line, command

FILES = [".env.example", ".gitignore", "README.md", "config.lua",
         "locales/de.lua", "locales/en.lua", "main.lua", "main_spec.lua"]


def made(tmp_path):
    done = command("new", "tea", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "moonlet play tea" in done.stdout
    assert "moonlet test tea" in done.stdout
    return tmp_path / "tea"


def test_the_folder_has_all_that_a_bot_needs(tmp_path):
    bot = made(tmp_path)
    assert sorted(str(path.relative_to(bot)) for path in bot.rglob("*")
                  if path.is_file()) == FILES
    assert "data/\n" in (bot / ".gitignore").read_text()
    assert "BOT_TOKEN=" in (bot / ".env.example").read_text()


def test_check_is_silent_and_every_spec_passes(tmp_path):
    made(tmp_path)
    done = command("check", "--strict", "tea", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    done = command("test", "tea", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("\n4 passed, 0 failed\n")
    assert "never" not in done.stdout, "each handler has a spec"


def test_commands_find_the_bot_from_inside_its_folder(tmp_path):
    bot = made(tmp_path)
    assert command("check", "--strict", cwd=bot).returncode == 0
    done = command("test", cwd=bot)
    assert (done.returncode, done.stdout[-20:]) == (0, "\n4 passed, 0 failed\n")
    assert "[*] --> idle" in command("graph", cwd=bot).stdout
    (bot / "config.lua").unlink()
    assert command("check", cwd=bot).returncode == 0
    # What names another folder counts more.
    (bot / "config.lua").write_text("return { scripts_dir = 'other' }\n")
    assert "other/main.lua" in command("check", cwd=bot).stderr
    (bot / "config.lua").unlink()
    (bot / "scripts" / "bot").mkdir(parents=True)
    (bot / "scripts" / "bot" / "main.lua").write_text("x = = 1\n")
    assert command("check", cwd=bot).returncode == 1


def test_play_answers(tmp_path):
    made(tmp_path)
    play = harness.Play(tmp_path, tmp_path / "tea")
    events = harness.Events(play)
    try:
        ann = play.sim("GET", "/sim/users")[0]["id"]
        play.sim("POST", "/sim/send", {"from": ann, "text": "/start"})
        call = events.wait("call", lambda c: c["method"] == "sendMessage")
        assert call["params"]["text"].startswith("Hello, Ann")
    finally:
        events.close()
        play.close()


def test_check_passes_over_what_lies_in_the_data_folder(tmp_path):
    bot = made(tmp_path)
    (bot / "data" / "files").mkdir(parents=True)
    (bot / "data" / "moonlet.lock").write_text("1\n")
    (bot / "data" / "files" / "sent.lua").write_text("no Lua at all\n")
    assert command("check", bot).returncode == 0


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("dear diary")
    assert_one_line(command("new", "mine", cwd=tmp_path), 1,
                    "mine is not empty; name a folder that does not exist yet")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["notes"]
    (tmp_path / "empty").mkdir()
    assert command("new", "empty", cwd=tmp_path).returncode == 0


def test_bad_calls_say_what_is_wanted(tmp_path):
    assert_one_line(command("new"), 2, "which folder? moonlet new DIR")
    assert_one_line(command("new", "a/b/c", cwd=tmp_path), 1,
                    "a/b/c: No such file or directory")
    (tmp_path / "file").write_text("")
    assert_one_line(command("new", "file", cwd=tmp_path), 1,
                    "file: Not a directory")
