"""The rooms of the host package: imports go downwards only, each room says what it is for, and the
first page draws those that are there.
"""

import re
from itertools import pairwise

from tests.rooms import FLOOR, HOST, SIMULATOR, imports, rooms, up_to_date

ROOT = HOST.parent
DRAWN = (ROOT / "README.md").read_text(encoding="utf-8").partition("```mermaid\n")[2]


def test_imports_go_downwards_only():
    up = {
        f"{by} imports {to}": sorted(modules)
        for (by, to), modules in imports().items()
        if SIMULATOR not in (by, to) and FLOOR[by] <= FLOOR[to]
    }
    assert not up


def test_only_the_command_line_knows_the_simulator():
    naming = {
        path.relative_to(HOST / "diadema").parts[0]
        for path in (HOST / "diadema").rglob("*.py")
        if SIMULATOR in path.read_text(encoding="utf-8")
    }
    assert naming == {"cli"}


def test_each_room_stands_on_a_floor_and_says_in_a_line_what_it_is_for():
    assert set(rooms()) == set(FLOOR)
    for room, purpose in rooms().items():
        assert 20 <= len(purpose) <= 120 and purpose.endswith("."), (room, purpose)


def test_an_import_upwards_and_a_room_without_a_floor_are_seen(tmp_path):
    for name, text in (
        ("base/__init__.py", '"""Ground."""'),
        ("base/locks.py", "def f():\n    from diadema.cli import main\n"),
        ("attic/__init__.py", ""),
    ):
        path = tmp_path / "diadema" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert imports(tmp_path) == {("base", "cli"): {"diadema.base.locks"}}
    assert rooms(tmp_path) == {"base": "Ground.", "attic": ""}


def test_the_readme_has_the_rooms_as_they_are():
    assert not up_to_date()


def drawing() -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Of the first page's: {node: what stands in its box}, boxes alone, and all its arrows."""
    text = DRAWN.partition("```")[0]
    boxes = dict(re.findall(r"(?<!subgraph )\b(\w+)\[\"([^\"]+)\"\]", text))
    bare = re.sub(r"\(?\[\"[^\"]*\"\]\)?|-- \"[^\"]*\"", "", text)
    arrows = set()
    for line in bare.splitlines():
        nodes = [node.strip() for node in re.split(r"-->", line)]
        arrows |= set(pairwise(nodes))
    return boxes, arrows


def test_the_first_page_draws_folders_and_rooms_that_are_there():
    boxes, _ = drawing()
    of_the_host = {name for name, label in boxes.items() if (HOST / "diadema" / label).is_dir()}
    assert of_the_host == boxes.keys() & rooms().keys()
    assert all(boxes[name] == f"{name}/" for name in of_the_host)
    rest = {label for name, label in boxes.items() if name not in of_the_host}
    assert rest == {"boards/", "firmware/drivers/", "firmware/lib/"}
    assert all((ROOT / label).is_dir() for label in rest)
    assert {"gateway", "hub", "ingest", "store", "report", "web"} <= of_the_host


def test_where_it_has_an_arrow_between_two_rooms_one_imports_the_other():
    boxes, arrows = drawing()
    between = {(a, b) for a, b in arrows if {a, b} <= rooms().keys()}
    known = imports().keys()
    assert len(between) >= 6
    assert {(a, b) for a, b in between if (a, b) not in known and (b, a) not in known} == set()
    assert {node for arrow in arrows for node in arrow} - boxes.keys() == {"nats", "switch"}
