"""What a page may ask for at once is all that its module needs."""

from diadema.web.assets import STATIC, modules_of


def test_a_module_is_named_with_all_that_it_needs() -> None:
    found = modules_of("floor.js")
    assert found[0] == "floor.js" and len(found) == len(set(found)) > 10
    for name in found:
        for part in (STATIC / name).read_text("utf-8").split('from "./')[1:]:
            assert part.partition('"')[0] in found
