"""What our libraries define for each other is defined once, and is not named
as something in a library that the program is linked to. The linker takes the
first of two without a word, be it the right one or not: static libraries of
one program, and a program that stands before the libraries it loads.

The law reads the folder of the build under test (MOONLET): there lie the
floors, and main's object files.
"""
import collections
import pathlib
import re
import subprocess

import pytest

import harness
from laws import tree

# What a sanitizer puts beside a global of ours, by its name.
INSTRUMENTED = re.compile(r"^__(odr_)?asan[._]")


def run(*args):
    done = subprocess.run([str(arg) for arg in args], capture_output=True,
                          text=True, timeout=harness.LIMIT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def defined(path):
    """(where, name) of each external symbol that libraries or object files
    define."""
    for line in run("nm", "-A", "-P", "-g", "--defined-only",
                    path).splitlines():
        where, name = line.split(": ", 1)
        name = name.split()[0]
        if not INSTRUMENTED.match(name):
            yield where.rsplit("/", 1)[-1], name


def built(folder):
    """The files of a build that make up the program; none may be missing."""
    found = sorted(folder.glob("libmoonlet_*.a"))
    floors = {path.stem[len("libmoonlet_"):] for path in found}
    wanted = {path.name for path in (tree.ROOT / "engine").iterdir()
              if list(path.glob("*.c"))} | {"bindings"}
    assert floors == wanted, f"{folder} is no whole build"
    # Not what lies there: a source that is gone leaves its object file.
    main = re.findall(r" -o (CMakeFiles/moonlet\.dir/\S+\.o) ",
                      (folder / "compile_commands.json").read_text("utf-8"))
    assert main, f"{folder} has no main"
    return found + [folder / path for path in main]


def loaded(program):
    """The shared libraries that a program is loaded with."""
    return [pathlib.Path(path) for path
            in re.findall(r"=> (/\S+) ", run("ldd", program))]


def shared(path):
    """Names that a shared library defines, without their versions."""
    return {line.split()[0].split("@")[0] for line in run(
        "nm", "-D", "-P", "-g", "--defined-only", path).splitlines()}


def breaches(ours, libraries):
    places = collections.defaultdict(list)
    for path in ours:
        for where, name in defined(path):
            places[name].append(where)
    found = [f"{' and '.join(where)}: {name} is defined twice"
             for name, where in sorted(places.items()) if len(where) > 1]
    for library in libraries:
        found += [f"{places[name][0]}: {name} is a symbol of {library.name}"
                  for name in sorted(shared(library) & set(places))
                  if name != "main"]
    return found


def test_symbols_are_defined_once():
    program = pathlib.Path(harness.binary())
    libraries = loaded(program)
    assert any("jansson" in path.name for path in libraries)
    tree.obeyed(breaches(built(program.parent), libraries))


def compiled(folder, name, source, *flags):
    (folder / f"{name}.c").write_text(source, "utf-8")
    path = folder / f"{name}.o"
    run("cc", *flags, "-o", path, folder / f"{name}.c")
    return path


@pytest.fixture
def world(tmp_path):
    """Two object files and a shared library without a breach."""
    return [compiled(tmp_path, "one", "static int own;\n"
                     "int one(void) { return own; }\n", "-c"),
            compiled(tmp_path, "two", "static int own(void) { return 2; }\n"
                     "int two(void) { return own(); }\n", "-c")], [
        compiled(tmp_path, "shared", "int own(void) { return 3; }\n",
                 "-shared", "-fPIC")]


def test_takes_a_good_world(world):
    assert [name for path in world[0] for _, name in defined(path)] == [
        "one", "two"]
    assert breaches(*world) == []


def test_finds_what_two_libraries_define(tmp_path, world):
    ours, libraries = world
    other = compiled(tmp_path, "other", "int two(int n) { return n; }\n",
                     "-c")
    library = tmp_path / "libmoonlet_other.a"
    run("ar", "rc", library, other)
    assert breaches([*ours, library], libraries) == [
        "two.o and libmoonlet_other.a[other.o]: two is defined twice"]


def test_finds_the_name_of_a_loaded_librarys_symbol(tmp_path, world):
    ours, libraries = world
    other = compiled(tmp_path, "other", "int own = 7;\n", "-c")
    assert breaches([*ours, other], libraries) == [
        "other.o: own is a symbol of shared.o"]


def test_finds_a_build_that_is_not_whole(tmp_path):
    with pytest.raises(AssertionError, match="no whole build"):
        built(tmp_path)
