"""Functions of docs/LUA_API.md have an example in docs/examples/MODULE.lua,
which runs: those that register something while the scripts load, those of
specs in a case of a spec or beside it, others in a handler, in the virtual
world."""
import re
import subprocess

import harness
from laws import tree
from laws.docs_test import generator

AT_LOAD = ["bot", "filter"]
BESIDE_CASES = ["t.after", "t.before", "t.case", "t.each", "t.use"]
MODULES = ["api", "bot", "errors", "filter", "format", "fs", "i18n", "inline",
           "json", "keyboard", "link", "log", "menu", "re", "retry", "task",
           "time", "timeout"]
LOCALES = {
    "locales/en.lua": 'return { welcome = "Welcome, {name}", '
                      'rules = "<b>Be kind</b>, {name}" }',
    "locales/de.lua": 'return { welcome = "Hallo, {name}" }'}

# The bot that the examples of specs talk to.
BOT = tree.ROOT / "tests/laws/examples_bot.lua"

# Functions without an example. This list may only shrink.
MISSING = """
http.get http.post http.request i18n.check i18n.choose i18n.default i18n.html
i18n.language i18n.languages i18n.remember i18n.set i18n.t i18n.use
inline.article inline.photo inline:game inline:login inline:pay inline:rows
inline:switch_inline_chosen inline:web_app link.app re:groups reply:chat
reply:poll reply:rows reply:users reply:web_app request:form request:json
response:json stars.balance stars.link stars.refund stars.send time.parse
webapp.check
"""

# Those that show one line of a menu's build are wrapped in it.
MENU = """
local shown = menu.new("{command}", function(m, ctx)
m:text("A menu")
{code}
end)
bot.command("{command}", function(ctx)
ctx:show_menu(shown)
ctx:reply("The example is over")
end)
"""

SPEC = """
local t = require "moonlet.test"
t.each(require "names", "%s", function(row)
  local ann = t.user { first_name = "Ann" }
  ann:send("/" .. row.command)
  ann:expect("The example is over", { within = "10m" })
end)
"""

# Everybody whom the examples of specs know.
CASE = """
t.case("%s", function()
  local ann = t.user { first_name = "Ann" }
  local bob = t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
%s
end)
"""


def sections(root):
    generate = generator(root)
    for module in generate.modules(root):
        yield (module.name, {generate.name_of(e) for e in module.entries},
               generate.examples(root, module))


def passed_of(folder):
    done = subprocess.run(
        [harness.binary(), "test", folder], capture_output=True, text=True,
        env=harness.clean_environment(), timeout=harness.LIMIT, check=False)
    said = done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed, 0 failed$", done.stdout, re.M)
    assert passed, said
    return int(passed[1])


def test_functions_have_examples():
    missing, unknown = [], []
    for _, names, shown in sections(tree.ROOT):
        missing += sorted(names - set(shown))
        unknown += sorted(set(shown) - names)
    assert unknown == [], "examples of what is no function"
    assert sorted(set(missing)) == sorted(MISSING.split())


def test_examples_run(tmp_path):
    lines = [f'local {name} = require "moonlet.{name}"' for name in MODULES]
    rows = []
    for module, _, shown in sections(tree.ROOT):
        if module == "test":
            continue
        for name, code in shown.items():
            if module in AT_LOAD or re.search(r"^bot\.", code, re.M):
                lines.append(f"do\n{code}\nend")
                continue
            command = f"example_{len(rows)}"
            rows.append(f'{{ name = "{name}", command = "{command}" }},')
            if name.startswith("m:"):
                shell = MENU.format(command=command, code=code)
                lines.append(f"do\n{shell}end")
                continue
            lines.append(f'bot.command("{command}", function(ctx)\ndo\n{code}'
                         '\nend\nctx:reply("The example is over")\nend)')
    tree.plant(tmp_path, LOCALES | {
        "main.lua": "\n".join(lines), "examples_spec.lua": SPEC,
        "names.lua": "return {\n" + "\n".join(rows) + "\n}\n"})
    assert passed_of(tmp_path) == len(rows)


def test_examples_of_specs_run(tmp_path):
    shown = next(shown for module, _, shown in sections(tree.ROOT)
                 if module == "test")
    cases = {name: code for name, code in shown.items()
             if name not in BESIDE_CASES}
    spec = ['local t = require "moonlet.test"']
    spec += [f"do\n{shown[name]}\nend" for name in BESIDE_CASES]
    spec += [CASE % row for row in cases.items()]
    tree.plant(tmp_path, {
        "main.lua": BOT.read_text("utf-8"),
        "greeting.lua": 'return "Hello, "',
        "examples_spec.lua": "\n".join(spec)})
    assert passed_of(tmp_path) > len(cases)
