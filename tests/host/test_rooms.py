"""The rooms of the host package: imports go downwards only, and each room says what it is for."""

from tests.rooms import FLOOR, HOST, SIMULATOR, imports, rooms, up_to_date


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
