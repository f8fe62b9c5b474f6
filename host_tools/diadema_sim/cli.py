"""The commands `demo`, `desk`, `sim`, `replay` and `torture`: a thin skin over the rest."""

import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import typer
from diadema.base.errors import DiademaError
from diadema.cli import speech
from diadema.cli.speech import say as speak
from diadema.words import Sentence, text
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from diadema_sim import bank_log, behaviour, past, people
from diadema_sim import replay as replaying
from diadema_sim.build import choose_boards
from diadema_sim.demo import (
    WEB_PORT,
    ShiftOptions,
    print_shift,
    run_demo,
    run_shift,
)
from diadema_sim.desk.command import desk
from diadema_sim.ending import until_interrupted
from diadema_sim.torture import campaigns
from diadema_sim.torture.runner import Plan

FORMATS = ("anonymous-bank",)

app = typer.Typer(help="Simulated stations with the real firmware.")

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Keep the run's data here; else it is removed at the end."),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=0,
        max=65535,
        help=f"Port of the web; {WEB_PORT}, or a free one if that is taken.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same people.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Boards = Annotated[
    str,
    typer.Option(
        "--board",
        metavar="NAME,…",
        help="The stations' board, or several that they take in turn: sim, aithinker_audiokit, "
        "devkitc_wm8960, lyrat_v4_3, s3_korvo2.",
    ),
]
BySwitch = Annotated[
    bool,
    typer.Option(
        "--switch",
        help="The calls come by a telephone exchange that is played, through the bridge to it.",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option("--seconds", min=1, help="Stop the agents after so long, drain, and end."),
]


@app.command()
def demo(
    stations: Annotated[int, typer.Option("--stations", min=1, max=people.LIMIT - 4)] = 6,
    seconds: Seconds = None,
    pace: Annotated[
        float, typer.Option("--pace", min=0.1, help="So many times quicker than real people.")
    ] = 8.0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = (
        False
    ),
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the month that was kept, and end.")
    ] = False,
    switch: BySwitch = False,
    board: Boards = "sim",
    seed: Seed = 1,
    data: Data = None,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Open a centre in the middle of its day, with a switch.

    Its stations run the real firmware, in real time, until Ctrl-C.

    Example: diadema demo --stations 6
    """
    language = speech.language()
    console = Console(stderr=as_json, highlight=False, emoji=False)
    if forget:
        for folder in past.remove_cache():
            console.print(text("demo.forgotten", language, folder=folder), soft_wrap=True)
        return
    web_port = _web_port(port)
    options = ShiftOptions(
        stations=stations,
        seed=seed,
        seconds=seconds,
        pace=pace,
        data=data,
        web_port=web_port,
        usual_port_taken=port is None and web_port == 0,
        browser=not no_browser,
        boards=choose_boards(board),
        language=language,
        switch=switch,
    )
    _finish_shift(lambda: run_demo(options, console), console, as_json)


@app.command()
def sim(
    stations: Annotated[int, typer.Option("--stations", min=1, max=people.LIMIT)] = 6,
    seconds: Seconds = None,
    speed: Annotated[
        str, typer.Option("--speed", help="real, fast (as the work allows), or a number of times.")
    ] = "real",
    pace: Annotated[
        float, typer.Option("--pace", min=0.1, help="So many times quicker than real people.")
    ] = 1.0,
    fit: Annotated[
        Path | None,
        typer.Option("--fit", help="Fit the agents to this call log instead of February 1999."),
    ] = None,
    board: Boards = "sim",
    seed: Seed = 1,
    data: Data = None,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Run stations with agents as a real call log has them.

    Ends with the store beside the flash.

    Example: diadema sim --stations 6 --seconds 60
    """
    options = ShiftOptions(
        stations=stations,
        seed=seed,
        seconds=seconds,
        speed=_speed(speed),
        pace=pace,
        behaviour=behaviour.fit(fit) if fit else behaviour.BANK_1999_02,
        data=data,
        web_port=_web_port(port),
        boards=choose_boards(board),
    )
    if options.speed != 1 and seconds is None:
        raise DiademaError(Sentence("errors.sim.run_not_real_time_needs"))
    console = Console(stderr=as_json, highlight=False, emoji=False)
    _finish_shift(lambda: run_shift(options, console.print), console, as_json)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="The call log.")],
    day: Annotated[str, typer.Option("--day", help="One day, as the file writes it: 990201.")],
    format: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = FORMATS[0],
    zone: Annotated[str, typer.Option("--zone", help="Whose local times the file has.")] = (
        "Asia/Jerusalem"
    ),
    switch_links: Annotated[
        int,
        typer.Option(
            "--switch-links",
            min=0,
            max=20,
            metavar="ROUNDS",
            help="So often each station loses its cable, goes over to Wi-Fi, and comes back; once "
            "the access point is gone too. The totals must be the same.",
        ),
    ] = 0,
    switch: BySwitch = False,
    seed: Annotated[int, typer.Option("--seed", help="Moments of --switch-links.")] = 1,
    data: Data = None,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Play a real day, call by call, through simulated stations.

    Store and file are compared at the end.

    Example: diadema replay calls.tsv --day 990201 --switch-links 2
    """
    if format not in FORMATS:
        raise DiademaError(
            Sentence(
                "errors.sim.no_format_format_there_formats",
                format=format,
                formats=", ".join(FORMATS),
            )
        )
    if switch and switch_links:
        raise DiademaError(Sentence("errors.sim.switch_or_links"))
    if zone not in available_timezones():
        raise DiademaError(Sentence("errors.cli.name_no_time_zone_write", name=zone))
    calls = bank_log.read_day(file, day)
    options = replaying.ReplayOptions(
        calls, ZoneInfo(zone), data, _web_port(port), link_rounds=switch_links, seed=seed,
        switch=switch,
    )  # fmt: skip
    bar = _Bar(sum(map(len, calls.calls.values())))
    with bar.progress:
        summary = until_interrupted(lambda: replaying.run_replay(options, bar))
    if summary is None:
        raise _interrupted()
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        replaying.print_replay(Console(), summary)
    wrong = summary["lost"] or summary["doubled"] or summary.get("switch_different")
    if wrong or not replaying.agree(summary):
        raise typer.Exit(1)


@app.command()
def torture(
    campaign: Annotated[
        str, typer.Option("--campaign", help=f"all, or some of {','.join(campaigns.CAMPAIGNS)}.")
    ] = "all",
    seed: Seed = 7,
    share: Annotated[
        float, typer.Option("--share", min=0.01, max=10, help="Of each campaign's usual length.")
    ] = 1.0,
    only: Annotated[
        str | None, typer.Option("--only", help="What a failure printed: repeats it alone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cut, kill and flip whatever can be; no event may be lost.

    Then each must be stored exactly once.

    Example: diadema torture --campaign all
    """
    names = campaigns.chosen(campaign)
    if only and len(names) != 1:
        raise DiademaError(Sentence("errors.sim.only_repeats_failure_one_campaign"))
    watching = Console(stderr=True, highlight=False)
    plan = Plan(seed, share, only, watching.print)
    summary = until_interrupted(lambda: campaigns.run(names, plan))
    if summary is None:
        raise _interrupted()
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        campaigns.show(Console(), summary)
    if summary["lost"] or summary["doubled"] or summary["failures"]:
        raise typer.Exit(1)


app.command()(desk)


class _Bar(replaying.Watcher):
    """A progress bar on the standard error."""

    def __init__(self, calls: int) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self.progress.add_task(speak("sim.starting"), total=calls)

    def stage(self, text: str) -> None:
        self.progress.update(self._task, description=text)

    def call_done(self) -> None:
        self.progress.advance(self._task)


def _finish_shift(
    work: Callable[[], Awaitable[dict[str, Any]]], console: Console, as_json: bool
) -> None:
    summary = until_interrupted(work, lambda: console.print(speak("sim.ending")))
    if summary is None:
        if as_json:
            raise _interrupted()
        console.print(speak("sim.ended"))
        return
    if as_json:
        print(json.dumps(summary))
    else:
        print_shift(console, summary)
    if summary["lost"] or summary["doubled"] or summary.get("switch_different"):
        raise typer.Exit(1)


def _interrupted() -> typer.Exit:
    """A run that was broken off has no figures: say so, and let a script see it."""
    Console(stderr=True).print(speak("sim.interrupted"))
    return typer.Exit(1)


def _speed(text: str) -> float:
    words = {"real": 1.0, "fast": 0.0}
    try:
        speed = words[text] if text in words else float(text)
    except ValueError:
        speed = -1.0
    if text != "fast" and not 0 < speed <= 1000:
        raise DiademaError(Sentence("errors.sim.speed_text_write_real_fast", text=text))
    return speed


def _web_port(requested: int | None) -> int:
    """The port asked for; else the usual one, or 0 for any free one when that is taken."""
    if requested is not None:
        return requested
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", WEB_PORT))
        except OSError:
            return 0
    return WEB_PORT
