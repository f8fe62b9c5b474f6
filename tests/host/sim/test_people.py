"""The invented centre: its people are distinct, its catalogues fit the screen."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from diadema.base.errors import DiademaError
from diadema.site.description import parse
from diadema_sim import menu_keys, people

from tests.support.pins import verify_pin


def labels(nodes: list[Any]) -> list[str]:
    return [
        label for node in nodes for label in (node[1], *(labels(node[2]) if len(node) > 2 else ()))
    ]


def depth(node: list[Any]) -> set[int]:
    return {1 + below for child in node[2] for below in depth(child)} if len(node) > 2 else {1}


@pytest.mark.parametrize("tree", [people.LIMA_TREE, people.BANK_TREE])
def test_trees_have_three_levels_unique_codes_and_labels_that_fit(tree: dict[str, Any]) -> None:
    codes = people.leaves(tree)
    assert len(codes) == len(set(codes))
    assert set().union(*(depth(node) for node in tree["nodes"])) == {3}
    assert max(map(len, labels(tree["nodes"]))) <= people.LABEL_LIMIT


def test_every_type_of_the_bank_has_its_leaf() -> None:
    assert {*people.BANK_CODES.values(), people.BANK_OTHER} == set(people.leaves(people.BANK_TREE))


def test_every_type_has_its_queue_and_its_leaves_in_lima() -> None:
    assert people.QUEUES.keys() == people.LIMA_CODES.keys() == people.BANK_CODES.keys()
    codes = {code for codes in people.LIMA_CODES.values() for code in codes}
    assert codes <= set(people.leaves(people.LIMA_TREE))


@pytest.mark.parametrize("desks", [people.desks(people.LIMIT), people.bank_desks(["IDIT", "IDA"])])
def test_nobody_is_there_twice(desks: list[people.Desk]) -> None:
    for seen in (
        [desk.person.id for desk in desks],
        [desk.person.name for desk in desks],
        [desk.person.alias for desk in desks],
        [desk.person.badge for desk in desks],
        [desk.seat for desk in desks],
        [desk.station for desk in desks],
    ):
        assert len(set(seen)) == len(seen)
    assert all(len(desk.person.short) <= people.LABEL_LIMIT for desk in desks)


def test_everybody_has_a_code_of_her_own_and_a_pin_that_is_none_too_easy() -> None:
    everybody = [desk.person for desk in people.desks(people.LIMIT)]
    assert len({person.code for person in everybody}) == len(everybody)
    assert len({person.pin for person in everybody}) == len(everybody)
    for person in everybody:
        assert verify_pin(person.pin, person.as_site(pins=True)["pin"])
        assert "pin" not in person.as_site()
    assert everybody[7].as_site(pins=True) == everybody[7].as_site(pins=True)


@pytest.mark.parametrize("pins", [False, True])
@pytest.mark.parametrize("tree", [people.LIMA_TREE, people.BANK_TREE])
def test_the_sample_site_is_right_and_has_what_a_day_needs(
    tree: dict[str, Any], pins: bool
) -> None:
    content = people.site(
        people.desks(3), name="Centro", zone="America/Lima", tree=tree, pins=pins
    )
    site = parse(json.dumps(content).encode())
    assert site.pin == ("always" if pins else "none")
    assert all(bool(agent.pin) == bool(agent.code) == pins for agent in site.agents)
    assert {reason.code for reason in site.reasons if reason.private} == {
        "sshh", "topico", "lactancia",
    }  # fmt: skip
    assert site.areas and site.help_topics and site.fault_areas and site.materials
    assert len(site.campaigns[0].steps) == 6
    debts = site.campaigns[1].outbound
    assert debts is not None
    assert (debts.minutes(), debts.mask(), debts.holidays) == ((480, 1200), 0b0011111, False)
    assert len(site.playbooks) == len(tree["nodes"])


@pytest.mark.parametrize("count", [0, people.LIMIT + 1])
def test_more_stations_than_people_are_refused(count: int) -> None:
    with pytest.raises(DiademaError, match="1 to 400"):
        people.desks(count)


@pytest.mark.parametrize("tree", [people.LIMA_TREE, people.BANK_TREE])
def test_keys_lead_to_every_leaf_on_the_stations_own_menu(
    tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "firmware")
    monkeypatch.setitem(sys.modules, "micropython", SimpleNamespace(const=int))
    menus = importlib.import_module("lib.menus")
    for reason in people.REASONS:
        rows = [[reason["code"], reason["label"]] for reason in people.REASONS]
        menu = menus.Menu("reasons", rows, None)
        *steps, last = menu_keys.coded_keys(people.REASONS, reason["code"])
        assert [menu.choose(key) for key in steps] == [None] * len(steps)
        assert menu.choose(last)[0] == reason["code"]


@pytest.mark.parametrize(
    ("index", "count", "keys"),
    [(0, 1, [3]), (3, 4, [6]), (0, 5, [3]), (2, 5, [5]), (3, 5, [6, 3]), (9, 10, [6, 6, 6, 3])],
)
def test_keys_of_a_line(index: int, count: int, keys: list[int]) -> None:
    assert menu_keys.line_keys(index, count) == keys


def test_what_is_not_there_has_no_keys() -> None:
    with pytest.raises(DiademaError, match="no line 4"):
        menu_keys.line_keys(4, 4)
    with pytest.raises(DiademaError, match="no code '12'"):
        menu_keys.code_keys(people.LIMA_TREE, "12")
    with pytest.raises(DiademaError, match="no 'siesta' in the list"):
        menu_keys.coded_keys(people.REASONS, "siesta")
    assert menu_keys.coded_keys(people.REASONS, "topico") == [6, 4]
