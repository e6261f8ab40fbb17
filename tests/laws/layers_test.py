"""base < loop < {net, store, vm} < telegram < app < bindings < cli, and sim
on base, loop and net alone. Read from the includes and from the link edges.
"""
import re

from laws import tree

# What each floor stands on directly; what those stand on comes with it.
STANDS_ON = {
    "base": [],
    "loop": ["base"],
    "net": ["loop"],
    "store": ["loop"],
    "vm": ["loop"],
    "telegram": ["net", "store", "vm"],
    "app": ["telegram"],
    "bindings": ["app"],
    "sim": ["net"],
    "cli": ["bindings", "sim"],
}

# Libraries that only some floors know. Lua does not even reach the others
# through a header of ours.
LUA = re.compile(r"(lua|lauxlib|lualib|lua-cjson|lua_cjson)\.h$")
KNOWN_BY = [
    (LUA, {"vm", "bindings"}),
    (re.compile(r"uv\.h$"), set(STANDS_ON) - {"base"}),
    (re.compile(r"(curl/.*|microhttpd\.h)$"), {"net"}),
    (re.compile(r"sqlite3\.h$"), {"store"}),
    (re.compile(r"jansson\.h$"), {"sim"}),
    (re.compile(r"(pcre2\.h|nettle/.*)$"), {"bindings"}),
]

LINKED_BY = {
    "uv": {"loop"}, "curl": {"net"}, "microhttpd": {"net"},
    "sqlite": {"store"}, "lua": {"vm"}, "cjson": {"vm"}, "jansson": {"sim"},
    "pcre2": {"bindings"}, "nettle": {"bindings"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def below(floor):
    """The floors that a floor may know, itself among them."""
    known = {floor}
    for lower in STANDS_ON[floor]:
        known |= below(lower)
    return known


def floor_of(path):
    """Of a path relative to the root: engine/net/x.h, bindings/x.c."""
    return path.parts[1] if path.parts[0] == "engine" else path.parts[0]


def sources(root):
    return tree.files(root, ".c", ".h", below=("engine", "bindings"))


def may_include(path, floor, other):
    if other in below(floor):
        return True
    return (other == "sim" and floor == "bindings"
            and path.name.startswith("test"))


def own_include(root, path, name):
    """A breach of one #include "name", or None."""
    where = path.relative_to(root)
    other = name.split("/")[0]
    if "/" not in name or other not in STANDS_ON:
        return f'{where}: "{name}" is not of the form "FLOOR/NAME.h"'
    if not may_include(where, floor_of(where), other):
        return f"{where}: {floor_of(where)} must not include {name}"
    return None


def foreign_include(root, path, name):
    where = path.relative_to(root)
    for pattern, floors in KNOWN_BY:
        if pattern.match(name) and floor_of(where) not in floors:
            return f"{where}: <{name}> belongs to {', '.join(sorted(floors))}"
    return None


def include_breaches(root):
    found = []
    for path in sources(root):
        where = path.relative_to(root)
        if floor_of(where) not in STANDS_ON:
            found.append(f"{where}: {floor_of(where)} is no known floor")
            continue
        for kind, name in INCLUDE.findall(path.read_text("utf-8")):
            check = own_include if kind == '"' else foreign_include
            found.append(check(root, path, name))
    return [breach for breach in found if breach]


def header(root, name):
    path = root / name if name.startswith("bindings/") else (
        root / "engine" / name)
    return path if path.is_file() else None


def reaches_lua(root, path, seen):
    """The chain of headers by which a file sees a Lua header, or None."""
    for kind, name in INCLUDE.findall(path.read_text("utf-8")):
        if kind == "<" and LUA.match(name):
            return [name]
        below_it = header(root, name) if kind == '"' else None
        if below_it and below_it not in seen:
            seen.add(below_it)
            chain = reaches_lua(root, below_it, seen)
            if chain:
                return [name] + chain
    return None


def lua_breaches(root):
    found = []
    for path in sources(root):
        where = path.relative_to(root)
        if floor_of(where) in {"vm", "bindings"}:
            continue
        chain = reaches_lua(root, path, set())
        if chain:
            found.append(f"{where}: sees Lua through {' > '.join(chain)}")
    return found


def link_edges(text):
    """(floor, library) for each library that CMakeLists.txt links."""
    calls = re.findall(r"^floor\((\w+)\s+FOLDER\s+\S+\s+USES\s+([^)]*)\)",
                       text, re.M)
    calls += [("cli", used) for used in re.findall(
        r"target_link_libraries\(moonlet\s+PRIVATE\s+([^)]*)\)", text)]
    return [(floor, used) for floor, uses in calls for used in uses.split()]


def link_breaches(root):
    found = []
    for floor, used in link_edges((root / "CMakeLists.txt").read_text()):
        name = re.sub(r"^(moonlet_|dep::)", "", used)
        if used.startswith("moonlet_"):
            allowed = name in below(floor) or (floor, name) == (
                "bindings", "sim")
        elif used.startswith("dep::"):
            allowed = floor in LINKED_BY.get(name, ())
        else:
            allowed = floor == "base"
        if not allowed:
            found.append(f"CMakeLists.txt: {floor} must not link {used}")
    return found


def test_includes_go_downwards():
    tree.obeyed(include_breaches(tree.ROOT))


def test_lua_stays_in_vm_and_bindings():
    tree.obeyed(lua_breaches(tree.ROOT))


def test_links_go_downwards():
    assert len(link_edges((tree.ROOT / "CMakeLists.txt").read_text())) > 10
    tree.obeyed(link_breaches(tree.ROOT))


def test_finds_an_include_upwards(tmp_path):
    tree.plant(tmp_path, {
        "engine/base/a.c": '#include "base/a.h"\n#include "loop/loop.h"\n',
        "engine/store/b.c": '#include "vm/await.h"\n',
        "engine/sim/c.c": '#include "net/routes.h"\n#include <jansson.h>\n',
        "engine/app/d.c": '#include "sim/sim.h"\n',
        "engine/attic/e.c": "",
        "bindings/test.c": '#include "sim/sim.h"\n#include <lua.h>\n',
        "bindings/task.c": '#include "sim/sim.h"\n',
    })
    assert include_breaches(tmp_path) == [
        "bindings/task.c: bindings must not include sim/sim.h",
        "engine/app/d.c: app must not include sim/sim.h",
        "engine/attic/e.c: attic is no known floor",
        "engine/base/a.c: base must not include loop/loop.h",
        "engine/store/b.c: store must not include vm/await.h",
    ]


def test_finds_a_library_on_a_wrong_floor(tmp_path):
    tree.plant(tmp_path, {
        "engine/app/a.c": "#include <sqlite3.h>\n# include <lauxlib.h>\n",
        "engine/base/b.h": "#include <uv.h>\n",
    })
    assert include_breaches(tmp_path) == [
        "engine/app/a.c: <sqlite3.h> belongs to store",
        "engine/app/a.c: <lauxlib.h> belongs to bindings, vm",
        "engine/base/b.h: <uv.h> belongs to "
        "app, bindings, cli, loop, net, sim, store, telegram, vm",
    ]


def test_finds_lua_behind_a_header(tmp_path):
    tree.plant(tmp_path, {
        "engine/vm/await.h": "#include <lua.h>\n",
        "engine/vm/task.h": '#include "vm/await.h"\n',
        "engine/app/worker.c": '#include "vm/task.h"\n',
    })
    assert lua_breaches(tmp_path) == [
        "engine/app/worker.c: sees Lua through vm/task.h > vm/await.h > lua.h"
    ]


def test_finds_a_link_upwards(tmp_path):
    tree.plant(tmp_path, {"CMakeLists.txt": (
        "floor(base FOLDER engine/base USES m)\n"
        "floor(store FOLDER engine/store USES moonlet_loop dep::sqlite\n"
        "  moonlet_vm dep::lua)\n"
        "target_link_libraries(moonlet PRIVATE moonlet_sim dep::uv)\n")})
    assert link_breaches(tmp_path) == [
        "CMakeLists.txt: store must not link moonlet_vm",
        "CMakeLists.txt: store must not link dep::lua",
        "CMakeLists.txt: cli must not link dep::uv",
    ]
