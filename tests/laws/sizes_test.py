"""Files and functions stay small: the sizes are printed, and beyond a hard
bound the law fails. A C function is what stands between a line "{" and the
next line "}" at the margin (clang-format puts them there); a Lua function
ends at the "end" that stands under its beginning. A file that begins with
"Made by SCRIPT;" is left out if there is such a script.
"""
import re
import statistics

from laws import tree

FILE_LINES = 600
FUNCTION_LINES = 80

SOURCE = (".c", ".h", ".lua", ".py", ".js")
MADE = re.compile(r"/\* Made by (\S+);")
LUA_FUNCTION = re.compile(r"^(\s*)(?:local )?function ([\w.:]+)")


def c_name(before):
    """The function's name, from the lines that end before its brace."""
    text = ""
    for line in reversed(before):
        text = line + " " + text
        if line and not line[0].isspace() and "(" in line:
            break
    found = re.search(r"(\w+)\(", text)
    return found.group(1) if found else "?"


def c_functions(lines):
    """(name, lines between prototype and closing brace)."""
    found = []
    start = None
    for at, line in enumerate(lines):
        if line == "{":
            start = at
        elif line == "}" and start is not None:
            found.append((c_name(lines[:start]), at - start - 1))
            start = None
    return found


def lua_functions(lines):
    found = []
    for at, line in enumerate(lines):
        begin = LUA_FUNCTION.match(line)
        if not begin:
            continue
        end = re.compile(rf"^{begin.group(1)}end\b")
        size = next((n for n, text in enumerate(lines[at + 1:])
                     if end.match(text)), None)
        if size is not None:
            found.append((begin.group(2), size))
    return found


def functions(path):
    reader = {".c": c_functions, ".h": c_functions, ".lua": lua_functions}
    return reader.get(path.suffix, lambda lines: [])(tree.lines(path))


def made_by_script(root, path):
    maker = MADE.match(path.read_text("utf-8"))
    return bool(maker) and (root / maker.group(1)).is_file()


def measure(root):
    """Two lists: (lines, path) and (lines, path, function), longest first."""
    sizes, bodies = [], []
    for path in tree.files(root, *SOURCE):
        if made_by_script(root, path):
            continue
        where = path.relative_to(root)
        sizes.append((len(tree.lines(path)) - 1, str(where)))
        bodies += [(n, str(where), name) for name, n in functions(path)]
    return sorted(sizes, reverse=True), sorted(bodies, reverse=True)


def breaches(root):
    sizes, bodies = measure(root)
    return [f"{path}: {n} lines, more than {FILE_LINES}"
            for n, path in sizes if n > FILE_LINES] + [
            f"{path}: {name} has {n} lines, more than {FUNCTION_LINES}"
            for n, path, name in bodies if n > FUNCTION_LINES]


def report(root):
    sizes, bodies = measure(root)
    c_bodies = [n for n, path, _ in bodies if path.endswith(".c")
                and not path.startswith("tests/")]
    text = [f"{len(sizes)} files, {sum(n for n, _ in sizes)} lines; longest:"]
    text += [f"  {n:4} {path}" for n, path in sizes[:5]]
    if len(c_bodies) > 1:
        tenth = statistics.quantiles(c_bodies, n=10)[-1]
        text.append(
            f"{len(c_bodies)} C functions of median "
            f"{statistics.median(c_bodies):.0f} lines, 90 % up to "
            f"{tenth:.0f}; longest of all functions:")
    text += [f"  {n:4} {path} {name}" for n, path, name in bodies[:5]]
    return "\n".join(text)


def test_sizes(capsys):
    with capsys.disabled():
        print("\n" + report(tree.ROOT))
    tree.obeyed(breaches(tree.ROOT))


def c_function(name, size):
    return f"int {name}(int a,\n    int b)\n{{\n" + "    a++;\n" * size + "}\n"


def test_finds_a_long_file(tmp_path):
    tree.plant(tmp_path, {"engine/base/a.h": "\n" * 601,
                          "scripts/bot/b.lua": "\n" * 600,
                          "vendor/make.py": "",
                          "made.c": "/* Made by vendor/make.py; */" + "\n" * 601,
                          "not.c": "/* Made by hand; */" + "\n" * 601})
    assert breaches(tmp_path) == [
        "not.c: 601 lines, more than 600",
        "engine/base/a.h: 601 lines, more than 600",
    ]


def test_finds_a_long_function(tmp_path):
    tree.plant(tmp_path, {
        "engine/base/a.c": "struct s {\n    int a;\n};\n\n"
        + c_function("fine", 80) + "\n" + c_function("long_one", 81),
        "scripts/bot/b.lua": "local function tall()\n"
        + "  if x then y() end\n" * 81 + "end\n",
    })
    assert breaches(tmp_path) == [
        "scripts/bot/b.lua: tall has 81 lines, more than 80",
        "engine/base/a.c: long_one has 81 lines, more than 80",
    ]
    assert "long_one" in report(tmp_path)
