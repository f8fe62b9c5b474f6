"""What a page may ask for at once is all that its module needs, and how modules are served."""

import httpx
from diadema.web.assets import modules_of, source_of

from tests.support.web_stage import Web


def test_a_module_is_named_with_all_that_it_needs() -> None:
    found = modules_of("floor.js")
    assert found[0] == "floor.js" and len(found) == len(set(found)) > 10
    for name in found:
        for part in source_of(name).split('from "./')[1:]:
            assert part.partition('"')[0] in found


def test_what_is_made_from_the_wire_is_served_like_its_neighbours(worked_web: Web) -> None:
    made, file = (
        httpx.get(f"{worked_web.url}/static/{name}", timeout=300)
        for name in ("wire.js", "floor.js")
    )
    assert made.status_code == 200 and made.text == source_of("wire.js")
    for name in ("content-type", "cache-control", "content-security-policy"):
        assert made.headers[name] == file.headers[name]
