"""Each command line that stands apart in a guide is understood by its command: words, options and
their values, as Click parses them at a shell. Nothing is run.
"""

import re
import shlex
from typing import get_type_hints

import pytest
from diadema.hub.broker import most_bytes
from diadema.site.description import AGENTS_OF_A_STATION, Site
from diadema.words import section

from tests.bench import memory
from tests.check import ROOT, readmes
from tests.source.test_pages import PAGES as GUIDES
from tests.support.command_line import parse

_APART = re.compile(r"^(?:    )?(?:sudo -u diadema )?(diadema .+)$", re.MULTILINE)
PAGES = {
    str(page.relative_to(ROOT)): _APART.findall(page.read_text("utf-8")) for page in readmes()
}

NAMED = sorted(
    {" ".join(line.split()) for guide in GUIDES
     for line in re.findall(r"`(diadema [^`…]+)`", guide.read_text("utf-8"))}
)  # fmt: skip
_UNFINISHED = ("MissingParameter", "NoArgsIsHelpError", "BadOptionUsage", "Exit")
WITHIN = re.findall(r"`(diadema [^`…]+)`", (ROOT / "README.md").read_text("utf-8"))


def test_the_guides_have_commands() -> None:
    guides = ("boards", "hardware", "host_tools", "host_tools/diadema")
    assert all(PAGES[f"{guide}/README.md"] for guide in guides)
    assert len(WITHIN) > 5


def test_the_table_of_sizes_is_what_was_measured_times_the_agents() -> None:
    guide = (ROOT / "host_tools" / "README.md").read_text("utf-8")
    measured = r"dieron (\d+) eventos .*?(\d+) bytes por evento .*? y ([\d.]+) KB de sumas"
    told = re.search(measured, guide, re.DOTALL)
    assert told
    daily, size, sums = int(told[1]), int(told[2]), float(told[3]) * 1000
    row = r"^\| (\d+) \| ([\d ]+) \| ([\d.]+) GB \| ([\d.]+) GB \| \d+ MB \|$"
    rows = re.findall(row, guide, re.MULTILINE)
    assert tuple(int(agents) for agents, *_ in rows) == memory.AGENTS
    for each in rows:
        agents, events, disk, stream = (float(value.replace(" ", "")) for value in each)
        assert events == pytest.approx(agents * daily, rel=0.02)
        assert disk == pytest.approx(agents * 365 * (daily * size + sums) / 1e9, rel=0.06)
        assert stream == pytest.approx(most_bytes(int(agents)) / 1e9, abs=0.05)
    most = get_type_hints(Site, include_extras=True)["agents"].__metadata__[0].max_length
    assert f"hasta {most:_} asesores".replace("_", " ") in guide
    assert f"una estación lugar para {AGENTS_OF_A_STATION}" in guide


@pytest.mark.parametrize("line", WITHIN)
def test_what_the_first_page_says_to_type_is_understood(line: str) -> None:
    assert parse(line.split()[1:]), line


@pytest.mark.parametrize("page", PAGES)
def test_each_command_line_is_understood(page: str) -> None:
    for line in PAGES[page]:
        typed = re.sub(r"\s+#.*|[…[\]]", "", line).partition(" > ")[0]
        assert parse(shlex.split(typed)[1:]), line


@pytest.mark.parametrize("line", NAMED)
def test_each_command_and_option_that_a_guide_speaks_of_exists(line: str) -> None:
    """It may be named without what it takes."""
    assert wrong(line.translate({ord(sign): None for sign in "[]"})) in (None, *_UNFINISHED), line


def test_a_command_or_option_that_is_none_is_seen() -> None:
    assert wrong("diadema flash --colour red") == "NoSuchOption"
    assert wrong("diadema flush") == "UsageError"


def wrong(line: str) -> str | None:
    try:
        parse(shlex.split(line)[1:])
    except Exception as error:  # of Click as Typer brings it
        return type(error).__name__
    return None


def test_what_the_technician_reads_in_the_guide_is_what_commands_say() -> None:
    guide = " ".join((ROOT / "hardware" / "README.md").read_text("utf-8").split())
    said = section("commands", "es")
    assert f"«{said['site.right'].format(stations=2, agents=2)}»" in guide
    assert f"«{said['stage.verified']}»" in guide
    seat, _, _ = said["provision.done"].partition(") ")[2].partition(" {site}")
    assert f"«{seat.format(seat='A-01')}»" in guide
