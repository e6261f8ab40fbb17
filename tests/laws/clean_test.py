"""The text of the tree: no paths of one machine, no registry hosts, no stray
white space, no marks of unfinished work, one guard a header.
"""
import re

from laws import tree

# Written so that no pattern finds itself.
FORBIDDEN = [
    ("a path of one machine",
     re.compile(r"(?<![\w.])/(?:[w]ork|[h]ome|[U]sers)/\w|/[t]mp/build")),
    ("a registry host",
     re.compile(r"\b(?:registry\.npmjs\.org|pypi\.org|pythonhosted\.org|"
                r"crates\.io|proxy\.golang\.org|luarocks\.org|"
                r"deb\.debian\.org|rubygems\.org)\b")),
    ("a mark of unfinished work", re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")),
    ("trailing white space", re.compile(r"[ \t\r]$")),
]


def line_breaches(root):
    found = []
    for path in tree.files(root):
        where = path.relative_to(root)
        for number, line in enumerate(tree.lines(path), 1):
            found += [f"{where}:{number}: {what}"
                      for what, pattern in FORBIDDEN if pattern.search(line)]
            if "\t" in line and path.suffix in {".c", ".h"}:
                found.append(f"{where}:{number}: a tab")
    return found


def end_breaches(root):
    found = []
    for path in tree.files(root):
        text = path.read_text("utf-8")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            found.append(f"{path.relative_to(root)}: "
                         "does not end with exactly one newline")
    return found


def guard(where):
    """engine/base/buf.h has MOONLET_BASE_BUF_H, bindings/x.h has
    MOONLET_BINDINGS_X_H, tests/unit/net/x.h has MOONLET_TESTS_NET_X_H."""
    name = str(where).removeprefix("engine/")
    name = name.replace("tests/unit/", "tests/")
    return re.sub(r"\W", "_", f"moonlet/{name}").upper()


def guard_breaches(root):
    found = []
    for path in tree.files(root, ".h"):
        where = path.relative_to(root)
        name = guard(where)
        text = path.read_text("utf-8")
        if not (text.startswith(f"#ifndef {name}\n#define {name}\n")
                and text.rstrip().endswith("#endif")):
            found.append(f"{where}: is not guarded by {name}")
    return found


def test_lines_are_clean():
    tree.obeyed(line_breaches(tree.ROOT))


def test_files_end_with_a_newline():
    tree.obeyed(end_breaches(tree.ROOT))


def test_headers_are_guarded_by_their_path():
    tree.obeyed(guard_breaches(tree.ROOT))


def test_finds_dirty_lines(tmp_path):
    tree.plant(tmp_path, {
        "docs/a.md": "see /" "work/main/x\nhttps://pypi" ".org/simple\n",
        "engine/base/b.c": '#include "loop/work.h"\n\tint a;\n'
                           "/* TO" "DO later */\n",
        "scripts/c.lua": "local a \n",
    })
    assert line_breaches(tmp_path) == [
        "docs/a.md:1: a path of one machine",
        "docs/a.md:2: a registry host",
        "engine/base/b.c:2: a tab",
        "engine/base/b.c:3: a mark of unfinished work",
        "scripts/c.lua:1: trailing white space",
    ]


def test_finds_a_bad_end(tmp_path):
    tree.plant(tmp_path, {"a.c": "int a;", "b.c": "int b;\n\n",
                          "c.c": "int c;\n", "empty": ""})
    assert [breach.split(":")[0] for breach in end_breaches(tmp_path)] == [
        "a.c", "b.c"]


def test_finds_a_wrong_guard(tmp_path):
    good = "#ifndef {0}\n#define {0}\n\n#endif\n"
    tree.plant(tmp_path, {
        "engine/base/buf.h": good.format("MOONLET_BASE_BUF_H"),
        "engine/net/buf.h": good.format("MOONLET_BASE_BUF_H"),
        "engine/cli/engine.h": good.format("MOONLET_CLI_ENGINE_H"),
        "bindings/task.h": good.format("MOONLET_BINDINGS_TASK_H"),
        "tests/unit/net/x.h": good.format("MOONLET_TESTS_NET_X_H"),
        "bindings/none.h": "int a;\n",
    })
    assert guard_breaches(tmp_path) == [
        "bindings/none.h: is not guarded by MOONLET_BINDINGS_NONE_H",
        "engine/net/buf.h: is not guarded by MOONLET_NET_BUF_H",
    ]
