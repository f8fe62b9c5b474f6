"""Everything that is kept of one agent, in one ZIP of JSON files that a person can open."""

import os
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import LargeBinary, Select, cast, false, func, or_, select

from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write
from diadema.report.model import Scope
from diadema.report.schedule import runs
from diadema.site.context import zone_of
from diadema.site.directory.book import Directory
from diadema.site.directory.people_of import teams_of
from diadema.site.file import hashed
from diadema.store import Reader, open_reader, quality, tables
from diadema.store.assistance import (
    Key,
    TicketCase,
    adoptions,
    key_of,
    reports_of,
    ticket_cases,
    with_steps,
)
from diadema.store.contact_rows import key_of as contact_key
from diadema.store.erased import last_erasure
from diadema.store.rows import Contact, Press
from diadema.wire.events import KINDS
from diadema.wire.letters import encoded_fields
from diadema.words import Sentence
from diadema.words.formatting import local_time

_SECRET = ("pin", "code")  # of the agent's entry
_badge = tables.badges.c
_ABOUT = [
    kind
    for kind in KINDS
    if kind.startswith(("help.", "fault.", "ticket.", "evaluation.", "listening.", "case."))
    or kind in ("recording.released", "recording.held")
]
_HIDDEN = ("verifier",)  # of a PIN, which nobody is ever shown
_README = """Datos personales de {agent} en Diadema

events.json       cada evento suyo tal como llegó de la posición o se anotó en el servidor
contacts.json     sus llamadas            sessions.json   sus sesiones
marks.json        sus marcas de asistencia, con su cadena de control
corrections.json  correcciones y justificaciones de sus marcas
messages.json     mensajes que recibió    actions.json    acciones de supervisión sobre ella o él
directory.json    su ficha y sus turnos, con cada versión
badges.json       sus fotochecks, por su huella   trails.json     su tiempo, estado por estado
presses.json      sus pedidos de ayuda y fallas   commands.json   lo que se dijo a su posición
help_steps.json   lo que se hizo y anotó sobre sus pedidos de ayuda
tickets.json      las fallas de las que avisó, sin lo que se anotó sobre las de otros
evaluations.json  las evaluaciones de sus llamadas, con lo que se revisó o anuló
evaluation_notes.json  lo que se anotó en ellas    assignments.json  sus llamadas sorteadas
listenings.json   quién escuchó sus llamadas       recordings.json   sus grabaciones, sin audio
cases.json        qué llamadas suyas se abrieron a Recursos Humanos
signatures.json   los avisos que se le dieron      notices.json      qué versiones tienen
account.json      su cuenta y sus ingresos        logs.json       líneas de registro con su código
reads.json        quién leyó o cambió qué de ella o él
reports/          reportes programados sobre ella o él

Las horas (utc, t, …_utc) son milisegundos de tiempo universal.
"""


def export(data: DataDir, agent: str, output: Path, by: Person) -> dict[str, int]:
    """How many of each went into the new file. Raises DiademaError."""
    accounts = Accounts(data)
    try:
        parts = _parts(data, accounts, agent)
        counts = {name: len(rows) for name, rows in parts.items()}
        if not _is_known(parts, agent):
            raise DiademaError(_nothing(data, agent))
        files = {file.relative_to(data.reports).as_posix(): file for file in _reports(data, agent)}
        _write(output, agent, parts, files)
        counts["reports"] = len(files)
        accounts.audit.record(by, "privacy.export", [agent], **counts)
    finally:
        accounts.close()
    return counts


def _is_known(parts: dict[str, list[Any]], agent: str) -> bool:
    """What was read of everybody, and lines with that word, make nobody known."""
    named = any(agent in row.agents for row in parts["reads"])
    return named or any(rows for name, rows in parts.items() if name not in ("reads", "logs"))


def _nothing(data: DataDir, agent: str) -> Sentence:
    erasure = last_erasure(data)
    if erasure is None:
        return Sentence("errors.maintenance.nothing_kept_agent_look_id", agent=agent)
    day = local_time(erasure.before_ms, zone_of(data), "day")
    return Sentence("errors.maintenance.nothing_kept_or_erased", agent=agent, day=day)


def _parts(data: DataDir, accounts: Accounts, agent: str) -> dict[str, list[Any]]:
    parts: dict[str, list[Any]] = {}
    if data.store.exists():
        with open_reader(data.store) as reader:
            marks = reader.marks(agent=agent)
            presses = [one for one in reader.presses() if one.agent == agent]
            contacts = reader.contacts(agent=agent)
            monitored = _monitored(reader, agent, contacts)
            own = _Own(
                agent=agent,
                badges={mark.badge for mark in marks if mark.badge},
                begun={key_of(one) for one in presses}
                | {key_of(one.submitted) for one in monitored["evaluations"]}
                | {key_of(one.began) for one in monitored["listenings"]}
                | {key_of(one.opened) for one in monitored["cases"]},
                calls={contact_key(one) for one in contacts},
                evaluations={one.submitted.evaluation for one in monitored["evaluations"]},
            )
            parts = {
                "events": [*_events(reader, own)],
                "contacts": contacts,
                "sessions": reader.sessions(agent=agent),
                "marks": marks,
                "corrections": reader.corrections(agent=agent),
                "messages": reader.messages(agent=agent),
                "actions": reader.acts(agent=agent),
                "trails": reader.trails(agent=agent),
                "presses": presses,
                **_assistance(reader, presses),
                **monitored,
                "badges": _rows(reader, select(tables.badges).where(_badge.agent == agent)),
                "commands": [*_commands(reader, agent)],
            }
    parts["directory"] = [*_of_site(data, agent), *_entries(data, agent)]
    parts["account"] = [*_accounts(accounts, agent)]
    parts["logs"] = [*_lines(data, agent)]
    teams = teams_of(data, agent)
    parts["reads"] = accounts.audit.rows(agent=agent, teams=teams, limit=1_000_000)
    return parts


def _assistance(reader: Reader, presses: Sequence[Press]) -> dict[str, list[Any]]:
    """What was done about these, which are of one agent."""
    own = {key_of(one) for one in presses}
    with reader.engine.connect() as tx:
        adopted = adoptions(tx, [*own])
        tickets = ticket_cases(tx, ids={one for its in adopted.values() for one in its})
        steps = [step for one in with_steps(tx, presses) for step in one.steps]
    return {"help_steps": steps, "tickets": [_own(one, own) for one in tickets]}


def _own(case: TicketCase, own: Collection[Key]) -> TicketCase:
    """What of a ticket tells of one agent: people may write of anybody in a note, so of one that
    has reports of others too the notes stay here.
    """
    alone = {*reports_of(case.steps)} <= {*own}
    steps = [
        one for one in case.steps if {*reports_of([one])} <= {*own} and (alone or one.text is None)
    ]
    reports = [one for one in case.reports if key_of(one) in own]
    return TicketCase(case.ticket, steps, reports)


class _Own(Struct, kw_only=True):
    """By what events are known as the agent's. `begun`: what others answer by `of`."""

    agent: str
    badges: Collection[str]
    begun: Collection[Key]
    calls: Collection[Key]
    evaluations: Collection[str]

    def has(self, event: dict[str, Any]) -> bool:
        """The agent's by the id, a tap of the agent's badges that no station knew, or what came
        after something of the agent's.
        """
        if self.agent in (event.get("a"), event.get("by"), event.get("author")):
            return True
        if tuple(event.get("of") or ()) in self.begun:
            return True
        return event.get("a") is None and (
            event.get("badge") in self.badges
            or tuple(event.get("call") or ()) in self.calls
            or event.get("evaluation") in self.evaluations
        )


def _events(reader: Reader, own: _Own) -> Iterator[Any]:
    row = tables.events.c
    body = cast(row.body, LargeBinary)
    named = [func.instr(body, f'"{word}"'.encode()) > 0 for word in (own.agent, *own.badges)]
    about = row.k.in_(_ABOUT) if own.begun or own.calls else false()
    query = select(row.body).where(or_(*named, about)).order_by(row.s, row.e, row.n)
    with reader.engine.connect() as connection:
        for found in connection.execute(query).scalars():
            event: dict[str, Any] = msgspec.json.decode(found)
            if own.has(event):
                yield {key: value for key, value in event.items() if key not in _HIDDEN}


def _monitored(reader: Reader, agent: str, contacts: Sequence[Contact]) -> dict[str, list[Any]]:
    """What monitors did about the agent's calls, and of what the agent was informed."""
    with reader.engine.connect() as tx:
        evaluated = quality.evaluations(tx, agents=[agent])
        noted = quality.notes(tx, [one.submitted.evaluation for one in evaluated])
        signed = quality.signatures(tx, agent=agent)
        published = quality.notices(tx)
        return {
            "evaluations": evaluated,
            "evaluation_notes": [note for its in noted.values() for note in its],
            "assignments": quality.assigned_calls(tx, agent=agent),
            "listenings": quality.listenings(tx, agent=agent),
            "cases": quality.cases(tx, agent=agent),
            "recordings": [*quality.recordings(tx, [*map(contact_key, contacts)]).values()],
            "signatures": signed,
            "notices": [
                one for one in published if one.notice in {each.notice for each in signed}
            ],
        }


def _rows(reader: Reader, query: Select[Any]) -> list[dict[str, Any]]:
    with reader.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def _commands(reader: Reader, agent: str) -> Iterator[dict[str, Any]]:
    """Those that name the agent, or that a station answered in the agent's name."""
    for row in _rows(reader, select(tables.commands)):
        said = {name: _decoded(row[name]) for name in ("body", "answer")}
        own = [one.get("agent") or one.get("a") for one in said.values() if one]
        if agent in own:
            yield row | said


def _decoded(body: bytes | None) -> dict[str, Any] | None:
    return msgspec.json.decode(body, type=dict[str, Any]) if body else None


def _of_site(data: DataDir, agent: str) -> Iterator[dict[str, Any]]:
    """The agent's entry in the description that is in force."""
    if not data.site.exists():
        return
    described = hashed(data.site, data.site.read_bytes())
    for one in msgspec.json.decode(described).get("agents", ()):
        if one.get("id") == agent:
            yield {name: value for name, value in one.items() if name not in _SECRET}


def _accounts(accounts: Accounts, agent: str) -> Iterator[Any]:
    """The agent's account, and what it did."""
    for one in accounts.book.all():
        if one.agent == agent:
            yield one
            yield from accounts.audit.rows(who=one.id, limit=1_000_000)


def _lines(data: DataDir, agent: str) -> Iterator[dict[str, str]]:
    whole = re.compile(rf"(?<![\w-]){re.escape(agent)}(?![\w-])")
    for path in sorted(data.logs.iterdir()) if data.logs.is_dir() else ():
        for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
            if whole.search(line):
                yield {"file": path.name, "line": line}


def _reports(data: DataDir, agent: str) -> Iterator[Path]:
    """Files of scheduled reports that are of the agent alone; figures of others are left out."""
    own = Scope(of="agent", code=agent)
    files = [data.reports / run.file for run in runs(data) if run.file and run.scope == own]
    yield from (file for file in files if file.exists())


def _entries(data: DataDir, agent: str) -> Iterator[Any]:
    if not data.directory.exists():
        return
    with Directory(data.directory) as book:
        yield from book.history("agents", agent)
        for entry in book.entries("roster"):
            if entry.body is not None and entry.body.get("agent") == agent:
                yield entry


def _write(output: Path, agent: str, parts: dict[str, list[Any]], files: dict[str, Path]) -> None:
    """Only its owner may read it."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DiademaError(
            Sentence("errors.maintenance.output_there_already_give_another", output=output)
        ) from None
    except OSError as error:
        raise cannot_write(output.parent, error) from error
    with (
        os.fdopen(descriptor, "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        made.writestr("LEAME.txt", _README.format(agent=agent))
        for name, rows in parts.items():
            plain = msgspec.to_builtins([_named(row) for row in rows], str_keys=True)
            text = msgspec.json.format(msgspec.json.encode(plain))
            made.writestr(f"{name}.json", text)
        for name, path in files.items():
            made.write(path, f"reports/{name}")


def _named(row: Any) -> Any:
    """With the names of its fields, also where it is kept as an array."""
    if isinstance(row, msgspec.Struct):
        return {name: _named(value) for name, value in encoded_fields(row).items()}
    if isinstance(row, list | tuple):
        return [_named(one) for one in row]
    return row
