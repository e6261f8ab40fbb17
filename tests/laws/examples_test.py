"""Functions of docs/LUA_API.md have an example in docs/examples/MODULE.lua,
which runs: those of a bot's registrations while the scripts load, others in a
handler, in the virtual world."""
import re
import subprocess

import harness
from laws import tree
from laws.docs_test import generator

AT_LOAD = ["bot", "filter"]
MODULES = ["bot", "errors", "filter", "format", "fs", "json", "keyboard",
           "link", "log", "re", "retry", "task", "time", "timeout"]

# Functions without an example. This list may only shrink.
MISSING = """
api.METHOD chat:expect chat:expect_nothing chat:messages ctx:answer_callback
ctx:answer_inline ctx:answer_pre_checkout ctx:download ctx:edit ctx:fsm
ctx:send_album ctx:set_language ctx:show_menu ctx:t ctx:t_html
ctx:upload_animation ctx:upload_audio ctx:upload_photo ctx:upload_sticker
ctx:upload_video ctx:upload_video_note ctx:upload_voice filter.admin
filter.all filter.any filter.chat_type filter.no format format.emoji
format.entities http.get http.post http.request i18n.check i18n.choose
i18n.default i18n.html i18n.language i18n.languages i18n.remember i18n.set
i18n.t i18n.use inline.article inline.photo inline:game inline:login
inline:pay inline:rows inline:switch_inline_chosen inline:web_app link.app
m:back m:button m:close m:open m:pages m:row m:text m:toggle m:url machine:can
machine:fire machine:reset menu.new re:groups reply:chat reply:poll reply:rows
reply:users reply:web_app request:form request:json response:json
stars.balance stars.link stars.refund stars.send t.advance t.after t.any t.api
t.at t.await t.before t.calls t.case t.crash t.each t.errors t.expect_call
t.fault t.file t.group t.http t.http_calls t.kick t.kill t.limits t.log
t.migrate t.now t.reload t.request t.restart t.start t.stop t.update t.use
t.user t.write time.parse user:block user:click user:forward user:init_data
user:join user:pay user:reply user:send user:vote webapp.check
"""

SPEC = """
local t = require "moonlet.test"
t.each(require "names", "%s", function(row)
  local ann = t.user { first_name = "Ann" }
  ann:send("/" .. row.command)
  ann:expect("The example is over", { within = "10m" })
end)
"""


def sections(root):
    generate = generator(root)
    for module in generate.modules(root):
        yield (module.name, {generate.name_of(e) for e in module.entries},
               generate.examples(root, module))


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
        for name, code in shown.items():
            if module in AT_LOAD:
                lines.append(f"do\n{code}\nend")
                continue
            command = f"example_{len(rows)}"
            rows.append(f'{{ name = "{name}", command = "{command}" }},')
            lines.append(f'bot.command("{command}", function(ctx)\ndo\n{code}'
                         '\nend\nctx:reply("The example is over")\nend)')
    tree.plant(tmp_path, {
        "main.lua": "\n".join(lines), "examples_spec.lua": SPEC,
        "names.lua": "return {\n" + "\n".join(rows) + "\n}\n"})
    done = subprocess.run(
        [harness.binary(), "test", tmp_path], capture_output=True, text=True,
        env=harness.clean_environment(), timeout=harness.LIMIT, check=False)
    assert re.search(rf"^{len(rows)} passed, 0 failed$", done.stdout, re.M), (
        done.stdout + done.stderr)
