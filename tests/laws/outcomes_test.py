"""How a call can end, and what each ending is called: the tables in code and
the one in words have the same rows."""
import re

import pytest

from laws import tree

STATUS = re.compile(r"\{(\d+), (\d+), OUTCOME_(\w+),")
FAILURE = re.compile(r"\{(ERR_\w+), OUTCOME_(\w+)\}")
CODE = re.compile(r"CURLE_\w+")
ROW = re.compile(r"^\| `([\w-]+)`[\w ]* \| ([\w ]+) \|$", re.M)


def table(text, name):
    """The rows of `} NAME[] = {…};`."""
    return re.search(r"\} " + name + r"\[\] = \{(.*?)\n\};", text, re.S)[1]


def coded(root):
    """{ending: class} by the code."""
    outcome = (root / "engine/telegram/outcome.c").read_text("utf-8")
    curl = (root / "engine/net/curl_transfer.c").read_text("utf-8")
    found = {f"{first}-{last}": name.lower().replace("_", " ") for
             first, last, name in STATUS.findall(table(outcome, "statuses"))}
    found |= {code: name.lower().replace("_", " ") for code, name
              in FAILURE.findall(table(outcome, "failures"))}
    return found | {code: "not sent or unknown" for code
                    in CODE.findall(table(curl, "endings"))}


def told(root):
    page = (root / "docs/ARCHITECTURE.md").read_text("utf-8")
    part = page.split("\n## Outcomes of a call\n")[1].split("\n## ")[0]
    rows = ROW.findall(part)
    assert len(rows) == len(dict(rows)), "an ending has two rows"
    return dict(rows)


def test_the_words_are_the_codes():
    assert told(tree.ROOT) == coded(tree.ROOT)


def test_every_status_has_one_row():
    spans = sorted(tuple(map(int, name.split("-"))) for name
                   in coded(tree.ROOT) if name[0].isdigit())
    assert spans[0][0] == 200 and spans[-1][1] == 599
    for (_, last), (first, _) in zip(spans, spans[1:]):
        assert first == last + 1


@pytest.mark.parametrize("path, old, new", [
    ("engine/telegram/outcome.c", "{ERR_IO, OUTCOME_ENDED}",
     "{ERR_IO, OUTCOME_UNKNOWN}"),
    ("engine/telegram/outcome.c", "{430, 430, OUTCOME_REFUSED",
     "{430, 430, OUTCOME_TOLD"),
    ("engine/net/curl_transfer.c", "{CURLE_SEND_ERROR,", "{CURLE_TOO_LARGE,"),
    ("docs/ARCHITECTURE.md", "| `500-599` | server |\n", ""),
])
def test_the_law_sees_a_breach(tmp_path, path, old, new):
    for name in ("engine/telegram/outcome.c", "engine/net/curl_transfer.c",
                 "docs/ARCHITECTURE.md"):
        text = (tree.ROOT / name).read_text("utf-8")
        if name == path:
            assert old in text
            text = text.replace(old, new)
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, "utf-8")
    assert told(tmp_path) != coded(tmp_path)
