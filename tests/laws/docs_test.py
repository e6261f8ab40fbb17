"""The words of the project say what the code says: the generated page is
current, settings and log events are all told of, links lead somewhere, files
and bounds that are named exist, and the printed bots run.
"""
import importlib.util
import re
import shutil
import subprocess
import sys

import pytest

import harness
from laws import tree

SETTING = re.compile(
    r"^    (?:TEXT|PATH|INT|REAL|TIME|SIZE|BOOL|WORD|IDS)\("
    r'"(\w+)", \w+(?:,\s+"([^"]*)")?', re.M)
ABSENT = re.compile(r"absent\[\] = \{(.*?)\n    \};", re.S)
EVENT = re.compile(r'\bLOG_(?:DEBUG|INFO|WARN|ERROR),\s+"([\w.]+)"')
LIBRARY_EVENT = re.compile(r'\blog\.\w+\("([\w.]+)"')
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LUA = re.compile(r"^```lua\n(.*?)^```$", re.M | re.S)
NAMED_FILE = re.compile(
    r"`((?:engine|bindings|scripts|tests|vendor|docs)/[\w./]+)`")
BOUND = re.compile(r"^\| `(\w+)` \| (\d+) \| `([\w./]+)` \|$", re.M)


def text(root, name):
    return (root / name).read_text("utf-8")


def generator(root):
    spec = importlib.util.spec_from_file_location(
        "generate", root / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page_breaches(root, page):
    if text(root, "docs/LUA_API.md") == page:
        return []
    return ["docs/LUA_API.md: is not current, run docs/generate.py"]


def setting_breaches(root):
    """Each setting has one row with its default; those in the table of
    refused ones are those that the engine refuses."""
    schema = text(root, "engine/loop/config_schema.c")
    page = text(root, "docs/OPERATIONS.md")
    refused = re.findall(r'\{"(\w+)"', ABSENT.search(
        text(root, "engine/cli/settings.c")).group(1))
    part = page.split("### Refused")[1].split("###")[0]
    found = []
    for name, fallback in SETTING.findall(schema):
        row = f"| `{name}` | {f'`{fallback}`' if fallback else 'unset'} |"
        if page.count(f"\n| `{name}` |") != 1:
            found.append(f"docs/OPERATIONS.md: needs one row for {name}")
        elif f"\n{row}" not in page:
            found.append(f"docs/OPERATIONS.md: {name}: no row \"{row}\"")
        if (f"| `{name}` |" in part) != (name in refused):
            found.append(f"docs/OPERATIONS.md: {name}: refused or not?")
    return found


def events(root):
    found = set()
    for path in tree.files(root, ".c", ".lua",
                           below=("engine", "bindings", "scripts")):
        if path.relative_to(root).parts[:2] != ("scripts", "bot"):
            pattern = LIBRARY_EVENT if path.suffix == ".lua" else EVENT
            found |= set(pattern.findall(path.read_text("utf-8")))
    return sorted(found)


def event_breaches(root):
    page = text(root, "docs/OPERATIONS.md")
    return [f"docs/OPERATIONS.md: the log event {event} is not told of"
            for event in events(root) if f"`{event}`" not in page]


def anchors(page):
    """What a heading is called in a link: lower case, dashes."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", page), re.M)
    return {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-")
            for head in heads}


def link_breaches(root):
    found = []
    for path in tree.files(root, ".md"):
        where = path.relative_to(root)
        for link in LINK.findall(FENCE.sub("", path.read_text("utf-8"))):
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            if re.match(r"\w+:", link):
                continue
            if not target.exists():
                found.append(f"{where}: {link} leads nowhere")
            elif anchor and anchor not in anchors(
                    target.read_text("utf-8")):
                found.append(f"{where}: {link} has no such heading")
    return found


def file_breaches(root):
    page = text(root, "docs/ARCHITECTURE.md")
    names = set(NAMED_FILE.findall(page)) - {"bindings/NAME.c"}
    return [f"docs/ARCHITECTURE.md: there is no {name}"
            for name in sorted(names) if not (root / name).exists()]


def bound_breaches(root):
    return [f"docs/ARCHITECTURE.md: {name} is not {value} in {where}"
            for name, value, where
            in BOUND.findall(text(root, "docs/ARCHITECTURE.md"))
            if not re.search(rf"#define {name} {value}u?\b",
                             text(root, where))]


def test_the_generated_page_is_current():
    tree.obeyed(page_breaches(tree.ROOT, generator(tree.ROOT).page(tree.ROOT)))


def test_every_setting_is_told_of():
    tree.obeyed(setting_breaches(tree.ROOT))


def test_every_log_event_is_told_of():
    tree.obeyed(event_breaches(tree.ROOT))


def test_links_lead_somewhere():
    tree.obeyed(link_breaches(tree.ROOT))


def test_named_files_exist():
    tree.obeyed(file_breaches(tree.ROOT))


def test_the_annotations_are_current(tmp_path):
    command = [sys.executable, "docs/luacats.py", "--check"]
    assert subprocess.run(command, cwd=tree.ROOT, check=False).returncode == 0
    for folder in ("docs", "scripts", "bindings", "engine/vm"):
        shutil.copytree(tree.ROOT / folder, tmp_path / folder)
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    page = tmp_path / "docs/types/bot.lua"
    page.write_text(page.read_text("utf-8") + "-- mine\n", "utf-8")
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 1


def test_named_bounds_are_those_of_the_code():
    tree.obeyed(bound_breaches(tree.ROOT))


def answer(events, method, start):
    """The text of the first such call behind event number `start`."""
    return events.wait("call", lambda call: call["method"] == method,
                       start=start)["params"]["text"]


def test_the_bot_of_the_readme_runs(tmp_path):
    bot, _ = LUA.findall(text(tree.ROOT, "README.md"))
    assert bot.count("\n") == 20
    tree.plant(tmp_path, {"tea/main.lua": bot})
    play = harness.Play(tmp_path, tmp_path / "tea")
    events = harness.Events(play)
    ann = play.sim("GET", "/sim/users")[0]["id"]

    def send(words, method="sendMessage"):
        start = len(events.seen)
        play.sim("POST", "/sim/send", {"from": ann, "text": words})
        return answer(events, method, start)

    def press(data):
        start = len(events.seen)
        play.sim("POST", "/sim/click", {"from": ann, "data": data})
        return answer(events, "editMessageText", start)

    try:
        assert send("/start") == "Good evening, Ann. What will it be?"
        assert press("tea:1") == "Cups of tea: 1"
        assert press("tea:2") == "Cups of tea: 2"
        assert send("Thank you") == "You are welcome, Ann."
    finally:
        events.close()
        play.close()


def specs_pass(folder, specs):
    """Runs `moonlet test` in a folder with a bot, which has so many cases."""
    done = subprocess.run(
        [harness.binary(), "test", folder], capture_output=True, text=True,
        env=harness.clean_environment(), timeout=harness.LIMIT, check=False)
    assert done.stdout.endswith(f"\n{specs} passed, 0 failed\n"), (
        done.stdout + done.stderr)


def test_the_spec_of_the_readme_passes(tmp_path):
    bot, spec = LUA.findall(text(tree.ROOT, "README.md"))
    tree.plant(tmp_path, {"main.lua": bot, "tea_spec.lua": spec})
    specs_pass(tmp_path, 1)


def all_guide_blocks():
    """(line, name of its file or None, text) of each Lua block."""
    page = text(tree.ROOT, "docs/GUIDE.md")
    for match in LUA.finditer(page):
        named = re.match(r"-- ([\w/]+\.lua)\n", match.group(1))
        yield (page[:match.start()].count("\n") + 1,
               named and named.group(1), match.group(1))


def guide_blocks():
    return [row for row in all_guide_blocks() if '"moonlet.test"' not in row[2]]


def torn(page):
    """Places of a page that a merge has torn: headings without an empty line
    around them, and paragraphs that say what another has said."""
    prose = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), page,
                   flags=re.S)
    lines = ["", *prose.split("\n"), ""]
    places = [n for n, line in enumerate(lines) if re.match("#+ ", line)
              and n > 1 and (lines[n - 1] or lines[n + 1])]
    seen = {}
    for n, line in enumerate(lines):
        start = line[:60]
        if len(start) == 60 and line[0] not in "|#":
            if start in seen:
                places.append(n)
            seen[start] = n
    return places


def test_a_torn_page_is_seen():
    long = "A machine belongs to a person in a chat; others may share it."
    assert torn(f"# A\n\n{long}\n\n## B\n\n```lua\n# c\n```\n") == []
    assert torn(f"{long}\n### B\n\n{long} More.\n") == [2, 4]


@pytest.mark.parametrize("name", ["README.md", "docs/GUIDE.md",
                                  "docs/OPERATIONS.md",
                                  "docs/ARCHITECTURE.md"])
def test_no_page_is_torn(name):
    assert torn(text(tree.ROOT, name)) == []


def test_the_specs_of_the_guide_pass(tmp_path):
    first = guide_blocks()[0][2]
    specs = {n: b for _, n, b in all_guide_blocks() if n and "_spec" in n}
    assert len(specs) == 2
    tree.plant(tmp_path, {"first/main.lua": first, **specs})
    specs_pass(tmp_path / "first", 2)


@pytest.mark.parametrize("line, name, block", [
    pytest.param(*row, id=f"line {row[0]}") for row in guide_blocks()])
def test_the_examples_of_the_guide_load(tmp_path, line, name, block):
    files = {f"scripts/bot/{n}": b for _, n, b in guide_blocks()
             if n not in (None, "main.lua", "config.lua")}
    if name == "config.lua":
        files["config.lua"], block = block, ""
    elif name is None and 'local bot = require "moonlet.bot"' not in block:
        block = 'local bot = require "moonlet.bot"\n' + block
    files["scripts/bot/main.lua"] = block
    tree.plant(tmp_path, files)
    done = subprocess.run(
        [harness.binary(), "check", tmp_path], capture_output=True, text=True,
        env=harness.clean_environment(), timeout=harness.LIMIT, check=False)
    assert done.returncode == 0, f"docs/GUIDE.md:{line}: {done.stderr}"


SCHEMA = """
    TEXT("BOT_TOKEN", bot_token, "", bot_token),
    INT("WORKERS", workers, "4", 0, 1000),
    TIME("LONG_NAME", long_name_ms, "30s", 1,
         DAY_MS),
"""
SETTINGS_C = """
    } absent[] = {
        {"BOT_TOKEN", *c->bot_token},
    };
"""
OPERATIONS = """
### Refused: x
| `BOT_TOKEN` | unset | set |
### Others
| `WORKERS` | `4` | x |
| `LONG_NAME` | `30s` | x |
`ready`
"""


def world(tmp_path, more=None):
    return tree.plant(tmp_path, {
        "engine/loop/config_schema.c": SCHEMA,
        "engine/cli/settings.c": SETTINGS_C,
        "engine/x.c": 'LOG_AT(log, LOG_INFO,\n  "ready");\n'
                      '#define A_MAX 5u\n',
        "docs/OPERATIONS.md": OPERATIONS,
        "docs/ARCHITECTURE.md": "`engine/x.c`\n"
                                "| `A_MAX` | 5 | `engine/x.c` |\n",
        "README.md": "# A b, c\n[a](docs/OPERATIONS.md#others) [b](#a-b-c)\n"
                     "[c](https://example.org) `[d](e)`\n".replace("`", ""),
        "e": "",
        **(more or {})})


LAWS = [setting_breaches, event_breaches, link_breaches, file_breaches,
        bound_breaches]


def test_takes_a_good_world(tmp_path):
    root = world(tmp_path)
    assert [law(root) for law in LAWS] == [[]] * len(LAWS)


def test_finds_settings_and_events_that_are_not_told_of(tmp_path):
    root = world(tmp_path, {"docs/OPERATIONS.md":
                            OPERATIONS.replace("`4`", "`5`")
                            .replace("LONG_NAME", "LONG")
                            .replace("ready", "steady")})
    assert [line.split(": ", 1)[1] for line in setting_breaches(root)] == [
        'WORKERS: no row "| `WORKERS` | `4` |"', "needs one row for LONG_NAME"]
    assert len(event_breaches(root)) == 1
    root = world(tmp_path, {"engine/cli/settings.c":
                            SETTINGS_C.replace("BOT_TOKEN", "WORKERS")})
    assert len(setting_breaches(root)) == 2


def test_finds_what_does_not_exist(tmp_path):
    root = world(tmp_path, {
        "README.md": "[a](nowhere.md) [b](docs/OPERATIONS.md#none)\n",
        "docs/ARCHITECTURE.md":
            "`engine/y.c`\n| `A_MAX` | 6 | `engine/x.c` |\n"})
    assert len(link_breaches(root)) == 2
    assert len(file_breaches(root)) == 1
    assert len(bound_breaches(root)) == 1


def test_finds_a_page_that_is_not_current(tmp_path):
    root = tree.plant(tmp_path, {
        "docs/generate.py": text(tree.ROOT, "docs/generate.py"),
        "scripts/moonlet/a.lua": "--- A.\nlocal a = {}\n\n"
                                 "--- a.b(c): does d.\nfunction a.b(c)\nend\n",
        "bindings/e.c": "/*\n * moonlet.e: E.\n */\n/* e.f(): does g. */\n",
        "bindings/i.c": "/*\n * moonlet.i: I.\n */\n/* i.j(): does k. */\n",
        "bindings/modules.c": '{"moonlet.e", binding_e},\n',
        "engine/vm/sandbox.c": 'not_built[] = {"moonlet.h", NULL};\n',
        "docs/LUA_API.md": ""})
    page = generator(root).page(root)
    assert page_breaches(root, page) != []
    for word in ["### `a.b(c)`\n\nDoes d.", "### `e.f()`", "`moonlet.h`"]:
        assert word in page
    assert "i.j()" not in page
    tree.plant(root, {"docs/LUA_API.md": page})
    assert page_breaches(root, page) == []
