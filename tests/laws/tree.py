"""What the laws share: walking the tree, and planting a small one in which
a law must find its breach. A law is a function from the root of a tree to a
list of breaches, each one line "path: what is wrong".
"""
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

NOT_OURS = {".git", "build", "data", "__pycache__"}
BINARY = {".png", ".jpg", ".gif", ".ico", ".webp", ".woff2", ".db", ".pyc"}


def files(root, *suffixes, below=()):
    """All our text files, sorted; only these suffixes and folders if given."""
    found = []
    for folder, names, leaves in os.walk(root):
        names[:] = sorted(set(names) - NOT_OURS)
        found += [pathlib.Path(folder, leaf) for leaf in leaves]
    return sorted(
        path for path in found
        if path.suffix not in BINARY
        and (not suffixes or path.suffix in suffixes)
        and (not below or path.relative_to(root).parts[0] in below))


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")


def plant(root, tree):
    """Writes {path: text} below root and returns root."""
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def obeyed(breaches):
    """The last line of a law's test."""
    if breaches:
        pytest.fail("\n".join(breaches), pytrace=False)
