"""Glewlwyd, the identity provider that Debian has, on a free port of this machine under TLS.

What its pages would ask is asked of its API: an administrator sets it up, a person logs in there.
"""

import json
import socket
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from diadema.access.provider import Provider
from diadema.base.certificates import Certificates
from joserfc.jwk import RSAKey

from tests.support.oidc_provider import CLIENT, GRANTS, SECRET
from tests.support.trust import trusting
from tests.support.web_stage import wait_for

_TABLES = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
_MODULES = "/usr/lib/glewlwyd"
_PASSWORD = "una frase de rosa"
_SETTINGS = """
port = {port}
bind_address = "127.0.0.1"
external_url = "{url}"
login_url = "login.html"
api_prefix = "api"
cookie_secure = 1
session_expiration = 3600
session_key = "session"
admin_session_authentication = "cookie"
profile_session_authentication = "cookie"
login_api_enabled = true
admin_scope = "g_admin"
profile_scope = "g_profile"
log_mode = "console"
log_level = "INFO"
user_module_path = "{modules}/user"
user_middleware_module_path = "{empty}"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
use_secure_connection = true
secure_connection_key_file = "{key}"
secure_connection_pem_file = "{certificate}"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{database}"; }};
"""


class Glewlwyd:
    def __init__(self, url: str, certificates: Certificates) -> None:
        self.issuer = f"{url}/api/oidc"
        self._ca = certificates.ca_pem().decode()
        self._api = httpx.Client(
            base_url=f"{url}/api", verify=trusting(certificates), timeout=60, trust_env=False
        )
        self._session: dict[str, str] = {}

    def settings(self) -> Provider:
        return Provider(
            issuer=self.issuer, client_id=CLIENT, name="Glewlwyd", claim="groups", grants=GRANTS,
            agent_claim="worker", ca=self._ca,
        )  # fmt: skip

    def answers(self) -> bool:
        try:
            return self._api.get("/auth/scheme/").is_client_error
        except httpx.TransportError:
            return False

    def set_up(self, back: str) -> None:
        """Rosa, who is in the group `sup`, and a client that is sent back there."""
        self._log_in("admin", "password")
        key = RSAKey.generate_key(2048)
        plugin: dict[str, Any] = {
            "iss": self.issuer,
            "jwt-type": "rsa",
            "jwt-key-size": "256",
            "key": key.as_pem(private=True).decode(),
            "cert": key.as_pem(private=False).decode(),
            "access-token-duration": 3600,
            "refresh-token-duration": 3600,
            "code-duration": 600,
            "auth-type-code-enabled": True,
            "allowed-scope": ["openid"],
            "pkce-allowed": True,
            "pkce-required": True,
            "jwks-show": True,
            "name-claim": "mandatory",
            "claims": [
                {"name": "groups", "user-property": "groups", "mandatory": True, "type": "string"}
            ],
        }
        oidc = {"module": "oidc", "name": "oidc", "display_name": "", "parameters": plugin}
        self._ask("POST", "/mod/plugin/", oidc)
        rosa = {"username": "rosa", "name": "Rosa Quispe", "password": _PASSWORD}
        more = {"scope": ["openid"], "enabled": True, "groups": ["sup"]}
        self._ask("POST", "/user/", rosa | more)
        client: dict[str, Any] = {
            "client_id": CLIENT,
            "name": "Diadema",
            "enabled": True,
            "confidential": True,
            "password": SECRET,
            "redirect_uri": [back],
            "authorization_type": ["code"],
            "token_endpoint_auth_method": ["client_secret_basic"],
            "scope": ["openid"],
        }
        self._ask("POST", "/client/", client)

    def code(self, url: str) -> dict[str, str]:
        """The query of the way back, after Rosa has logged in and agreed."""
        self._log_in("rosa", _PASSWORD)
        self._ask("PUT", f"/auth/grant/{CLIENT}", {"scope": "openid"})
        answer = self._api.get(f"{url}&g_continue", headers=self._session)
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def _log_in(self, name: str, password: str) -> None:
        self._session = {}
        answer = self._ask("POST", "/auth/", {"username": name, "password": password})
        self._session = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        answer = self._api.request(method, path, json=body, headers=self._session)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer


@contextmanager
def running(program: str, folder: Path) -> Iterator[Glewlwyd]:
    certificates = Certificates(folder / "tls")
    certificates.make(["localhost"])
    database, empty = folder / "glewlwyd.sqlite3", folder / "empty"
    empty.mkdir()
    data_format = {"groups": {"multiple": True, "read": True, "write": True}}
    parameters = {"use-glewlwyd-connection": True, "data-format": data_format}
    with closing(sqlite3.connect(database)) as tables:
        tables.executescript(_TABLES.read_text())
        module = "UPDATE g_user_module_instance SET gumi_parameters = ?"
        tables.execute(module, (json.dumps(parameters),))
        tables.commit()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, settings = f"https://localhost:{port}", folder / "glewlwyd.conf"
    settings.write_text(
        _SETTINGS.format(
            port=port, url=url, modules=_MODULES, empty=empty, database=database,
            key=certificates.server_key, certificate=certificates.server,
        )
    )  # fmt: skip
    with (folder / "glewlwyd.log").open("wb") as log:
        process = subprocess.Popen([program, "--config-file", settings], stdout=log, stderr=log)
    try:
        glewlwyd = Glewlwyd(url, certificates)
        wait_for(glewlwyd.answers, f"glewlwyd: {(folder / 'glewlwyd.log').read_text()}")
        yield glewlwyd
    finally:
        process.kill()
        process.wait(60)
