"""Each source includes its own header first, so that every header stands on
its own feet. A source without one is part of a module with several: it
includes that module's header, of the same folder, first.
"""
from laws import layers_test, tree


def own_header(root, path):
    """As it is written in an #include, or None."""
    head = path.with_suffix(".h")
    if not head.is_file():
        return None
    where = head.relative_to(root)
    return str(where if where.parts[0] == "bindings" else where.relative_to(
        "engine"))


def breaches(root):
    found = []
    for path in tree.files(root, ".c", below=("engine", "bindings")):
        where = path.relative_to(root)
        names = layers_test.INCLUDE.findall(path.read_text("utf-8"))
        first = names[0][1] if names else "nothing"
        own = own_header(root, path)
        floor = layers_test.floor_of(where)
        if own and first != own:
            found.append(f"{where}: includes {first} before {own}")
        elif not own and where.name != "main.c" and (
                not first.startswith(f"{floor}/")):
            found.append(f"{where}: includes {first} before a header of "
                         f"{floor}")
    return found


def test_own_header_comes_first():
    tree.obeyed(breaches(tree.ROOT))


def test_finds_another_header_before_its_own(tmp_path):
    tree.plant(tmp_path, {
        "engine/base/a.h": "", "engine/base/b.h": "", "bindings/t.h": "",
        "engine/base/a.c": '#include <stdio.h>\n#include "base/a.h"\n',
        "engine/base/b.c": '#include "base/b.h"\n#include <stdio.h>\n',
        "engine/base/b_part.c": '#include "base/b.h"\n',
        "engine/base/lost.c": "#include <stdio.h>\n",
        "bindings/t.c": '#include "bindings/t.h"\n',
    })
    assert breaches(tmp_path) == [
        "engine/base/a.c: includes stdio.h before base/a.h",
        "engine/base/lost.c: includes stdio.h before a header of base",
    ]
