"""Links of the Markdown pages lead to files and headings that are there, and the first page is one
that everybody can read to its end.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firmware", "boards", "hardware", "host_tools", "tests")
PAGES = [
    ROOT / "README.md",
    *sorted(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/**/*.md")),
]
LINKS = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")


def prose(text: str) -> str:
    """Without code, in which brackets are no links and # begins no heading."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: "x" * len(code[0]), text)


def anchors(text: str) -> set[str]:
    """As GitHub makes them: lower case, without signs, spaces as hyphens, the second one `-1`."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found: dict[str, int] = {}
    made = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        name = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip()).lower()
        name = re.sub(r"[^\w\- ]", "", name).replace(" ", "-")
        number = found[name] = found.get(name, -1) + 1
        made.add(f"{name}-{number}" if number else name)
    return made


def broken(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    wrong = []
    for link in ("".join(pair) for pair in LINKS.findall(prose(page.read_text("utf-8")))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or not to.is_relative_to(ROOT):
            wrong.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(to.read_text("utf-8")):
            wrong.append(f"{link}: no such heading")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    assert not broken(page)


def test_a_link_that_leads_nowhere_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "README.md"
    page.write_text(
        "# A `b` · ¿c?\n\n[x](#a-b--c) [y](#d) [z](e.md) ![p](q.png) [w](https://x.org/y)\n"
        "`[no](link.md)`\n\n```\n# no heading\n[no](link.md)\n```\n[v](#no-heading)\n"
    )
    assert [each.partition(":")[0] for each in broken(page)] == [
        "#d",
        "e.md",
        "q.png",
        "#no-heading",
    ]


def test_the_first_page_is_short_says_what_was_not_tried_and_leads_to_each_folder() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) <= 120
    assert any("tried on a real board" in line for line in lines[:15])
    for folder in FOLDERS:
        assert f"({folder}/README.md)" in text, folder
