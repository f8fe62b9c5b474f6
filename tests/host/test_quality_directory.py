"""Scorecards, draws' plans and notices in the directory, and who may do quality's work."""

from itertools import chain

import pytest
from diadema.access.roles import PEOPLE_ROLES, PROVIDED_ROLES, RIGHTS, TOKEN_ROLES, Person

QUALITY = {
    "supervisor": {"listen"}, "monitor": {"evaluate"},
    "quality_lead": {"listen", "evaluate", "quality"},
}  # fmt: skip


def test_rights_of_quality():
    """To administrate is not to listen, and human resources see no scores."""
    its = {role: rights & {"listen", "evaluate", "quality"} for role, rights in RIGHTS.items()}
    assert {role: rights for role, rights in its.items() if rights} == QUALITY
    assert RIGHTS["monitor"] < RIGHTS["quality_lead"]
    assert "quality_lead" in PEOPLE_ROLES and "quality_lead" in PROVIDED_ROLES
    assert "quality_lead" not in TOKEN_ROLES, "a person's"


@pytest.mark.parametrize("role", TOKEN_ROLES)
def test_no_program_hears_or_judges(role):
    program = Person(id="token:bi", name="", role=role)
    assert not program.may("listen", "evaluate", "quality")
    assert program.rights == RIGHTS[role] - set(chain(*QUALITY.values()))
