"""Every operation of the OpenAPI document against the real web process: no failure of ours, and
each answer as the document has it. The requests are drawn by schemathesis, the same each time.
"""

import asyncio

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.examples import examples
from tests.support.web_stage import BEARER, Hub, Web

CHECKS = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
ABSENT = 503  # what needs more of the hub than commands says so: here nobody plays it
DONE = {
    "i": 1,
    "of": ["HUB-test", 1, 1],
    "m": "HUB-test-1",
    "sent": [],
    "refused": [],
    "ticket": "",
}
_MANY, _FEW = examples(15), 4  # requests of each; the tables of people are twenty times the same


@pytest.mark.asyncio(loop_scope="session")
async def test_no_request_makes_the_web_fail(worked_web: Web, hub: Hub) -> None:
    """In a thread, so that the hub can answer meanwhile."""
    hub.answer = lambda _: DONE
    await asyncio.to_thread(ask_all, worked_web)
    assert hub.asked


def ask_all(worked_web: Web) -> None:
    told = httpx.get(f"{worked_web.url}/api/v1/openapi.json", headers=BEARER, timeout=300).json()
    schema = schemathesis.openapi.from_dict(told)
    failed: list[str] = []
    seen = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        assert operation is not None, result
        seen += 1

        @given(case=operation.as_strategy())
        @settings(
            max_examples=_FEW if "/people/" in operation.label else _MANY,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(base_url=worked_web.url, headers=BEARER, timeout=300)
            checks = CHECKS[1:] if answer.status_code == ABSENT else CHECKS
            case.validate_response(answer, checks=checks)

        try:
            ask()
        except (FailureGroup, ExceptionGroup) as group:
            failed.append(f"{operation.label}: {'; '.join(map(str, group.exceptions))}")
        except AssertionError as error:
            failed.append(f"{operation.label}: {error}")
    assert seen >= len(told["paths"])
    assert not failed, "\n\n".join(failed)
