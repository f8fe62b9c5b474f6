"""Signing on by an identity provider: the way there and back, and each way to come in by a lie."""

import asyncio
import html
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio
from diadema.access.provider import Grant
from diadema.access.roles import PROVIDED_ROLES
from diadema.access.sign_on import FLOW_S, NoSignOn, SignOn
from diadema.base.credentials import change_provider
from diadema.base.paths import DataDir
from diadema.words import section

from tests.host.web.test_entry import account, forget_failures, wait_long
from tests.support import glewlwyd
from tests.support.oidc_provider import SECRET, OidcProvider, signed_by_hmac, unsigned
from tests.support.web_stage import TESTER, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
SAID = section("accounts", "es")
BACK = "/login/provider/back"


@pytest.fixture(scope="session")
def shared_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    provider = OidcProvider(tmp_path_factory.mktemp("provider"))
    yield provider
    provider.close()


@pytest_asyncio.fixture(loop_scope="session")
async def provider(web: Web, shared_provider: OidcProvider) -> AsyncIterator[OidcProvider]:
    """An honest one, that the shared web knows; what it made is gone afterwards."""
    shared_provider.reset()
    web.accounts.providers.set(TESTER, shared_provider.settings())
    change_provider(DataDir(web.folder), SECRET)
    yield shared_provider
    if web.accounts.providers.get() is not None:
        web.accounts.providers.remove(TESTER)
    forget_failures(web)
    with web.accounts.engine.connect() as plain, plain.begin():
        for statement in (
            "DELETE FROM accounts WHERE id IN (SELECT account FROM subjects)",
            "DELETE FROM subjects",
        ):
            plain.exec_driver_sql(statement)


@pytest_asyncio.fixture(loop_scope="session")
async def browser_of(web: Web) -> AsyncIterator[Any]:
    opened: list[httpx.AsyncClient] = []

    def browser() -> httpx.AsyncClient:
        made = httpx.AsyncClient(base_url=web.url, timeout=300)
        opened.append(made)
        return made

    yield browser
    for one in opened:
        await one.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def outside(browser_of: Any) -> httpx.AsyncClient:
    client: httpx.AsyncClient = browser_of()
    return client


async def go(client: httpx.AsyncClient, onward: str = "") -> str:
    """Where the provider's page would be."""
    answer = await client.get("/login/provider", params={"next": onward})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sign_on(
    provider: OidcProvider, client: httpx.AsyncClient, onward: str = "", **tamper: Any
) -> httpx.Response:
    provider.tamper |= tamper
    query = provider.code(await go(client, onward))
    return await client.get(BACK, params=query)


def refused(answer: httpx.Response, word: str, status: int = 403) -> None:
    """With its sentence, on the page that lets in by a password, and without a session."""
    assert answer.status_code == status, answer.text
    assert SAID[f"provider.{word}"] in html.unescape(answer.text)
    assert 'name="password"' in answer.text
    assert "diadema_session" not in str(answer.headers.get_list("set-cookie"))


def provided(web: Web) -> list[Any]:
    return [one for one in web.accounts.book.all() if one.issuer is not None]


def last_refusal(web: Web) -> dict[str, Any]:
    return web.accounts.audit.rows(what="login.refused", limit=1)[0].detail


# -- in and out


async def test_whoever_the_provider_knows_comes_in_and_has_an_account(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    shown = await outside.get("/login?next=/ui/agents")
    assert "Ingresar con Intranet" in shown.text and 'name="password"' in shown.text
    url = await go(outside, "/ui/agents")
    asked = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{provider.issuer}/auth?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == web.url + BACK and asked["nonce"] != asked["state"]
    answer = await outside.get(BACK, params=provider.code(url))
    assert answer.status_code == 200 and 'content="0;url=/ui/agents"' in answer.text
    told = {one.partition("=")[0]: one.lower() for one in answer.headers.get_list("set-cookie")}
    assert "samesite=strict" in told["diadema_session"] and "httponly" in told["diadema_session"]
    assert "max-age=0" in told["diadema_sign_on"]
    (made,) = provided(web)
    assert (made.name, made.role, made.teams) == ("Rosa Quispe", "supervisor", ["Norte"])
    assert (made.issuer, made.subject) == (provider.issuer, "s-1")
    assert not made.must_change and not made.disabled
    assert (await outside.get("/ui/agents")).status_code == 200
    row = web.accounts.audit.rows(what="login.provider", limit=1)[0]
    assert (row.who, row.detail["issuer"]) == (made.id, provider.issuer)
    csrf = outside.cookies["diadema_csrf"]
    out = await outside.post("/logout", data={"csrf": csrf})
    assert out.status_code == 303
    assert (await outside.get("/api/v1/me")).status_code == 401


async def test_the_same_subject_is_the_same_account_with_what_the_provider_says_today(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    assert (await sign_on(provider, browser_of())).status_code == 200
    (first,) = provided(web)
    again = await sign_on(provider, browser_of(), groups=["x", "rrhh"], name="Rosa Q.")
    assert again.status_code == 200
    (now,) = provided(web)
    assert (now.id, now.role, now.teams, now.name) == (first.id, "hr", [], "Rosa Q.")
    change = web.accounts.audit.rows(what="accounts.change", limit=1)[0]
    assert (change.who, change.detail["role"]) == ("provider", ["supervisor", "hr"])


async def test_it_has_no_password_here_and_gets_none(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    await sign_on(provider, outside)
    (made,) = provided(web)
    book = web.accounts.book
    for given in ("", "x", "una frase de prueba"):
        assert book.proves(made.id, given) is None
    for attempt in (
        lambda: book.reset(TESTER, made.id),
        lambda: book.set_password(TESTER, made.id, "otra frase de prueba"),
        lambda: book.change(TESTER, made.id, name="R", role="admin", agent=None, teams=()),
    ):
        with pytest.raises(Exception, match="identity provider"):
            attempt()


async def test_an_asesor_is_the_one_of_the_claim(
    worked_web: Web, shared_provider: OidcProvider
) -> None:
    shared_provider.reset()
    worked_web.accounts.providers.set(TESTER, shared_provider.settings())
    change_provider(DataDir(worked_web.folder), SECRET)
    for worker, status in (("a001", 200), ("nobody", 403), (["a001"], 403), (None, 403)):
        async with httpx.AsyncClient(base_url=worked_web.url, timeout=300) as client:
            answer = await sign_on(shared_provider, client, groups="asesores", worker=worker)
            assert answer.status_code == status, worker
    (made,) = provided(worked_web)
    assert (made.role, made.agent) == ("agent", "a001")
    worked_web.accounts.providers.remove(TESTER)


async def test_new_keys_of_the_provider_are_taken(provider: OidcProvider, browser_of: Any) -> None:
    assert (await sign_on(provider, browser_of())).status_code == 200
    provider.roll_keys()
    before = len(provider.requests)
    assert (await sign_on(provider, browser_of())).status_code == 200
    assert [path.rpartition("/")[2] for path in provider.requests[before:]] == [
        "token", "openid-configuration", "keys",
    ]  # fmt: skip
    before = len(provider.requests)
    assert (await sign_on(provider, browser_of())).status_code == 200
    assert len(provider.requests) == before + 1  # what it says of itself is known


async def test_a_provider_that_signs_by_curves_works_too(
    web: Web, provider: OidcProvider, browser_of: Any, tmp_path: Path
) -> None:
    other = OidcProvider(tmp_path, "ES256")
    try:
        web.accounts.providers.set(TESTER, other.settings())
        assert (await sign_on(other, browser_of())).status_code == 200
        web.accounts.providers.set(TESTER, other.settings(algorithm="RS256"))
        refused(await sign_on(other, browser_of()), "no_proof")
    finally:
        other.close()


async def test_the_provider_that_debian_has_lets_in(
    web: Web, provider: OidcProvider, browser_of: Any, system_program: Any, tmp_path: Path
) -> None:
    program = system_program("glewlwyd", "glewlwyd")
    with glewlwyd.running(program, tmp_path) as other:
        other.set_up(web.url + BACK)
        web.accounts.providers.set(TESTER, other.settings())
        client = browser_of()
        query = other.code(await go(client))
        assert (await client.get(BACK, params=query)).status_code == 200
        me = (await client.get("/api/v1/me")).json()
        assert (me["name"], me["role"], me["teams"]) == ("Rosa Quispe", "supervisor", ["Norte"])
        client = browser_of()
        url = await go(client)
        used = other.code(url)
        await go(client)  # another login was begun, of which this is not the answer
        refused(await client.get(BACK, params=used), "begin_again", 400)
        client = browser_of()
        own = other.code(await go(client))
        refused(await client.get(BACK, params=own | {"code": query["code"]}), "no_proof")


# -- tokens that lie


@pytest.mark.parametrize(
    "tamper",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"aud": "somebody-else", "azp": "diadema"},
        {"aud": ["diadema", "somebody-else"]},  # and nobody says for whom it was made
        {"aud": ["diadema", "somebody-else"], "azp": "somebody-else"},
        {"nonce": "of-another-login"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": 5},
        {"azp": "somebody-else"},
        {"nbf": 4_000_000_000},
        {"exp": "mañana"},
        {"exp": True},
        {"exp": []},
        {"iat": {}},
        {"iss": None},
        {"iss": ["https://other.example"]},
        {"aud": None},
        {"aud": []},
        {"aud": {"diadema": True}},
    ],
    ids=str,
)
async def test_a_token_that_is_not_ours_lets_nobody_in(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, tamper: dict[str, Any]
) -> None:
    refused(await sign_on(provider, outside, **tamper), "no_proof")
    assert provided(web) == []
    assert last_refusal(web)["refusal"] == "no_proof"


SIGNED = (
    "none", "public key", "client secret", "own key", "other hash", "other padding", "own kid",
    "cut", "empty",
)  # fmt: skip


@pytest.mark.parametrize("how", SIGNED)
async def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, how: str, tmp_path: Path
) -> None:
    stranger = OidcProvider(tmp_path)
    stranger.close()
    stranger.key = type(stranger.key).generate_key(2048, {"kid": provider.key.kid})
    provider.signed = {
        "none": unsigned,
        "public key": lambda claims: signed_by_hmac(provider.public_pem(), claims),
        "client secret": lambda claims: signed_by_hmac(SECRET.encode(), claims),
        "own key": stranger.sign,
        "other hash": lambda claims: provider.sign(claims, alg="RS512"),
        "other padding": lambda claims: provider.sign(claims, alg="PS256"),
        "own kid": lambda claims: provider.sign(claims, kid="of-nobody"),
        "cut": lambda claims: provider.sign(claims)[:-20],
        "empty": lambda _: "",
    }[how]
    refused(await sign_on(provider, outside), "no_proof")
    assert provided(web) == []


async def test_a_token_brings_no_key_of_its_own(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, tmp_path: Path
) -> None:
    stranger = OidcProvider(tmp_path)
    stranger.close()
    jwk = stranger.key.as_dict(private=False)
    provider.signed = lambda claims: stranger.sign(claims, jwk=jwk, kid=provider.key.kid)
    refused(await sign_on(provider, outside), "no_proof")


# -- the way back


async def test_a_return_is_good_once(provider: OidcProvider, outside: httpx.AsyncClient) -> None:
    url = await go(outside)
    cookie = outside.cookies["diadema_sign_on"]
    assert (await outside.get(BACK, params=provider.code(url))).status_code == 200
    outside.cookies.clear()
    outside.cookies.set("diadema_sign_on", cookie)
    refused(await outside.get(BACK, params=provider.code(url)), "begin_again", 400)
    assert len(provider.taken) == 1  # the provider was not even asked


async def test_a_return_belongs_to_the_browser_that_went_out(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    """Neither is somebody led into another's account, nor does a stolen code help."""
    attacker, victim = browser_of(), browser_of()
    own = provider.code(await go(attacker))
    refused(await victim.get(BACK, params=own), "begin_again", 400)
    url = await go(victim)
    refused(await victim.get(BACK, params=own), "begin_again", 400)
    stolen = provider.code(url)["code"]  # it was seen on its way: its verifier was not
    state = provider.code(await go(attacker))["state"]
    refused(await attacker.get(BACK, params={"code": stolen, "state": state}), "no_proof")
    assert provided(web) == []


async def test_a_code_without_its_verifier_is_good_for_nothing(
    provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    await sign_on(provider, outside)
    (form,) = provider.taken
    assert len(form["code_verifier"]) == 43
    async with httpx.AsyncClient(verify=provider.trust(), timeout=300) as client:
        url = await go(outside)
        bare = {"grant_type": "authorization_code", "code": provider.code(url)["code"]}
        answer = await client.post(f"{provider.issuer}/token", data=bare, auth=("diadema", SECRET))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


async def test_a_login_that_takes_too_long_or_is_of_another_provider_begins_again(
    provider: OidcProvider,
) -> None:
    now, settings = [1], provider.settings()
    ours = SignOn("key", lambda: SECRET, lambda: now[0])
    url, cookie = await asyncio.to_thread(ours.begin, settings, "https://hub.example" + BACK, "")
    state = provider.code(url)["state"]
    now[0] += FLOW_S * 1000 - 1
    assert ours.begun(settings, cookie, state).issuer == provider.issuer
    with pytest.raises(NoSignOn):
        ours.begun(provider.settings(issuer="https://other.example"), cookie, state)
    with pytest.raises(NoSignOn):
        SignOn("another key", lambda: SECRET, lambda: now[0]).begun(settings, cookie, state)
    now[0] += 1
    with pytest.raises(NoSignOn):
        ours.begun(settings, cookie, state)


@pytest.mark.parametrize("cookie", ["", "x", "x.y", ".", "e30=.00", "ñ.ñ"])
async def test_a_cookie_that_was_made_up_is_none(
    provider: OidcProvider, outside: httpx.AsyncClient, cookie: str
) -> None:
    query = provider.code(await go(outside))
    outside.cookies.clear()
    sent = {"Cookie": f"diadema_sign_on={cookie}".encode()}
    refused(await outside.get(BACK, params=query, headers=sent), "begin_again", 400)


async def test_what_came_back_to_nobody_locks_nobody_out(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    mine = account(web, "puerta")
    for _ in range(30):
        assert (await outside.get(BACK, params={"state": "x", "code": "y"})).status_code == 400
    assert (await outside.post("/login", data=mine)).status_code == 303


async def test_many_refusals_have_to_wait_and_passwords_do_not(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    codes = [(await sign_on(provider, browser_of(), groups=[])).status_code for _ in range(20)]
    assert codes == [403] * 20
    wait_long(web)
    codes = [(await sign_on(provider, browser_of(), groups=[])).status_code for _ in range(2)]
    assert codes == [429] * 2
    mine = account(web, "aparte")
    assert (await browser_of().post("/login", data=mine)).status_code == 303


async def test_an_answer_of_another_issuer_and_a_refusal_are_none(
    provider: OidcProvider, browser_of: Any
) -> None:
    client = browser_of()
    query = provider.code(await go(client)) | {"iss": "https://other.example"}
    refused(await client.get(BACK, params=query), "no_proof")
    client = browser_of()
    state = provider.code(await go(client))["state"]
    denied = {"state": state, "error": "access_denied", "error_description": "<b>no</b>"}
    answer = await client.get(BACK, params=denied)
    refused(answer, "denied")
    assert "<b>" not in answer.text
    assert provider.taken == []


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)", "/\tx"]
)
async def test_it_leads_to_no_other_site(
    provider: OidcProvider, outside: httpx.AsyncClient, onward: str
) -> None:
    answer = await sign_on(provider, outside, onward)
    assert 'content="0;url=/ui/"' in answer.text and "evil" not in answer.text


# -- who it is, and what it may


async def test_an_e_mail_and_a_name_are_nobodys_account(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    account(web, "jefa.local", "admin")
    claims = {"email": "jefa.local", "email_verified": True, "preferred_username": "jefa.local"}
    assert (await sign_on(provider, outside, name="jefa.local", **claims)).status_code == 200
    me = (await outside.get("/api/v1/me")).json()
    assert me["role"] == "supervisor" and me["id"] != "jefa.local"
    assert web.accounts.book.get("jefa.local").issuer is None


async def test_the_same_sub_of_another_issuer_is_somebody_else(
    web: Web, provider: OidcProvider, browser_of: Any, tmp_path: Path
) -> None:
    assert (await sign_on(provider, browser_of())).status_code == 200
    (first,) = provided(web)
    other = OidcProvider(tmp_path)
    try:
        web.accounts.providers.set(TESTER, other.settings())
        assert (await sign_on(other, browser_of(), groups=["rrhh"])).status_code == 200
    finally:
        other.close()
    assert web.accounts.book.get(first.id) == first
    assert {one.issuer for one in provided(web)} == {provider.issuer, other.issuer}


@pytest.mark.parametrize("groups", [[], ["admin"], "admin", None, {"admin": True}, ["sup "], 5])
async def test_whom_nothing_gives_a_role_stays_outside(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, groups: Any
) -> None:
    refused(await sign_on(provider, outside, groups=groups, role="admin"), "no_role")
    assert provided(web) == [] and last_refusal(web)["subject"] == "s-1"


async def test_no_provider_makes_an_administrator(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    for role in ("admin", "service", "switch", "nobody"):
        grants = {"sup": Grant(role=role)}  # type: ignore[arg-type]
        with pytest.raises(Exception, match="local account"):
            web.accounts.providers.set(TESTER, provider.settings(grants=grants))
    assert "admin" not in PROVIDED_ROLES
    with web.accounts.engine.connect() as plain, plain.begin():  # nor by one who writes the file
        stored = json.loads(plain.exec_driver_sql("SELECT settings FROM provider").scalar_one())
        stored["grants"]["sup"]["role"] = "admin"
        plain.exec_driver_sql("UPDATE provider SET settings = ?", (json.dumps(stored),))
    refused(await sign_on(provider, browser_of()), "no_role")
    assert provided(web) == []


async def test_a_disabled_account_and_one_that_lost_its_role_stay_out(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    client = browser_of()
    assert (await sign_on(provider, client)).status_code == 200
    (made,) = provided(web)
    web.accounts.book.disable(TESTER, made.id)
    assert (await client.get("/api/v1/me")).status_code == 401
    refused(await sign_on(provider, browser_of()), "disabled")
    web.accounts.book.disable(TESTER, made.id, disabled=False)
    refused(await sign_on(provider, browser_of(), groups=[]), "no_role")


# -- a provider that is away, slow or none


def wrong_size(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b" " * (2 << 20))
    return True


def elsewhere(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(302)
    handler.send_header("location", "https://other.example/")
    handler.send_header("content-length", "0")
    handler.end_headers()
    return True


def no_json(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("content-length", "4")
    handler.end_headers()
    handler.wfile.write(b"[1, ")
    return True


@pytest.mark.parametrize("answer", [wrong_size, elsewhere, no_json])
async def test_a_provider_that_says_no_sense_is_away(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, answer: Any
) -> None:
    url = await go(outside)
    provider.answer = answer
    refused(await outside.get(BACK, params=provider.code(url)), "away", 503)


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://localhost/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
async def test_a_description_that_leads_elsewhere_is_not_followed(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, said: dict[str, Any]
) -> None:
    provider.said = said
    web.accounts.providers.set(TESTER, provider.settings(name="Otro"))  # asked anew
    refused(await outside.get("/login/provider"), "away", 503)


async def test_a_certificate_of_nobody_is_refused(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient
) -> None:
    web.accounts.providers.set(TESTER, provider.settings(ca=""))
    refused(await outside.get("/login/provider"), "away", 503)
    refused(await outside.get("/login/provider"), "away", 503)
    logged = (web.folder / "web.log").read_text()
    reason = f"{provider.issuer} was not reached: su certificado es de una CA que no se conoce"
    assert logged.count(reason) == 1
    assert provider.requests == []


async def test_while_the_provider_hangs_others_log_in_by_password(
    web: Web, provider: OidcProvider, browser_of: Any
) -> None:
    hangs = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> bool:
        hangs.wait(60)
        return False

    provider.answer = answer
    web.accounts.providers.set(TESTER, provider.settings(name="Lento"))  # asked anew
    waiting = [asyncio.create_task(browser_of().get("/login/provider")) for _ in range(12)]
    mine = account(web, "presente")
    assert (await browser_of().post("/login", data=mine)).status_code == 303
    assert not any(one.done() for one in waiting)
    for answered in await asyncio.gather(*waiting):
        refused(answered, "away", 503)
    hangs.set()


async def test_a_provider_that_is_gone_leaves_the_password(
    web: Web, provider: OidcProvider, outside: httpx.AsyncClient, tmp_path: Path
) -> None:
    gone = OidcProvider(tmp_path)
    gone.close()
    web.accounts.providers.set(TESTER, gone.settings())
    refused(await outside.get("/login/provider"), "away", 503)
    assert (await outside.post("/login", data=account(web, "sola"))).status_code == 303


async def test_where_there_is_no_provider_nothing_is_shown_of_one(
    web: Web, outside: httpx.AsyncClient
) -> None:
    assert "/login/provider" not in (await outside.get("/login")).text
    refused(await outside.get("/login/provider"), "no_provider", 404)
    refused(await outside.get(BACK), "no_provider", 404)
