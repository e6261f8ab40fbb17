"""Every function that a bot author can call has a comment above it, is named
in docs/LUA_API.md, and is used by some test or bot.

C bindings are the rows of luaL_Reg tables, called MODULE.NAME after their
file. The shipped library's are the fields of each module's returned table,
called MODULE.NAME too, and the functions of its table `methods`, called
:NAME. Names that begin with "_" are not for authors; nor are the modules
whose opening comment says "Not for scripts": their functions need no place
on the page, and the library may be their only user.
"""
import collections
import re

from laws import tree

# where: file:line of its definition; spelled: how the page and its users
# write it, a pattern.
Function = collections.namedtuple(
    "Function", "where name spelled commented public")

REG_TABLE = re.compile(r"\bluaL_Reg\s+\w+\[\]\s*=\s*\{(.*?)\n\};", re.S)
REG_ROW = re.compile(r'(\*/\s*)?\{\s*"(\w+)"\s*,\s*(\w+)\s*\}')
LUA_FIELD = re.compile(r"function (\w+)[.:](\w+)\(|(\w+)\.(\w+) = ")


def for_scripts(text):
    """False for a module of the library's own."""
    opening = re.split(r"^(?:#|local)", text, maxsplit=1, flags=re.M)[0]
    words = " ".join(re.sub(r"[-*/]", " ", opening).split())
    return "Not for scripts" not in words


def spelling(module, mark, name, public):
    """How a function is called: the library may give a module of its own
    another name than its file's."""
    return rf"\b{module}{mark}{name}\b" if public else rf"\.{name}\b"


def c_definition(lines, function):
    """(line number, has a comment above) of a C function, (0, False) if it
    is not defined here."""
    definition = re.compile(rf"^(static )?int {function}\(lua_State \*\w+\)$")
    for number, line in enumerate(lines, 1):
        if definition.match(line):
            return number, lines[number - 2].rstrip().endswith("*/")
    return 0, False


def c_functions(root, path):
    text = path.read_text("utf-8")
    where, public = path.relative_to(root), for_scripts(text)
    for table in REG_TABLE.findall(text):
        for comment, name, function in REG_ROW.findall(table):
            number, commented = c_definition(text.split("\n"), function)
            yield Function(f"{where}:{number}", name,
                           spelling(path.stem, "[.:]", name, public),
                           commented or bool(comment), public)


def returned(text):
    """The table that a module returns, maybe with a metatable."""
    found = re.findall(r"^return (?:setmetatable\()?(\w+)", text, re.M)
    return found[-1] if found else None


def lua_functions(root, path):
    text = path.read_text("utf-8")
    where = path.relative_to(root)
    module, public = returned(text), for_scripts(text)
    called = {"test": "t"}.get(path.stem, path.stem)
    lines = text.split("\n")
    for at, line in enumerate(lines):
        match = LUA_FIELD.match(line)
        table, name = match and [g for g in match.groups() if g] or (None, "")
        commented = lines[at - 1].startswith("--")
        if table == module and table:
            yield Function(f"{where}:{at + 1}", name,
                           spelling(called, r"\.", name, public),
                           commented, public)
        elif table == "methods":
            yield Function(f"{where}:{at + 1}", name, rf":{name}\b",
                           commented, True)


def functions(root):
    found = []
    for path in tree.files(root, ".c", below=("bindings",)):
        found += c_functions(root, path)
    for path in tree.files(root, ".lua", below=("scripts",)):
        if path.relative_to(root).parts[1] == "moonlet":
            found += lua_functions(root, path)
    return [function for function in found
            if not function.name.startswith("_")]


def users(root):
    """The text of each file that may use a function, by its path."""
    found = {str(path.relative_to(root)): path.read_text("utf-8")
             for path in tree.files(root, ".lua", ".c", ".py",
                                    below=("tests", "scripts"))}
    return {path: text for path, text in found.items()
            if not path.startswith("tests/laws/")}


def used(function, texts):
    home = function.where.rsplit(":", 1)[0]
    return any(re.search(function.spelled, text)
               for path, text in texts.items() if path != home
               and not (function.public and path.startswith(
                   "scripts/moonlet/")))


def breaches(root):
    page = root / "docs/LUA_API.md"
    documented = page.read_text("utf-8") if page.is_file() else ""
    texts = users(root)
    found = []
    for function in functions(root):
        head = f"{function.where}: {function.name}"
        if not function.commented:
            found.append(f"{head} has no comment above it")
        if function.public and not re.search(function.spelled, documented):
            found.append(f"{head} is not named in docs/LUA_API.md")
        if not used(function, texts):
            found.append(f"{head} is used by no test and no bot")
    return found


def test_functions_are_commented_documented_and_used():
    tree.obeyed(breaches(tree.ROOT))


GOOD_C = """#include "bindings/bindings.h"

/* task.sleep(seconds) */
static int task_sleep(lua_State *L)
{
    return 0;
}

static const luaL_Reg functions[] = {
    {"sleep", task_sleep},
    /* task.nap(): shorter. */
    {"nap", nap_of_another_file},
    {"__gc", task_gc},
    {NULL, NULL},
};
"""

GOOD_LUA = """--- Menus with pages.
local menu = {}
local methods = {}
local private = {}

-- A menu with pages.
function menu.new(rows)
end

-- No page at all.
menu.none = {}

-- Shows the next page.
function methods.turn(m)
end

function private.helper()
end

return setmetatable(menu, {})
"""

OWN_LUA = """--- Answers in time.
-- Not for
-- scripts of authors.
local answers = {}

-- Begins.
function answers.begin()
end

return answers
"""


OWN_C = """/*
 * moonlet.core.rest: Not for scripts
 * of authors.
 */
/* doze(): sleeps lightly. */
static int rest_doze(lua_State *L)
{
    return 0;
}

static const luaL_Reg functions[] = {
    {"doze", rest_doze},
    {NULL, NULL},
};
"""


def world(tmp_path):
    return tree.plant(tmp_path, {
        "bindings/rest.c": OWN_C,
        "bindings/task.c": GOOD_C,
        "scripts/moonlet/menu.lua": GOOD_LUA,
        "scripts/moonlet/answers.lua": OWN_LUA,
        "scripts/moonlet/bot.lua": "a.begin()\nr.doze()\nmenu.new{}\n",
        "docs/LUA_API.md": "`task.sleep(s)`, `task.nap()`, `menu.new(rows)`, "
                           "`menu.none`, `m:turn()`\n",
        "tests/lua/a_spec.lua": "task.sleep(1)\ntask.nap()\n"
                                "local m = menu.new(menu.none)\nm:turn()\n",
    })


def test_takes_a_good_world(tmp_path):
    root = world(tmp_path)
    assert [(f.name, f.public) for f in functions(root)] == [
        ("doze", False), ("sleep", True), ("nap", True), ("begin", False), ("new", True),
        ("none", True), ("turn", True)]
    assert breaches(root) == []


def test_finds_what_nobody_documents(tmp_path):
    root = tree.plant(world(tmp_path), {
        "docs/LUA_API.md": "`task.sleep`, `rest.nap`, `menu.none`\n"})
    assert breaches(root) == [
        "bindings/task.c:0: nap is not named in docs/LUA_API.md",
        "scripts/moonlet/menu.lua:7: new is not named in docs/LUA_API.md",
        "scripts/moonlet/menu.lua:14: turn is not named in docs/LUA_API.md",
    ]


def test_finds_what_nobody_uses(tmp_path):
    root = tree.plant(world(tmp_path), {
        "tests/lua/a_spec.lua": "task.nap(menu.none)\nm:turn()\n",
        "scripts/moonlet/bot.lua": "menu.new{}\n"})
    assert breaches(root) == [
        "bindings/rest.c:6: doze is used by no test and no bot",
        "bindings/task.c:4: sleep is used by no test and no bot",
        "scripts/moonlet/answers.lua:7: begin is used by no test and no bot",
        "scripts/moonlet/menu.lua:7: new is used by no test and no bot",
    ]


def test_finds_a_missing_comment(tmp_path):
    root = tree.plant(world(tmp_path), {
        "bindings/task.c": re.sub(r"/\*.*\*/", "", GOOD_C),
        "scripts/moonlet/menu.lua": re.sub(r"\n-- .*", "\n", GOOD_LUA)})
    assert breaches(root) == [
        "bindings/task.c:4: sleep has no comment above it",
        "bindings/task.c:0: nap has no comment above it",
        "scripts/moonlet/menu.lua:7: new has no comment above it",
        "scripts/moonlet/menu.lua:11: none has no comment above it",
        "scripts/moonlet/menu.lua:14: turn has no comment above it",
    ]
