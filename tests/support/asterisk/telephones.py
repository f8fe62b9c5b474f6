"""Telephones and callers for a real exchange: SIP over UDP on this machine, without sound."""

import asyncio
import random
import re
from dataclasses import dataclass, field
from typing import Self

HOST = "127.0.0.1"
_SDP = (
    f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


@dataclass(eq=False)
class Dialog:
    """`invite`: the headers of the one that came; None of a call that went out."""

    call_id: str
    me: str
    them: str
    target: str
    invite: dict[str, list[str]] | None = None
    branch: str = ""
    state: str = "ringing"
    asked: int = 1  # the number of the last request of ours
    tag: str = field(default_factory=lambda: f"{random.getrandbits(32):x}")


class Telephone(asyncio.DatagramProtocol):
    """`mode` as of `parts.Device`."""

    def __init__(self, number: str, server: int) -> None:
        self.number, self.mode = number, "auto"
        self._server = (HOST, server)
        self._dialogs: dict[str, Dialog] = {}
        self._registering: asyncio.Future[int] | None = None

    @classmethod
    async def plug_in(cls, number: str, server: int, port: int = 0) -> Self:
        loop = asyncio.get_running_loop()
        make = lambda: cls(number, server)  # noqa: E731
        _, telephone = await loop.create_datagram_endpoint(make, local_addr=(HOST, port))
        return telephone

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    def unplug(self) -> None:
        self._transport.close()

    # -- what its user does

    async def register(self, seconds: int = 3600) -> None:
        self._registering = asyncio.get_running_loop().create_future()
        me = f"<sip:{self.number}@{HOST}>"
        dialog = Dialog(f"r{random.getrandbits(48):x}", f"{me};tag=r", me, f"sip:{HOST}")
        self._ask("REGISTER", dialog, f"Expires: {seconds}\r\n")
        assert await self._registering == 200

    def call(self, extension: str) -> None:
        target = f"sip:{extension}@{HOST}:{self._server[1]}"
        me = f"<sip:{self.number}@{HOST}:{self._port}>"
        dialog = Dialog(f"c{random.getrandbits(48):x}", me, f"<{target}>", target)
        dialog.me += f";tag={dialog.tag}"
        self._dialogs[dialog.call_id] = dialog
        self._ask("INVITE", dialog, body=_SDP)

    def hang_up(self, status: str = "486 Busy Here") -> None:
        """All that it has; what rings is refused."""
        for dialog in self._dialogs.values():
            if dialog.state == "up":
                dialog.asked += 1
                self._ask("BYE", dialog)
            elif dialog.state == "ringing" and dialog.invite is not None:
                self._reply(status, dialog.invite, dialog.tag)
            elif dialog.state == "ringing":
                self._ask("CANCEL", dialog)
            dialog.state = "over"

    def transfer(self, extension: str) -> None:
        """Blind, by its own button."""
        for dialog in self._dialogs.values():
            if dialog.state == "up":
                dialog.asked += 1
                to = f"<sip:{extension}@{HOST}:{self._server[1]}>"
                self._ask("REFER", dialog, f"Refer-To: {to}\r\n")

    # -- what comes

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:  # type: ignore[override]
        head = data.decode().partition("\r\n\r\n")[0]
        first, *lines = head.split("\r\n")
        fields: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), []).append(value.strip())
        dialog = self._dialogs.get(fields["call-id"][0])
        if first.startswith("SIP/2.0 "):
            self._answered(int(first.split()[1]), fields, dialog)
        else:
            self._asked(first.split()[0], fields, dialog)

    def _asked(self, method: str, fields: dict[str, list[str]], dialog: Dialog | None) -> None:
        if self.mode == "silent" or method == "ACK":
            return
        if method == "INVITE" and dialog is None:
            self._ring(fields)
        elif method == "INVITE" and dialog is not None and dialog.state == "up":
            self._reply("200 OK", fields, dialog.tag, _SDP)
        elif method == "CANCEL" and dialog is not None and dialog.invite is not None:
            self._reply("200 OK", fields, dialog.tag)
            self._reply("487 Request Terminated", dialog.invite, dialog.tag)
            dialog.state = "over"
        elif method != "INVITE":
            self._reply("200 OK", fields, dialog.tag if dialog else "x")
            if method == "BYE" and dialog is not None:
                dialog.state = "over"

    def _ring(self, fields: dict[str, list[str]]) -> None:
        me, them = fields["to"][0], fields["from"][0]
        dialog = Dialog(fields["call-id"][0], me, them, _address(fields), fields)
        dialog.me += f";tag={dialog.tag}"
        self._dialogs[dialog.call_id] = dialog
        if self.mode == "busy":
            self._reply("486 Busy Here", fields, dialog.tag)
            dialog.state = "over"
            return
        self._reply("180 Ringing", fields, dialog.tag)
        auto = any("answer-after=0" in one for one in fields.get("call-info", []))
        if self.mode == "always" or (self.mode == "auto" and auto):
            self._reply("200 OK", fields, dialog.tag, _SDP)
            dialog.state = "up"

    def _answered(self, code: int, fields: dict[str, list[str]], dialog: Dialog | None) -> None:
        method = fields["cseq"][0].split()[1]
        if method == "REGISTER" and code >= 200 and self._registering is not None:
            if not self._registering.done():
                self._registering.set_result(code)
        elif method == "INVITE" and dialog is not None and code >= 200:
            dialog.them = fields["to"][0]
            if "contact" in fields:
                dialog.target = _address(fields)
            self._ask("ACK", dialog)
            if code == 200 and dialog.state == "ringing":
                dialog.state = "up"

    # -- what goes

    def _ask(self, method: str, dialog: Dialog, extra: str = "", body: str = "") -> None:
        if method != "CANCEL":
            dialog.branch = f"z9hG4bK{random.getrandbits(48):x}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._send(
            f"{method} {dialog.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HOST}:{self._port};rport;branch={dialog.branch}\r\n"
            f"Max-Forwards: 70\r\nFrom: {dialog.me}\r\nTo: {dialog.them}\r\n"
            f"Call-ID: {dialog.call_id}\r\nCSeq: {dialog.asked} {method}\r\n"
            f"Contact: <sip:{self.number}@{HOST}:{self._port}>\r\n"
            f"{extra}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _reply(self, status: str, to: dict[str, list[str]], tag: str, body: str = "") -> None:
        them = to["to"][0]
        if "tag=" not in them:
            them += f";tag={tag}"
        ways = "".join(f"Via: {one}\r\n" for one in to["via"])
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._send(
            f"SIP/2.0 {status}\r\n{ways}From: {to['from'][0]}\r\nTo: {them}\r\n"
            f"Call-ID: {to['call-id'][0]}\r\nCSeq: {to['cseq'][0]}\r\n"
            f"Contact: <sip:{self.number}@{HOST}:{self._port}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _send(self, text: str) -> None:
        self._transport.sendto(text.encode(), self._server)


def _address(fields: dict[str, list[str]]) -> str:
    found = re.search(r"sip:[^>;]+", fields["contact"][0])
    assert found is not None, fields
    return found[0]
