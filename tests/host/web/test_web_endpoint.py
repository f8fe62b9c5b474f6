"""Where the pages are served: their certificate, and that nobody outside is let in too early."""

import subprocess
import sys
from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.hub.child import WebEndpoint


def test_the_pages_certificate_is_made_anew_for_other_names(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    first = WebEndpoint("0.0.0.0").arguments(data, [])
    made = (data.tls / "web.pem").read_bytes()
    assert WebEndpoint("0.0.0.0").arguments(data, []) == first
    assert (data.tls / "web.pem").read_bytes() == made
    WebEndpoint("0.0.0.0").arguments(data, ["otro.local"])
    assert (data.tls / "web.pem").read_bytes() != made
    assert (data.tls / "web.key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    with pytest.raises(DiademaError, match="belong together"):
        WebEndpoint("0.0.0.0", tmp_path / "cert.pem")
    (tmp_path / "cert.pem").write_text("no")
    with pytest.raises(DiademaError, match="cannot use"):
        WebEndpoint(cert=tmp_path / "cert.pem", key=tmp_path / "cert.pem").arguments(data, [])


def test_a_hub_opens_to_others_only_after_the_first_account(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "diadema", "hub", "--data", str(tmp_path), "--port", "0",
               "--mqtt-port", "0", "--host", "0.0.0.0"]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2 and "diadema account add" in ended.stderr
    assert list(tmp_path.iterdir()) == []
