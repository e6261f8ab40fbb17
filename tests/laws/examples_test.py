"""Functions of docs/LUA_API.md have an example in docs/examples/MODULE.lua,
which runs: those that register something while the scripts load, those of
specs in a case of a spec or beside it, others in a handler, in the virtual
world."""
import re
import subprocess

import harness
from laws import tree
from laws.docs_test import generator

# Modules and functions.
AT_LOAD = ["bot", "filter", "i18n.choose", "i18n.default", "i18n.remember",
           "inline", "request", "stars.refund", "throttle", "webapp"]
BESIDE_CASES = ["t.after", "t.before", "t.case", "t.each", "t.use"]
MODULES = ["api", "bot", "crypto", "errors", "filter", "format", "fs", "http", "i18n",
           "inline", "json", "keyboard", "link", "log", "menu", "re", "retry",
           "stars", "task", "throttle", "time", "timeout", "webapp"]
TEXTS = """return {
  hello = "Hello {name}", card = "<b>{name}</b>", welcome = "Welcome, {name}",
  rules = "<b>Be kind</b>, {name}", help = "Help",
}"""
LOCALES = {"locales/en.lua": TEXTS, "locales/de.lua": TEXTS}

# The bot that the examples of specs talk to.
BOT = tree.ROOT / "tests/laws/examples_bot.lua"

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
  t.http("https://shop.example/*", { json = { { name = "Green" } } })
  local ann = t.user { first_name = "Ann" }
  ann:send("/" .. row.command)
  ann:expect("The example is over", { within = "10m" })
end)

t.case("what is declared at load", function()
  local ann = t.user { first_name = "Ann" }
  local function answer(path, body, headers)
    return t.request { method = "POST", path = "/x" .. path, body = body,
      headers = headers }.body
  end
  assert(answer("/orders", '{"cups":2}') == '{"cups":2}')
  assert(answer("/contact", "name=Ann", { ["Content-Type"] =
    "application/x-www-form-urlencoded" }) == "Thanks, Ann")
  local sign = require "moonlet.crypto".hmac
  assert(answer("/paid", "x", { ["X-Signature"] = "sha256="
    .. sign("sha256", "the key", "x") }) == "Thanks")
  assert(answer("/cart", "", { ["X-Init-Data"] = ann:init_data {} })
    == "The cart of Ann")
  for _, query in ipairs { "tea", "photo" } do
    t.update { inline_query = { id = query, query = query, offset = "",
      from = { id = ann.id, is_bot = false, first_name = "Ann" } } }
    t.expect_call("answerInlineQuery", { inline_query_id = query })
  end
  ann:send("/sell")
  assert(ann:pay(ann:expect { invoice = true }))
  ann:expect("Sold out")
end)
"""

# For what the examples need beside themselves.
SELLER = """
bot.on("pre_checkout_query", function(ctx) ctx:answer_pre_checkout() end)
bot.command("sell", function(ctx)
  stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
    payload = "tea:1", amount = 5 })
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
        env=harness.clean_environment(), timeout=6 * harness.LIMIT, check=False)
    said = done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed, 0 failed$", done.stdout, re.M)
    assert passed, said
    return int(passed[1])


def test_functions_have_examples():
    missing, unknown = [], []
    for module, names, shown in sections(tree.ROOT):
        assert names or module == "config", f"{module} is without functions"
        missing += sorted(names - set(shown))
        unknown += sorted(set(shown) - names)
    assert unknown == [], "examples of what is no function"
    assert missing == []


def test_examples_run(tmp_path):
    lines = [f'local {name} = require "moonlet.{name}"' for name in MODULES]
    lines.append(SELLER)
    rows = []
    for module, _, shown in sections(tree.ROOT):
        if module == "test":
            continue
        for name, code in shown.items():
            if (module in AT_LOAD or name in AT_LOAD or
                    re.search(r"^bot\.", code, re.M)):
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
    assert passed_of(tmp_path) == len(rows) + 1


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
