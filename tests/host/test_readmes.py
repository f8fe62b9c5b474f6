"""Each command line that stands apart in a README is understood by its command: words, options and
their values, as Click parses them at a shell. Nothing is run.
"""

import re
import shlex

import pytest

from tests.check import ROOT, readmes
from tests.support.command_line import parse

_APART = re.compile(r"^(?:    )?(?:sudo -u diadema )?(diadema .+)$", re.MULTILINE)
PAGES = {
    str(page.relative_to(ROOT)): _APART.findall(page.read_text("utf-8")) for page in readmes()
}

WITHIN = re.findall(r"`(diadema [^`…]+)`", (ROOT / "README.md").read_text("utf-8"))


def test_the_guides_have_commands() -> None:
    guides = ("boards", "hardware", "host_tools", "host_tools/diadema")
    assert all(PAGES[f"{guide}/README.md"] for guide in guides)
    assert len(WITHIN) > 5


@pytest.mark.parametrize("line", WITHIN)
def test_what_the_first_page_says_to_type_is_understood(line: str) -> None:
    assert parse(line.split()[1:]), line


@pytest.mark.parametrize("page", PAGES)
def test_each_command_line_is_understood(page: str) -> None:
    for line in PAGES[page]:
        typed = re.sub(r"\s+#.*|[…[\]]", "", line).partition(" > ")[0]
        assert parse(shlex.split(typed)[1:]), line
