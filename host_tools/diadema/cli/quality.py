"""`diadema quality`: the samples of calls that monitors evaluate."""

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError
from diadema.cli import quality_notices
from diadema.cli.account import opened
from diadema.cli.document import document
from diadema.cli.run import AsJson, Clock, Data, DoneBy, Run, group, writing
from diadema.cli.speech import say
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.quality.samples import DrawState

app = group("The quality of calls: what monitors evaluate.")
sample = group("Samples of calls: drawn by an order that nobody can choose.")
app.add_typer(sample, name="sample")
app.command(
    help="A document of the monitors' work: speech, personal.\n\n"
    "Example: diadema quality document speech --period 2026-11 -o speech.pdf"
)(document)
app.add_typer(quality_notices.app, name="notices")

_SHOWN = 20
_ASKS_EACH_S = 0.3

DrawId = Annotated[str, typer.Argument(metavar="DRAW", help="Its id, of 12 characters.")]


@sample.command("draw")
def draw_now(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Its code.")],
    period: Annotated[
        str, typer.Option("--period", help="As 2026-W48, 2026-11 or 2026-11-30; it is over.")
    ],
    by: DoneBy,
    late: Annotated[
        bool, typer.Option("--late", help="Of the calls that came after its draw.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Draw a period that is over now, which the hub does by itself at 03:00. It is drawn once.

    Example: diadema quality sample draw semanal --period 2026-W48 --by Ana
    """
    from diadema.wire.ask_hub import HubRefuses

    run = Run(data, as_json=as_json)
    question = {"action": "sample_drawn", "plan": plan, "period": period, "by": by, "late": late}
    draw = ""
    with run.status() as tell:
        while True:
            try:
                answer = run.ask_hub("hub.act", question)
            except HubRefuses as error:
                if error.error == "drawn_before" and draw:
                    break  # by this very command
                raise
            draw = answer["draw"]
            tell(say("quality.drawing"))
            time.sleep(_ASKS_EACH_S)
    state, _ = _state(run, draw, 0)
    run.answer(_counts(state), *_said(state))


@sample.command()
def show(draw: DrawId, data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """Show a draw: what it was made from, who was drawn, and what became of it.

    Example: diadema quality sample show 0a1b2c3d4e5f
    """
    run = Run(data, clock, as_json=as_json)
    state, _ = _state(run, draw, run.now_ms)
    _note(run, "sample.read", draw)
    content = _counts(state) | {
        "strata": [
            {"agent": one.agent, "stratum": one.stratum, "size": one.size, "drawn": one.drawn,
             "evaluated": one.evaluated, "missed": one.missed, "waiting": one.waiting,
             "unassigned": one.unassigned} for one in state.strata
        ],
        "calls": [
            {"call": one.call, "agent": one.first.assignment.agent, "state": one.state}
            for one in state.calls
        ],
    }  # fmt: skip
    lines = [
        say("quality.stratum", agent=one.agent, stratum=one.stratum or "—", drawn=one.drawn,
            size=one.size, evaluated=one.evaluated, missed=one.missed, waiting=one.waiting)
        for one in state.strata
    ]  # fmt: skip
    if draw_annulled := state.draw.annulled:
        at = local_time(draw_annulled.utc, run.zone, "moment_minute")
        lines.insert(0, say("quality.annulled", by=draw_annulled.by, at=at,
                            reason=draw_annulled.reason or ""))  # fmt: skip
    run.answer(content, *_said(state), *lines)


@sample.command()
def export(
    draw: DrawId,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write a draw to one file: its contacts, its secret and its list, for `verify`.

    Example: diadema quality sample export 0a1b2c3d4e5f -o muestra.zip
    """
    from diadema.quality.kept_draws import frame_rows, stored_draw
    from diadema.quality.sample_file import write_sample
    from diadema.quality.samples import list_of

    run = Run(data, as_json=as_json)
    state, assigned = _state(run, draw, 0)
    stored = stored_draw(run.data, draw)
    if stored is None:
        path = run.data.samples / f"{draw}.json"
        raise DiademaError(Sentence("errors.quality.kept_broken", path=path))
    if output.exists():
        raise DiademaError(
            Sentence("errors.maintenance.output_there_already_give_another", output=output)
        )
    _note(run, "sample.exported", draw)
    rows = frame_rows(run.data, draw)
    with writing(output), output.open("xb") as file:
        write_sample(file, stored.sample, rows, list_of(stored.listed, assigned))
    content = _counts(state) | {"file": str(output)}
    run.answer(content, *_said(state), say("quality.exported", output=output))


def _state(run: Run, draw: str, now_ms: int) -> "tuple[DrawState, list[Any]]":
    """With its assignments. Raises DiademaError where there is none."""
    from diadema.quality.samples import draw_state
    from diadema.site.directory.people_of import people
    from diadema.store import open_reader
    from diadema.store.quality import assigned_calls

    with closing(open_reader(run.data.store)) as reader, reader.engine.connect() as tx:
        found = draw_state(tx, run.data, people(run.data), now_ms, draw)
        if found is None:
            raise DiademaError(Sentence("errors.quality.no_draw", draw=draw))
        return found, assigned_calls(tx, draws=[draw])


def _note(run: Run, what: str, draw: str) -> None:
    """Whose calls were drawn is read by few, and that is on record."""
    with opened(run) as accounts:
        accounts.audit.record(run.person, what, draw=draw)


def _counts(state: "DrawState") -> dict[str, Any]:
    """Of what everybody may know, and with whose hashes the exported file is compared."""
    planned, drawn = state.draw.planned, state.draw.drawn
    assert drawn is not None
    return {
        "draw": state.id,
        "late": state.late,
        "plan": planned.plan if planned else None,
        "version": planned.version if planned else None,
        "commit": planned.commitment if planned else None,
        "secret": drawn.secret,
        "frame": drawn.frame,
        "frame_hash": drawn.frame_hash,
        "chosen": state.chosen,
        "replaced": state.replaced,
        "evaluated": state.evaluated,
        "missed": state.missed,
        "arrived": state.arrived,
        "excluded": {why: count for why, count in state.draw.excluded.items() if count},
        "annulled": state.draw.annulled is not None,
    }


def _said(state: "DrawState") -> list[str]:
    counts = _counts(state)
    lines = [
        say("quality.drawn", **{name: counts[name] for name in ("draw", "plan")}),
        say("quality.verify.counts", chosen=state.chosen, frame=counts["frame"],
            replaced=state.replaced),
    ]  # fmt: skip
    if excluded := counts["excluded"]:
        parts = [f"{say(f'quality.excluded.{why}')} {count}" for why, count in excluded.items()]
        lines.append(say("quality.verify.excluded", parts=", ".join(parts)))
    if state.arrived:
        lines.append(say("quality.arrived", count=state.arrived))
    lines.append(say("quality.verify.commit", commit=counts["commit"]))
    lines.append(say("quality.verify.frame", hash=counts["frame_hash"]))
    return lines


@sample.command()
def verify(
    file: Annotated[Path, typer.Argument(help="As the export of a draw made it.")],
    commit: Annotated[
        str | None,
        typer.Option("--commit", metavar="HASH", help="As published when the period began."),
    ] = None,
    frame_hash: Annotated[
        str | None,
        typer.Option("--frame-hash", metavar="HASH", help="As published with the draw."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a draw by its file alone: its contacts, its secret and its list. It needs no hub.

    Exit code 1 when a row was altered, the secret is another, or a call is not the one drawn.

    Example: diadema quality sample verify muestra.zip
    """
    from diadema.quality import sample_file

    run = Run(as_json=as_json)
    found = sample_file.verify(file, commit, frame_hash)
    about, faults = found.sample, [one.say(run.language) for one in found.faults]
    content = {
        "right": not faults,
        "draw": about.draw,
        "of": about.of,
        "plan": about.plan.code,
        "period": about.period.word,
        "chosen": found.chosen,
        "replaced": found.replaced,
        "frame": about.frame,
        "excluded": about.excluded,
        "commit": about.commit,
        "frame_hash": about.frame_hash,
        "beside": about.beside,
        "faults": faults,
    }
    lines = [
        say(
            f"quality.verify.{'wrong' if faults else 'right'}",
            draw=about.draw, plan=about.plan.code, period=about.period.word,
        ),
        *(f"- {one}" for one in faults[:_SHOWN]),
    ]  # fmt: skip
    if len(faults) > _SHOWN:
        lines.append(say("more", count=len(faults) - _SHOWN))
    counts = {"chosen": found.chosen, "frame": about.frame, "replaced": found.replaced}
    lines.append(say("quality.verify.counts", **counts))
    if about.excluded:
        parts = [
            f"{say(f'quality.excluded.{why}')} {count}" for why, count in about.excluded.items()
        ]
        lines.append(say("quality.verify.excluded", parts=", ".join(parts)))
    if about.beside:
        lines.append(say("quality.verify.beside", plans=", ".join(about.beside)))
    lines.append(say("quality.verify.commit", commit=about.commit))
    lines.append(say("quality.verify.frame", hash=about.frame_hash))
    run.answer(content, *lines)
    raise typer.Exit(1 if faults else 0)
