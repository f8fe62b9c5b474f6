"""The page «Central» shows what an exchange, which is whoever's, calls its things, as text."""

import msgspec
import pytest
from diadema.wire.switching import MemberState, PhoneState, QueueState, Report, Trouble
from diadema.words import Sentence
from nats.aio.msg import Msg
from playwright.async_api import expect

from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

ODD = "<img src=x onerror=alert(1)>{{ 7*7 }}\u202e\x1b[2J"
SHOWN = "<img src=x onerror=alert(1)>{{ 7*7 }}⟨U+202E⟩⟨U+001B⟩[2J"


async def test_names_are_text(web: Web, hub: Hub, open_page: OpenPage) -> None:
    report = Report(
        name="central", up=True, version=ODD,
        queues=[QueueState(name=ODD, mapped=False)],
        members=[MemberState(name=ODD, queue=ODD, paused=True, reason=ODD, wanted="gone")],
        phones=[PhoneState(extension=ODD, station=ODD, there=False)],
        troubles=[Trouble(utc_ms=1, sentence=Sentence("errors.switch.bar", reason=ODD).parts())],
    )  # fmt: skip
    shown = {"up": True, "age_s": 0.4, "report": msgspec.to_builtins(report)}

    async def answer(message: Msg) -> None:
        await message.respond(msgspec.json.encode({"switch": shown}))

    told = await hub.client.subscribe("hub.switch.shown", cb=answer)
    page = await open_page(f"{web.url}/ui/switch")
    main = page.locator("#main")
    await expect(main.locator("td", has_text=SHOWN)).to_have_count(7)
    await expect(main).to_contain_text(f"AMI {SHOWN}")
    assert await main.locator("img").count() == 0 and ODD not in await main.inner_text()
    await told.unsubscribe()
