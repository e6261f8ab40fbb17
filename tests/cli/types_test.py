"""`moonlet types`: everything of the Bot API and of the library is there, it
is Lua, and the reader of `moonlet check` finds nothing wrong in it."""
import json
import re
import shutil
import subprocess

import pytest

from cli.commands_test import assert_one_line, command
from laws import tree


LUA = {"String": "string", "Array of RichText": "botapi.RichText[]"}


@pytest.fixture(name="types", scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bot")
    done = command("types", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+ files in types; .luarc.json beside .*\n",
                        done.stdout)
    return folder / "types"


def table(name):
    path = tree.ROOT / f"vendor/botapi/{name}.json"
    return json.loads(path.read_text("utf-8"))[name]


def test_every_method_and_parameter_is_there(types):
    text = (types / "moonlet/api.lua").read_text("utf-8")
    for method in table("methods"):
        name = method["name"]
        assert f"\nfunction api.{name}(params, options) end\n" in text
        for head, mark in ((f"opts.{name}", "?"),
                           (f"params.{name}: botapi.opts.{name}", "")):
            block = text.split(f"---@class botapi.{head}\n")[1]
            fields = re.findall(r"---@field (\w+)(\??) \S+\n",
                                ("\n" + block).split("\n\n")[0] + "\n")
            assert fields == [(param["name"], mark)
                              for param in method["params"]
                              if param["required"] != bool(mark)]
    assert "---@field chat_id integer|string\n" in text
    assert "---@field text string|moonlet.piece\n" in text
    assert "---@field photo string|moonlet.file\n" in text


def test_every_type_and_field_is_there(types):
    text = (types / "botapi.lua").read_text("utf-8")
    for each in table("types"):
        name = each["name"]
        if name == "InputFile":
            continue
        if each.get("one_of"):
            alias = text.split(f"---@alias botapi.{name} ")[1].split("\n")[0]
            assert alias.split("|") == [LUA.get(one, f"botapi.{one}")
                                        for one in each["one_of"]]
            continue
        block = "\n" + text.split(f"---@class botapi.{name}\n")[1]
        assert re.findall(
            r"---@field (\w+)", block.split("\n\n")[0]) == [
            field["name"] for field in each["fields"]]
    assert "---@field entities? botapi.MessageEntity[]\n" in text
    named = set(re.findall(r"botapi\.([A-Z]\w+)", text))
    assert named == {each["name"] for each in table("types")
                     if each["name"] != "InputFile"}


def test_every_function_of_the_library_is_there(types):
    page = (tree.ROOT / "docs/LUA_API.md").read_text("utf-8")
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        title = section.split("\n")[0]
        name = title.replace("moonlet.", "")
        if name == "api" or " " in title:
            continue
        text = (types / f"moonlet/{name}.lua").read_text("utf-8")
        for called in re.findall(r"^### `\w+[.:](\w+)", section, re.M):
            assert re.search(rf"[.:]{called}\(|@field {called} ", text), (
                title, called)


def test_a_handler_knows_its_context_and_the_api(types):
    bot = (types / "moonlet/bot.lua").read_text("utf-8")
    assert "---@param fn fun(ctx: moonlet.ctx, ...: any): any\n" in bot
    assert ("---@param name string|string[]\n"
            "---@param fn fun(ctx: moonlet.ctx.text, ...: any): any\n") in bot
    assert ('---@overload fun(filter: "message:text"|"edited_message:text"|'
            '":text", fn: fun(ctx: moonlet.ctx.text, ') in bot
    ctx = (types / "moonlet/ctx.lua").read_text("utf-8")
    assert "---@class moonlet.ctx\n" in ctx
    assert "---@field api moonlet.api\n" in ctx
    assert ("---@param opts? moonlet.ctx.reply.opts\n"
            "---@return botapi.Message\nfunction ctx:reply(") in ctx
    assert ("---@class moonlet.ctx.reply.opts: botapi.opts.sendMessage, "
            "moonlet.api.options\n---@field quote? boolean\n") in ctx
    texts = (types / "moonlet/i18n.lua").read_text("utf-8")
    assert ("---@overload fun(key: string, args?: table): string\n"
            "---@return string\nfunction i18n.t(") in texts
    spec = (types / "moonlet/test.lua").read_text("utf-8")
    assert ("---@overload fun(name: string, fn: function): any\n"
            "---@return any ...\nfunction test.case(") in spec
    every = "".join(path.read_text("utf-8") for path in types.rglob("*.lua"))
    made = set(re.findall(r"@(?:class|alias) ([\w.]+)", every))
    used = set(re.findall(r"\b((?:moonlet|botapi)(?:\.\w+)+)",
                          "\n".join(re.findall(
                              r"@(?:param|return|field|class) .*", every))))
    assert {name for name in used if not re.search(r"\.$", name)} <= made


def test_it_is_lua_and_the_reader_of_check_takes_it(types, tmp_path):
    names = []
    for path in sorted(types.rglob("*.lua")):
        name = str(path.relative_to(types))[:-4].replace("/", "_")
        names.append(name)
        text = path.read_text("utf-8")
        assert text.startswith("---@meta")
        (tmp_path / f"{name}.lua").write_text(text.replace("---@meta", "--"))
    (tmp_path / "main.lua").write_text(
        'require "moonlet.bot"\n' +
        "".join(f'require "{name}"\n' for name in names))
    done = command("check", "--strict", tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_bot_is_checked_without_them(types):
    (types.parent / "main.lua").write_text('require "moonlet.bot"\n')
    done = command("check", "--strict", types.parent)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)


def test_the_hint_is_written_once(types):
    path = types.parent / ".luarc.json"
    hint = json.loads(path.read_text())
    assert hint["workspace.library"] == ["types"]
    assert hint["diagnostics.globals"] == ["env"]
    path.write_text("{}")
    done = command("types", cwd=types.parent)
    assert done.returncode == 0 and "workspace.library" in done.stdout
    assert path.read_text() == "{}"


def test_out_names_the_folder_or_stdout(tmp_path):
    done = command("types", "--out", "there", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "there/botapi.lua").is_file()
    library = json.loads((tmp_path / ".luarc.json").read_text())
    assert library["workspace.library"] == ["there"]
    done = command("types", "--out", "-", cwd=tmp_path)
    assert "function api.sendMessage(" in done.stdout
    assert not (tmp_path / "types").exists()
    assert_one_line(command("types", "--out", "no/such", cwd=tmp_path), 1,
                    "no/such: No such file or directory")


@pytest.mark.skipif(not shutil.which("lua-language-server"),
                    reason="lua-language-server is not installed")
def test_the_language_server_knows_the_api(types, tmp_path):
    (types.parent / "main.lua").write_text(
        'local api = require "moonlet.api"\n'
        'api.sendMessage { chat_id = 1, text = 2 }\n')
    done = subprocess.run(
        ["lua-language-server", "--check", types.parent, "--logpath",
         tmp_path], capture_output=True, text=True, check=False)
    assert "1 problem" in done.stdout
