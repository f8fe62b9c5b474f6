"""`diadema quality notices`: who was informed that calls are heard, and the papers that say so."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.base.errors import DiademaError
from diadema.cli.run import AsJson, Clock, Data, Run, group, read_file
from diadema.cli.speech import say
from diadema.words import Sentence

app = group("Notices that calls are heard: who was informed of them.")

_SHOWN = 20  # of a list; --json has all


@app.command()
def status(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """Tell of each notice in force how many agents were informed, and who was not.

    Example: diadema quality notices status
    """
    import msgspec

    from diadema.quality import notices_read

    run = Run(data, clock, as_json=as_json)
    found = notices_read.current(run.data, run.now_ms)
    lines = [] if found.states else [say("quality.notices.none")]
    content = []
    for plain, state in zip(notices_read.as_plain(found), found.states, strict=True):
        agents = [msgspec.to_builtins(one) for one in state.agents]
        content.append(plain | {"agents": agents})
        names_of = {"code": plain["code"], "version": plain["version"], "name": plain["name"]}
        if state.notice.side == "caller":
            lines.append(say("quality.notices.caller", **names_of))
            continue
        missing = [one.agent for one in state.agents if one.state != "informed"]
        counts = {"n": len(agents) - len(missing), "of": len(agents)}
        lines.append(say("quality.notices.agent", **names_of, **counts))
        if missing:
            names = ", ".join(missing[:_SHOWN])
            lines.append(say("quality.notices.missing", names=names))
        if len(missing) > _SHOWN:
            lines.append(say("more", count=len(missing) - _SHOWN))
    if found.drafts:
        lines.append(say("quality.notices.drafts", names=", ".join(found.drafts)))
    run.answer({"notices": content, "drafts": found.drafts}, *lines)


@app.command()
def sign(
    code: Annotated[str, typer.Argument(metavar="NOTICE", help="The code of a notice to agents.")],
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv file; a row an agent.")],
    by: Annotated[str, typer.Option("--by", help="Who does it; stands in the record.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look what it has.")] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Note the papers that agents signed, or that they refused before two witnesses.

    One wrong row stops it all, and each is reported; the same rows again change nothing. The page
    of notices has the sheet to fill out.

    Example: diadema quality notices sign asesor firmas.xlsx --by ANA
    """
    from diadema.quality import notices_read

    if not by and not dry_run:
        raise DiademaError(Sentence("errors.cli.say_who_does_with_name"))
    given = read_file(file)
    run = Run(data, clock, as_json=as_json)
    found = notices_read.signed_in(run.data, run.now_ms, code, given)
    done = not dry_run and not found.problems and bool(found.batches)
    if done:
        for one in found.batches:
            run.ask_hub("hub.act", notices_read.request_of(code, one) | {"by": by})
    counts = {"rows": found.rows, "added": found.added, "unchanged": found.unchanged}
    lines = [one.whole(run.language) for one in found.problems[:_SHOWN]]
    if len(found.problems) > _SHOWN:
        lines.append(say("more", count=len(found.problems) - _SHOWN))
    lines.append(say("quality.notices.signed" if done else "quality.notices.read", **counts))
    run.answer(found.summary(run.language, done=done), *lines)
    raise typer.Exit(1 if found.problems else 0)
