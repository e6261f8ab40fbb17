#!/usr/bin/python3
"""Writes docs/LUA_API.md from those comments of scripts/moonlet and
bindings/*.c whose text begins with a call ("task.sleep(duration): ..."). A
module whose opening comment says "Not for scripts" is left out, but for what
authors call on a value that they are given ("ctx:reply(text): ..."), and but
for the C half of a module that is in Lua. So is one that bindings/modules.c
does not list. Below an entry stands its example of docs/examples/MODULE.lua.

    docs/generate.py            writes the page and, by docs/luacats.py, the
                                annotations of docs/types
    docs/generate.py --check    exit 1 if the page is not current
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = "docs/LUA_API.md"
BOT_API = "https://core.telegram.org/bots/api"

# call: as its comment spells it. text: one paragraph.
Entry = collections.namedtuple("Entry", "call text")
Module = collections.namedtuple("Module", "name intro entries absent sources")

ORDER = ["bot", "ctx", "fsm", "request", "api", "format", "keyboard", "menu", "i18n",
         "link", "stars", "throttle", "webapp", "crypto", "task", "timeout", "retry",
         "time", "http", "json", "re", "fs", "log", "errors", "config", "test"]
# Handlers are given these, nobody requires them.
GIVEN = ["ctx", "request"]
# What a module's functions are called on, where it is not the module's name.
CALLED_ON = {
    "test": "(?:t|chat|user)",
    "fsm": "(?:ctx|machine)",
    "http": "(?:http|response)",
    "menu": "(?:menu|m)",
    "keyboard": "(?:keyboard|inline|reply)",
}

# Modules of which other files of the library's own hold a part.
SPREAD = ["bot", "ctx", "test"]

# Before the code of each function in docs/examples/MODULE.lua.
EXAMPLE = re.compile(r"^-- ([\w.:]+)\n(.*?)(?=^-- [\w.:]+\n|\Z)", re.M | re.S)

CALL = re.compile(
    r"(\w+[.:]\w+(?:\(.*?\)|\{.*?\})?|\w+\(.*?\)): (.*)")
LUA_COMMENT = re.compile(r"^---.*\n(?:--.*\n)*", re.M)
C_COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
# A value; a call; a field; a name with underscores; none within `...`.
MARKED = re.compile(r"(?<![`\w.])("
                    r'"[^"]*"'
                    r"|(?:\w+[.:])?\w+\([^()`]*\)"
                    r"|(?:bot|crypto|ctx|err|format|fs|i18n|json|keyboard|link|moonlet"
                    r"|options|opts|re|stars|task|time|update|webapp)"
                    r"(?:\.\w+)+"
                    r"|[A-Za-z]+(?:_[A-Za-z]+)+"
                    r"|[^\s`,]*<\w+>[^\s`,]*"  # markup would swallow it
                    r")(?![`\w(])")
ABSENT = re.compile(r"\bnot_built(?:\[\])? = \{(.*?)\}", re.S)

HEAD = """# Lua API

<!-- Written by docs/generate.py from the comments of scripts/moonlet and
bindings. Change those, then run it. -->

What a bot's scripts can call. Every module is had by `require \
"moonlet.NAME"`, except the context `ctx`, which handlers are given. How the \
parts play together is in the [guide](GUIDE.md).

A *duration* is a number of seconds, or a text such as `"500ms"`, `"30s"`, \
`"5m"`, `"2h"`, `"7d"`. An *error table* has the fields `kind`, `message`, \
`code`, `retry_after`, `retryable`, `script`, `line`, `method`, `chat` (of a \
call) and `traceback`; `tostring` gives one line. In a call, `[...]` may be left out.
"""


def words(comment):
    """The text of a comment without its marks, in one line."""
    lines = [re.sub(r"^\s*(?:-{2,}|\*)? ?", "", line)
             for line in comment.strip().split("\n")]
    return " ".join(" ".join(lines).split())


def entry(comment):
    match = CALL.fullmatch(words(comment))
    return match and Entry(*match.groups())


def absent(text):
    """What a table `not_built` lists, in Lua or in C."""
    found = ABSENT.search(text)
    rows = re.findall(r'"([\w.]+)"|(\w+) = true', found[1]) if found else []
    return sorted(a or b for a, b in rows)


def is_public(opening):
    return "Not for scripts" not in opening


def entries(name, comments):
    """Of the comments, those of calls of the module of this name."""
    own = re.compile(rf"{CALLED_ON.get(name, name)}\b[.:(]")
    return [e for e in map(entry, comments) if e and own.match(e.call)]


def lua_module(path):
    text = path.read_text("utf-8")
    comments = LUA_COMMENT.findall(text) or [""]
    intro = words(comments[0])
    found = entries(path.stem, comments[1:])
    if not is_public(intro):
        found = [e for e in found if ":" in e.call]
        intro = re.sub(r"Not for scripts[^.]*\. ?", "", intro).strip()
    return Module(path.stem, intro, found, absent(text),
                  [str(path.relative_to(ROOT))])


def lent(name, path):
    """What a file that authors cannot require adds to another module."""
    text = path.read_text("utf-8")
    comments = LUA_COMMENT.findall(text) or [""]
    if path.stem == name or is_public(words(comments[0])):
        return Module(name, None, [], [], [])
    found = entries(name, comments[1:])
    return Module(name, None, found, [],
                  [str(path.relative_to(ROOT))] if found else [])


def c_module(path):
    """Its intro is None if authors cannot require it."""
    text = path.read_text("utf-8")
    comments = C_COMMENT.findall(text)
    intro = None
    if text.startswith("/*") and is_public(words(comments[0])):
        _, _, intro = words(comments[0]).partition(": ")
    return Module(path.stem, intro, entries(path.stem, comments),
                  absent(text), [f"bindings/{path.name}"])


def joined(lua, c):
    """A module whose functions stand partly in Lua, partly in C or in a file
    of the library's own."""
    return lua._replace(entries=c.entries + lua.entries,
                        absent=lua.absent + c.absent,
                        sources=lua.sources + c.sources)


def modules(root):
    found = {path.stem: lua_module(path)
             for path in (root / "scripts/moonlet").rglob("*.lua")}
    for path in sorted((root / "scripts/moonlet").rglob("*.lua")):
        for name in found.keys() & SPREAD:
            more = lent(name, path)
            found[name] = found[name]._replace(
                entries=found[name].entries + more.entries,
                sources=found[name].sources + more.sources)
    rows = (root / "bindings/modules.c").read_text("utf-8")
    for path in (root / "bindings").glob("*.c"):
        c = c_module(path)
        if path.stem in found:
            found[path.stem] = joined(found[path.stem], c)
        elif c.intro and f'"moonlet.{path.stem}"' in rows:
            found[path.stem] = c
    shown = [m for m in found.values() if m.entries or m.name in ORDER]
    rank = {name: place for place, name in enumerate(ORDER)}
    return sorted(shown, key=lambda m: (rank.get(m.name, len(rank)), m.name))


def sentence(text):
    """With a capital, unless it begins with a call or a name."""
    if re.match(r"\w+[(.:_]", text):
        return text
    return text[:1].upper() + text[1:]


def code(text):
    """Marks values, calls, fields and settings, and links methods and types
    of the Bot API."""
    text = MARKED.sub(r"`\1`", text)
    return re.sub(r"Bot API (\w*[A-Z]\w*)",
                  lambda m: f"[{m[0]}]({BOT_API}#{m[1].lower()})", text)


def name_of(each):
    """What an entry's call calls: "ctx:reply"."""
    return re.match(r"[\w.:]+", each.call)[0]


def examples(root, module):
    """Code by the name of the function that it shows."""
    path = root / f"docs/examples/{module.name}.lua"
    text = path.read_text("utf-8") if path.exists() else ""
    return {name: code.strip("\n") for name, code in EXAMPLE.findall(text)}


def section(module, shown_by):
    given = module.name in GIVEN
    title = module.name if given else f"moonlet.{module.name}"
    lines = [f"## {title}", "", code(sentence(module.intro)), ""]
    for each in module.entries:
        lines += [f"### `{each.call}`", "", code(sentence(each.text)), ""]
        if name_of(each) in shown_by:
            lines += ["```lua", shown_by[name_of(each)], "```", ""]
    if module.absent:
        shown = ", ".join(f"`{name}`" for name in module.absent)
        lines += [f"Not built yet: {shown}.", ""]
    links = [f"[{name}](../{name})" for name in sorted(module.sources)]
    return lines + [f"Source: {', '.join(links)}", ""]


def page(root):
    lines = [HEAD]
    for module in modules(root):
        lines += section(module, examples(root, module))
    later = absent((root / "engine/vm/sandbox.c").read_text("utf-8"))
    if later:
        lines += ["## Modules that are not built yet", "",
                  ", ".join(f"`{name}`" for name in later) + ".", "",
                  "Whatever is named on this page as not built yet raises "
                  '`not built yet: NAME` where it is used.', ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def main(args):
    target = ROOT / PAGE
    text = page(ROOT)
    if args == ["--check"]:
        return 0 if target.read_text("utf-8") == text else 1
    target.write_text(text, "utf-8")
    return subprocess.run([sys.executable, ROOT / "docs/luacats.py"],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
