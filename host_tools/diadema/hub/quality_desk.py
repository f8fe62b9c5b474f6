"""Samples and evaluations: drawn by the clock, assigned, submitted, decided and released."""

from collections.abc import Mapping
from typing import Any

import msgspec

from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import OwnJournal, Recorded, Reply, SupervisorAction
from diadema.hub.quality_assigning import Assigning
from diadema.hub.quality_draws import Draws
from diadema.hub.quality_evaluations import Evaluations
from diadema.hub.quality_releases import Releases
from diadema.ingest.core import Ingest
from diadema.store import Reader
from diadema.store.assistance import Key
from diadema.wire.quality_actions import (
    ANY_OF_QUALITY,
    AnnulEvaluation,
    AnnulSample,
    AssignCall,
    DrawSample,
    ReplaceCall,
    ReviseEvaluation,
    SubmitEvaluation,
)


class QualityDesk:
    def __init__(
        self, data: DataDir, ingest: Ingest, commands: Commands, reader: Reader, hearing: Hearing
    ) -> None:
        self._journal = OwnJournal(ingest, commands)
        self.draws = Draws(data, ingest, self._journal, reader)
        self._assigning = Assigning(data, ingest, reader, hearing)
        self._evaluations = Evaluations(ingest, reader, hearing, self._assigning)
        self._releases = Releases(ingest, reader, hearing)

    def close(self) -> None:
        self.draws.close()

    def act(
        self, body: Mapping[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """(answer, what follows). Raises Refused, ValidationError, StoreUnavailable, StoreStale;
        then nothing was done. A draw is begun, and its events follow by the clock.
        """
        request = msgspec.convert(body, ANY_OF_QUALITY)
        if isinstance(request, DrawSample):
            return self.draws.draw(request)
        actions, more = self._actions(request)

        def answered(of: list[Key], _: list[int | None]) -> dict[str, Any]:
            return {"of": of[0], "i": None, **more}

        done = self._journal.record(actions, Reply(once, answered) if once else None)
        self.draws.forget()
        self._releases.forget()
        return answered(done.of, done.numbers), done

    def _actions(self, request: Any) -> tuple[list[SupervisorAction], dict[str, Any]]:
        match request:
            case AnnulSample():
                return self.draws.annul(request), {}
            case AssignCall():
                return self._assigning.assign(request), {}
            case ReplaceCall():
                return self._assigning.replace(request), {}
            case SubmitEvaluation():
                return self._evaluations.submit(request)
            case ReviseEvaluation():
                return self._evaluations.revise(request)
            case AnnulEvaluation():
                return self._evaluations.annul(request), {}
        raise AssertionError(request)

    def look(self) -> Recorded | None:
        """What the clock has to say; to be called until there is nothing. Raises StoreUnavailable
        or StoreStale; then nothing was said.
        """
        if (said := self.draws.look()) is not None:
            self._releases.forget()
            return said
        actions = self._releases.actions()
        if not actions:
            return None
        self._releases.forget()
        return self._journal.record(actions)
