"""The published documents: valid, complete, and of one mind with the decoder."""

import json

import jsonschema
import pytest
from diadema import schema
from diadema.events import KINDS
from diadema.ingest.decode import decode
from scripted_station import Script


@pytest.fixture(scope="module")
def validator():
    document = schema.event_schema()
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_what_a_station_writes_fits(validator):
    script = Script().boot().clock().login().ready().call("c1", hold=1000).logout()
    script.contact("dialed", "c2", via="key", direction="out")
    script.contact("missed", "c2", cause="no_answer", ring_ms=5)
    for body in script.bodies:
        validator.validate(json.loads(body))
        assert decode(body)[2] == []


@pytest.mark.parametrize(
    "change",
    [{"k": "contact.sung"}, {"via": "telepathy"}, {"n": 0}, {"t": "noon"}, {"colour": 1}],
)
def test_what_no_station_of_this_version_writes_does_not(validator, change):
    event = json.loads(Script().offer("c1").bodies[0]) | change
    assert not validator.is_valid(event)


def test_every_kind_is_in_both_documents():
    tags = {
        value
        for definition in schema.event_schema()["$defs"].values()
        for value in definition["properties"]["k"]["enum"]
    }
    assert tags == set(KINDS)
    assert set(schema.asyncapi()["channels"]["ev"]["messages"]) == set(KINDS)


def test_asyncapi_refers_to_what_it_has():
    document = schema.asyncapi()

    def references(part):
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(document))
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
