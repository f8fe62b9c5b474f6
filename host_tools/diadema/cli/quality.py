"""`diadema quality`: the samples of calls that monitors evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Run, group
from diadema.cli.speech import say

app = group("The quality of calls: what monitors evaluate.")
sample = group("Samples of calls: drawn by an order that nobody can choose.")
app.add_typer(sample, name="sample")

_SHOWN = 20


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
