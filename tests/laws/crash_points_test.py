"""Crash points are for test builds alone: the release preset has none of
them, and without the option they compile to nothing.
"""
import json
import re
import subprocess

from laws import tree

HEADER = "engine/base/crash_point.h"
USER = f'#include "{HEADER}"\nvoid f(void);\nvoid f(void)\n' \
       '{\n    CRASH_POINT("a.place");\n}\n'


def compiled(folder, source, *flags):
    """The bytes of the object file."""
    path = folder / "x.o"
    subprocess.run(["cc", "-c", f"-I{tree.ROOT}", f"-I{tree.ROOT / 'engine'}",
                    "-D_GNU_SOURCE", *flags, "-o", path, source], check=True)
    return path.read_bytes()


def test_they_are_nothing_without_the_definition(tmp_path):
    user = tmp_path / "user.c"
    user.write_text(USER, "utf-8")
    own = tree.ROOT / "engine/base/crash_point.c"
    for source in (user, own):
        assert b"crash_point_pass" not in compiled(tmp_path, source)
        assert b"crash_point_pass" in compiled(
            tmp_path, source, "-DMOONLET_CRASH_POINTS")
    assert b"a.place" not in compiled(tmp_path, user)
    assert b"MOONLET_CRASH" not in compiled(tmp_path, own)


def test_only_the_option_for_tests_defines_it():
    places = {path.relative_to(tree.ROOT).as_posix(): path
              for path in tree.files(tree.ROOT, ".txt", ".cmake", ".json")
              if "MOONLET_CRASH_POINTS" in path.read_text("utf-8")}
    assert list(places) == ["CMakeLists.txt"]
    assert re.search(r"if\(MOONLET_TESTS\)\n  add_compile_definitions\("
                     r"MOONLET_CRASH_POINTS\)[^\n]*\nendif\(\)",
                     places["CMakeLists.txt"].read_text("utf-8"))
    presets = json.loads((tree.ROOT / "CMakePresets.json").read_text("utf-8"))
    (release,) = [preset for preset in presets["configurePresets"]
                  if preset["name"] == "release"]
    assert release["cacheVariables"]["MOONLET_TESTS"] == "OFF"
