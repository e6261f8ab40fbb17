"""The tables in engine/base/botapi_tables.c are those of vendor/botapi."""
import json
import shutil
import subprocess
import sys

from laws import tree


def generate(root, *args):
    return subprocess.run(
        [sys.executable, root / "vendor" / "botapi" / "generate.py", *args],
        capture_output=True, text=True, timeout=60, check=False)


def test_the_tables_are_current():
    done = generate(tree.ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_old_tables_are_noticed(tmp_path):
    data = tmp_path / "vendor" / "botapi"
    shutil.copytree(tree.ROOT / "vendor" / "botapi", data)
    (tmp_path / "engine" / "base").mkdir(parents=True)
    assert generate(tmp_path).returncode == 0
    assert generate(tmp_path, "--check").returncode == 0
    methods = json.loads((data / "methods.json").read_text("utf-8"))
    methods["methods"][0]["params"][0]["required"] = False
    (data / "methods.json").write_text(json.dumps(methods), "utf-8")
    done = generate(tmp_path, "--check")
    assert done.returncode == 1
    assert "not current" in done.stderr
