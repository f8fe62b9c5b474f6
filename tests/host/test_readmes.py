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


def test_the_guides_have_commands() -> None:
    guides = ("README.md", "boards/README.md", "hardware/README.md", "host_tools/README.md")
    assert all(PAGES[guide] for guide in guides)


@pytest.mark.parametrize("page", PAGES)
def test_each_command_line_is_understood(page: str) -> None:
    for line in PAGES[page]:
        typed = re.sub(r"\s+#.*|[…[\]]", "", line).partition(" > ")[0]
        assert parse(shlex.split(typed)[1:]), line
