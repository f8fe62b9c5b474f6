"""Links of the Markdown pages lead to files and headings that are there, and the first page is one
that everybody can read to its end.
"""

import re
import tomllib
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


SPANISH = frozenset(
    [
        "de",
        "la",
        "el",
        "los",
        "las",
        "que",
        "y",
        "en",
        "un",
        "una",
        "se",
        "con",
        "por",
        "del",
        "es",
        "al",
        "lo",
        "para",
        "su",
    ]
)
ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "is",
        "to",
        "in",
        "it",
        "that",
        "are",
        "with",
        "for",
        "by",
        "from",
        "its",
        "this",
        "what",
        "when",
    ]
)
_LEAST_WORDS = 6
_SOME_WORDS, _A_SENTENCE = 10, 15
_BESIDE = re.compile(r"(?<!\*)\*(?! )[^*|]+(?<! )\*(?!\*)")  # in italics, the other language


def in_spanish(block: str) -> bool:
    words = re.findall(r"\w+", block.lower())
    return sum(w in SPANISH for w in words) >= sum(w in ENGLISH for w in words)


def not_first_in_spanish(text: str) -> list[str]:
    """Of each part between headings, what people read first, where that is no Spanish."""
    wrong = []
    for part in re.split(r"^#{1,6} ", prose(text), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        own = re.sub(rf"<!--.*?-->|{_BESIDE.pattern}", "", body, flags=re.DOTALL)
        blocks = re.split(r"\n\s*\n", own.strip("\n"))
        read = (b for b in blocks if not b.startswith(("|", "    ", "<", "![")))
        first = next((b for b in read if len(re.findall(r"\w+", b)) >= _LEAST_WORDS), "")
        if not in_spanish(first):
            wrong.append(heading)
    return wrong


def without_english(text: str) -> list[str]:
    """Parts with some sentences, nothing of them in italics beside."""
    wrong = []
    for part in re.split(r"^#{1,6} ", prose(text), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        told = re.sub(r"^(\||    ).*", "", _BESIDE.sub("", body), flags=re.MULTILINE)
        beside = max((len(said) for said in _BESIDE.findall(body)), default=0)
        if len(re.findall(r"[^\W\d]{2,}", told)) >= _SOME_WORDS and beside < _A_SENTENCE:
            wrong.append(heading)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_part_of_a_guide_is_in_spanish_first_and_in_english_beside(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not_first_in_spanish(text) == []
    assert without_english(text) == []


def test_a_part_that_begins_in_english_is_seen() -> None:
    text = "# A\n\nLo que corre en la estación.\n*What runs at the desk.*\n\n## B\n\n"
    assert not_first_in_spanish(text + "Which of the files it is that are read first.\n") == ["B"]
    told = "Lo que hace la estación cuando el servidor no contesta.\n"
    assert without_english(f"{text}{told}\n## C\n\n{told}*What it does then.*\n") == ["B"]


def test_each_file_that_a_page_names_is_there() -> None:
    """Of our folders, but for names that stand for others, as NAME.py, and what is made."""
    within = re.compile(rf"(?<![\w./-])((?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*])")
    seen, missing = 0, []
    for page in PAGES:
        for path in within.findall(page.read_text("utf-8")):
            if re.search(r"[A-Z]{2}", path.removesuffix("README.md")) or "/build" in path:
                continue
            seen += 1
            if not any([*ROOT.glob(path), *page.parent.glob(path)]):
                missing.append(f"{page.relative_to(ROOT)}: {path}")
    assert seen > 100
    assert not missing


def test_the_line_of_system_packages_is_that_of_the_whole_run() -> None:
    wanted = re.findall(r"^need ([\w-]+) ", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    guide = (ROOT / "host_tools" / "README.md").read_text("utf-8")
    assert len(wanted) > 10
    assert f"\n    apt install {' '.join(wanted)}\n" in guide


def test_the_wheel_that_is_installed_is_the_one_that_is_built() -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    guide = (ROOT / "host_tools" / "README.md").read_text("utf-8")
    wheels = re.findall(r"[\w.-]+\.whl", guide)
    assert wheels == [f"diadema-{about['version']}-py3-none-any.whl"]
    assert f"Python {about['requires-python'].removeprefix('>=')} o más nuevo" in guide


def first_page() -> list[str]:
    return (ROOT / "README.md").read_text("utf-8").splitlines()


def test_the_first_page_is_short_and_begins_with_what_it_is_and_what_was_not_tried() -> None:
    lines = first_page()
    assert len(lines) <= 130
    what, picture, status = "\n".join(lines[1:10]).strip().split("\n\n")
    assert what.count("\n") == 2
    assert picture.startswith("![")
    assert status.startswith("**Estado") and "tried on a real board" in status


def test_its_parts_come_in_their_order() -> None:
    lines = first_page()
    parts = [
        "    make demo", "    make test", "## Cinco puertas · five doors",
        "## Cómo funciona · how it works", "```mermaid", "## Carpetas · folders",
        "## Glosario · glossary",
    ]  # fmt: skip
    found = [next(i for i, line in enumerate(lines) if line.startswith(part)) for part in parts]
    assert found == sorted(found)
    assert len([line for line in lines if line.startswith("## ")]) == 4


def rows(part: str) -> list[list[str]]:
    """Of the table under a heading of the first page, without its head."""
    lines = "\n".join(first_page()).partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    found = [line.strip("| ").split(" | ") for line in lines.splitlines() if line[:1] == "|"]
    return found[2:]


def test_it_has_five_doors_a_link_in_each_and_something_to_type() -> None:
    doors = rows("Cinco puertas · five doors")
    assert [door[0].partition(" · ")[0].partition(",")[0] for door in doors] == [
        "asesor", "supervisor", "administrador", "técnico", "desarrollador",
    ]  # fmt: skip
    for _, start, first in doors:
        assert LINKS.search(start) and re.search(r"`(diadema|make) [a-z ]+`", first)


def test_it_leads_to_each_folder_and_says_each_word_in_both_languages() -> None:
    text = "\n".join(row[0] for row in rows("Carpetas · folders"))
    for folder in FOLDERS:
        assert f"({folder}/README.md)" in text, folder
    assert all(len(row) == 3 and all(row) for row in rows("Glosario · glossary"))
