#!/usr/bin/python3
"""Writes docs/types/NAME.lua, the LuaCATS annotations of each module, from
the same comments as docs/LUA_API.md. They are embedded in the program, which
`moonlet types` writes out. Those of the Bot API come from its tables,
engine/cli/types.c. docs/generate.py runs this.

    docs/luacats.py            writes the files
    docs/luacats.py --check    exit 1 if they are not current
"""
import importlib.util
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = "docs/types"
WIDTH = 76

# What a module's parts are called whose functions are not the module's own.
PARTS = {"inline", "reply", "machine", "response", "re", "chat", "user"}
# Given to handlers or got by a method: nobody requires them.
GIVEN = {"ctx", "request", "fsm"}

HANDLER = "fun(ctx: moonlet.ctx, ...: any): any"
OF_TEXT = "fun(ctx: moonlet.ctx.text, ...: any): any"
# Of a parameter, wherever it is.
TYPES = {
    "text": "string|moonlet.piece", "name": "string", "path": "string",
    "opts": "table", "options": "table", "duration": "number|string",
    "limit": "number|string", "within": "number|string", "key": "string",
    "event": "string", "args": "table", "fields": "table", "url": "string",
    "template": "string", "language": "string", "chat_id": "integer|string",
    "user_id": "integer", "pattern": "any", "fn": "function", "n": "integer",
    "emoji": "string?", "action": "string", "method": "string",
    "message": "table", "rows": "table[]", "payload": "string",
    "ctx": "moonlet.ctx", "list": "table",
    "file": "string|moonlet.file|{ file_id: string }",
}
# Of one call's parameter.
OWN = {
    "bot.use fn": "fun(ctx: moonlet.ctx, next: fun()): any",
    "bot.group fn": "fun(group: moonlet.bot)",
    "bot.catch fn": "fun(ctx: moonlet.ctx, err: moonlet.error)",
    "bot.on_start fn": 'fun(reason: "start"|"reload")',
    "bot.http fn": "fun(request: moonlet.request): any",
    "crypto.hash text": "string", "crypto.hash algorithm": "string",
    "crypto.hmac text": "string", "crypto.hmac algorithm": "string",
    "crypto.equal a": "string?", "crypto.equal b": "string?",
    "crypto.encode bytes": "string", "crypto.decode text": "string",
    "crypto.random count": "integer", "ctx.is_chat_admin right": "string",
    "ctx.is_chat_admin user": "botapi.User",
    "i18n.choose fn": "fun(ctx: moonlet.ctx): string?",
    "bot.on filter": "string|function|table",
    "bot.group filter": "string|function|table",
    "json.encode value": "any", "json.decode text": "string",
    "ctx.t key": "string", "ctx.fsm name": "string",
    "bot.command fn": OF_TEXT, "bot.admin fn": OF_TEXT,
    "bot.hears fn": OF_TEXT, "bot.command name": "string|string[]",
    "bot.admin name": "string|string[]",
    "bot.callback_data fields": "string[]",
    "bot.http route": "string", "fs.write text": "string",
    "fs.append text": "string", "ctx.download what": "any",
    "ctx.delete opts": "moonlet.api.options",
    "ctx.action opts": "moonlet.api.options",
    "ctx.answer_pre_checkout opts": "moonlet.api.options",
}
OVERLOADS = {
    "bot.on": 'fun(filter: "message:text"|"edited_message:text"|":text", '
              f"fn: {OF_TEXT}, opts?: table): any",
    "i18n.t": "fun(key: string, args?: table): string",
    "i18n.html": "fun(key: string, args?: table): moonlet.piece",
}
# The calls whose opts are the parameters of a method of the Bot API and the
# options of an API call, with what they know beside these.
OPTS = {
    "ctx.reply": ("sendMessage", "quote? boolean"),
    "ctx.edit": ("editMessageText", "message? botapi.Message"),
    "ctx.answer_callback": ("answerCallbackQuery", ""),
    "ctx.answer_inline": ("answerInlineQuery", "per_page? integer"),
    "ctx.send_album": ("sendMediaGroup", ""),
    "ctx.forward": ("forwardMessage", ""),
    "ctx.copy": ("copyMessage", ""),
    "ctx.react": ("setMessageReaction", ""),
}
OPTS.update({f"ctx.upload_{name.lower()}": (
    "send" + name.title().replace("_", ""), "") for name in (
        "document", "photo", "video", "audio", "voice", "animation",
        "video_note", "sticker")})
RETURNS = {
    "keyboard.inline": "moonlet.keyboard.inline",
    "keyboard.reply": "moonlet.keyboard.reply",
    "ctx.fsm": "moonlet.fsm.machine",
    "ctx.reply": "botapi.Message", "ctx.edit": "botapi.Message|boolean",
    "ctx.forward": "botapi.Message", "ctx.copy": "botapi.MessageId",
    "ctx.send_album": "botapi.Message[]", "i18n.t": "string",
    "ctx.download": "{ path: string, size: integer, name: string }",
    "ctx.t": "string|moonlet.piece", "ctx.t_html": "moonlet.piece",
    "crypto.hash": "string", "crypto.hmac": "string", "crypto.equal": "boolean",
    "crypto.random": "string", "crypto.encode": "string",
    "crypto.decode": "string?", "ctx.is_chat_admin": "boolean",
    "i18n.said": "function", "test.topic": "moonlet.test.chat",
    "http.get": "moonlet.http.response", "http.post": "moonlet.http.response",
    "http.request": "moonlet.http.response", "re.new": "moonlet.re.re",
    "test.user": "moonlet.test.user", "test.group": "moonlet.test.chat",
    "fs.read": "string", "json.encode": "string", "i18n.languages": "string[]",
}
RETURNS.update({name: "botapi.Message" for name in OPTS
                if name.startswith("ctx.upload_")})
RETURNS.update({f"format.{name}": "moonlet.piece" for name in (
    "html", "markdown", "text", "bold", "italic", "underline", "strike",
    "spoiler", "code", "pre", "link", "mention", "quote", "emoji", "join")})
BASES = {
    "moonlet.keyboard.inline": "botapi.InlineKeyboardMarkup",
    "moonlet.keyboard.reply": "botapi.ReplyKeyboardMarkup",
    "moonlet.test.user": "moonlet.test.chat",
}
CHAINS = ("moonlet.keyboard.inline", "moonlet.keyboard.reply")
FIELDS = {
    "moonlet.ctx": """update botapi.Update|table
kind string
event table
message botapi.Message
chat botapi.Chat
from botapi.User
callback_query botapi.CallbackQuery
inline_query botapi.InlineQuery
text string?
args string[]
rest string
command string|boolean|nil
album botapi.Message[]?
lang string?
api moonlet.api
[string] any""",
    "moonlet.request": """method string
path string
params table<string, string>
query table<string, string>
headers table<string, string>
body string""",
    "moonlet.config": "[string] any",
    "moonlet.test.chat": "id integer\n[string] any",
    "moonlet.fsm.machine": """state string
data table""",
    "moonlet.http.response": """status integer
headers table
body string""",
}
# Behind the functions of a module.
MORE = {"ctx": """
---Of a handler that only texts reach.
---@class moonlet.ctx.text: moonlet.ctx
---@field text string
""", "bot": """
---A text with its marks (moonlet.format).
---@class moonlet.piece

---@class moonlet.error
---@field kind string
---@field message string
---@field code? integer|string
---@field retry_after? number
---@field retryable? boolean
---@field script? string
---@field line? integer
---@field method? string
---@field traceback? string
"""}
KEYWORDS = {"and", "break", "do", "else", "elseif", "end", "false", "for",
            "function", "goto", "if", "in", "local", "nil", "not", "or",
            "repeat", "return", "then", "true", "until", "while"}
CALL = re.compile(r"(\w+)(?:([.:])(\w+))?(?:\((.*)\)|\{(.*)\})?")


def generator():
    spec = importlib.util.spec_from_file_location(
        "generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def comment(text):
    return [f"---{line}" for line in textwrap.wrap(
        text, WIDTH, break_long_words=False, break_on_hyphens=False)]


def parameters(text):
    """(name, may it be left out) of "a, b [, c]"."""
    found, depth = [], 0
    for word in re.findall(r"\.\.\.|\w+|[\[\]]", text or ""):
        if word in "[]":
            depth += 1 if word == "[" else -1
        else:
            found.append((word, depth > 0))
    return found


def type_of(module, name, parameter):
    key = f"{module}.{name} {parameter}"
    if key in OWN:
        return OWN[key]
    if parameter == "opts" and f"{module}.{name}" in OPTS:
        return f"moonlet.{module}.{name}.opts"
    if parameter == "fn" and module == "bot":
        return HANDLER
    return TYPES.get(parameter, "any")


def owner(module, head, mark):
    if head in PARTS and (mark == ":" or head != module):
        return f"moonlet.{module}.{head}"
    return f"moonlet.{module}"


def local_of(name):
    """The variable that stands for a class."""
    found = name[len("moonlet."):].replace(".", "_")
    return found if found not in KEYWORDS else found + "_"


def without_middle(module, name, inside):
    """An overload where what may be left out stands before what may not."""
    found = parameters(inside)
    needed = [each for each, optional in found if not optional]
    if found and found[-1][1] or len(needed) == len(found):
        return []
    shown = ", ".join(f"{each}: {type_of(module, name, each)}"
                      for each in needed)
    return [f"---@overload fun({shown}): any"]


def opts_lines(called):
    method, more = OPTS[called]
    lines = [f"---@class moonlet.{called}.opts: botapi.opts.{method}, "
             "moonlet.api.options"]
    return lines + ([f"---@field {more}"] if more else [])


def function(module, entry, parts):
    head, mark, name, inside, table = parts
    class_name = owner(module, head, mark)
    lines = comment(entry.text[:1].upper() + entry.text[1:])
    names = []
    if table is not None:
        fields = [word for word in re.findall(r"(\w+) =", table)]
        optional = [f"{field}?: any" for field in fields]
        lines.append("---@param options { %s }" % ", ".join(optional))
        names = ["options"]
    for each, optional in parameters(inside):
        lines.append("---@param %s%s %s" % (
            each, "?" if optional and each != "..." else "",
            type_of(module, name, each)))
        names.append(each)
    result = RETURNS.get(f"{module}.{name}")
    if class_name in CHAINS:
        result = class_name
    lines += without_middle(module, name, inside)
    if f"{module}.{name}" in OVERLOADS:
        lines.append("---@overload " + OVERLOADS[f"{module}.{name}"])
    lines.append(f"---@return {result or 'any ...'}")
    lines.append(f"function {local_of(class_name)}{mark}{name}"
                 f"({', '.join(names)}) end")
    return class_name, lines


def class_lines(name, intro):
    base = BASES.get(name)
    lines = comment(intro) + [
        f"---@class {name}" + (f": {base}" if base else "")]
    for field in FIELDS.get(name, "").split("\n"):
        if field:
            lines.append("---@field " + field)
    return lines


def overload(module, inside):
    shown = ", ".join(f"{n}{'?' if o else ''}: {type_of(module, '', n)}"
                      for n, o in parameters(inside))
    return f"---@overload fun({shown}): any"


def annotations(module):
    """The file of one module."""
    name = f"moonlet.{module.name}"
    classes = {name: class_lines(name, module.intro)}
    bodies, seen = [], set()
    for entry in module.entries:
        parts = CALL.fullmatch(entry.call)
        if not parts:
            continue
        head, mark, called, inside, table = parts.groups()
        if not mark:
            classes[name].append(overload(module.name, inside))
        elif called == "METHOD":
            continue # engine/cli/types.c knows them all
        elif inside is None and table is None:
            classes[name] += comment(entry.text) + [f"---@field {called} any"]
        elif (head, called) not in seen:
            seen.add((head, called))
            class_name, lines = function(module.name, entry, parts.groups())
            classes.setdefault(class_name, class_lines(class_name, ""))
            bodies.append(lines)
    lines = ["---@meta" if module.name in GIVEN else f"---@meta {name}",
             "-- Made by docs/luacats.py; see there."]
    for class_name, found in classes.items():
        lines += ["", *found, f"local {local_of(class_name)} = {{}}"]
    for body in bodies:
        lines += ["", *body]
    for called in OPTS:
        if called.startswith(module.name + "."):
            lines += ["", *opts_lines(called)]
    if module.name in MORE:
        lines += MORE[module.name].rstrip("\n").split("\n")
    lines += ["", f"return {local_of(name)}"]
    return "\n".join(lines) + "\n"


def files(root):
    return {f"{FOLDER}/{module.name}.lua": annotations(module)
            for module in generator().modules(root)
            if module.name != "api"}


def breaches(root):
    wanted = files(root)
    found = {f"{FOLDER}/{path.name}"
             for path in (root / FOLDER).glob("*.lua")}
    stale = [name for name, text in wanted.items()
             if name not in found
             or (root / name).read_text("utf-8") != text]
    return sorted(stale) + sorted(found - set(wanted))


def main(args):
    if args == ["--check"]:
        return 1 if breaches(ROOT) else 0
    (ROOT / FOLDER).mkdir(exist_ok=True)
    wanted = files(ROOT)
    for path in (ROOT / FOLDER).glob("*.lua"):
        if f"{FOLDER}/{path.name}" not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (ROOT / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
