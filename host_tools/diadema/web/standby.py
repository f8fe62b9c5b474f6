"""What a standby takes from its hub: the stream, message by message, and sealed backups.

Also which term of the site this hub serves, which another hub of the site asks before it starts.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Any, cast

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from starlette.concurrency import run_in_threadpool

from diadema.access.roles import Person
from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing, read_standing
from diadema.maintenance.backup import seal
from diadema.maintenance.standbys import Heard
from diadema.store.erased import last_erasure
from diadema.web.api import WebAppDep
from diadema.web.floor.feed import ANSWER_S, TROUBLE, NatsAbsent
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.wire.ask_hub import STREAM
from diadema.wire.mirror import EVERY_MAX_S, WAIT_S, Copied, Piece
from diadema.words import text

_MOST = 2_000  # messages in an answer
_UNUSED_S = 10.0  # a consumer that we could not remove goes
_READ = 1 << 20
_TYPE = "application/octet-stream"

_BYTES: dict[int | str, dict[str, Any]] = {200: {"content": {_TYPE: {}}}}
router = APIRouter()
Copier = Annotated[Person, Depends(need("copy"))]


@router.get(
    "/api/v1/standby/stream",
    summary="The stations' stream, for a standby",
    response_class=Response,
    responses=_BYTES,
)
async def stream(
    web_app: WebAppDep,
    request: Request,
    person: Copier,
    here: Annotated[str, Query(pattern="^https://", max_length=200)],
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    backup_ms: Annotated[int, Query(ge=0, lt=2**53)] = 0,
    every_s: Annotated[int, Query(ge=0, le=EVERY_MAX_S)] = 0,
) -> Response:
    """Messages behind `after`, as soon as there are any; none after a second. `here`: where the
    standby will serve once it took over; `backup_ms`: of the last backup that it has, which it
    takes each `every_s`.
    """
    erased_ms = await run_in_threadpool(_look, web_app.data, person.name, here)
    heard = Heard(
        seen_ms=web_app.pace.now_ms(), stored=after, backup_ms=backup_ms, every_s=every_s
    )
    try:
        info, messages = await _read(web_app.feed.client, after)
        heard.last = info.state.last_seq
    except (NatsAbsent, *TROUBLE) as error:
        detail = text("web.nats_absent", language_of(request))
        raise HTTPException(503, detail, {"Retry-After": "1"}) from error
    finally:
        await run_in_threadpool(web_app.standbys.note, person.name, heard)
    piece = Piece(
        created=str(info.created),
        last=info.state.last_seq,
        most_bytes=info.config.max_bytes or 0,
        erased_ms=erased_ms,
        messages=messages,
        now_ms=web_app.pace.now_ms(),
    )
    return Response(msgspec.msgpack.encode(piece), media_type=_TYPE)


def _look(data: DataDir, name: str, here: str) -> int:
    """Note where that standby would serve; when something was last erased."""
    if read_standing(data).peers.get(name) != here:
        with changing_standing(data) as known:
            known.peers[name] = here
    erased = last_erasure(data)
    return erased.at_ms if erased else 0


async def _read(client: Client, after: int) -> tuple[StreamInfo, list[Copied]]:
    jetstream = client.jetstream(timeout=ANSWER_S)
    info = await jetstream.stream_info(STREAM)
    waiting = info.state.last_seq - max(after, info.state.first_seq - 1)
    if waiting < 0:
        return info, []  # of another stream
    consumer = await jetstream.add_consumer(
        STREAM,
        ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=_UNUSED_S,
            mem_storage=True,
            num_replicas=1,
        ),
    )
    subscription = await jetstream.pull_subscribe_bind(consumer=consumer.name, stream=STREAM)
    try:
        found = await subscription.fetch(min(max(waiting, 1), _MOST), timeout=WAIT_S)
    except TimeoutError:
        found = []
    finally:
        await subscription.unsubscribe()
        await jetstream.delete_consumer(STREAM, consumer.name)
    return info, [
        Copied(one.metadata.sequence.stream, one.subject, one.headers, one.data) for one in found
    ]


@router.get(
    "/api/v1/standby/backup",
    summary="A sealed backup, for a standby",
    response_class=Response,
    responses=_BYTES,
)
async def backup(web_app: WebAppDep, request: Request, person: Copier) -> StreamingResponse:
    """A backup of now, sealed by the token with which it is asked for."""
    token = request.headers["authorization"].partition(" ")[2].strip()
    file = await run_in_threadpool(_sealed, web_app.data, token.encode(), web_app.pace, person)
    size = file.tell()
    file.seek(0)
    return StreamingResponse(
        _pieces(file), media_type=_TYPE, headers={"Content-Length": str(size)}
    )


def _sealed(data: DataDir, token: bytes, clock: Clock, person: Person) -> IO[bytes]:
    """In a file without a name, which goes when it is closed."""
    with contextlib.ExitStack() as stack:
        file = cast(IO[bytes], stack.enter_context(tempfile.TemporaryFile(dir=data.root)))
        seal(data, file, token, clock, person)
        stack.pop_all()
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_READ):
            yield piece


@router.get(
    "/api/v1/standby/term",
    summary="Which term of the site this hub serves",
    dependencies=[Depends(need("copy", "accounts"))],
)
async def term(web_app: WebAppDep) -> dict[str, int]:
    return {"term": read_standing(web_app.data).term}
