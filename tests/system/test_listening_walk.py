"""Live listening from the page: the real firmware in the VM, hub, bridge and an exchange, and a
browser of whoever listens.
"""

import os
import re
import signal
import time
from contextlib import asynccontextmanager, closing, contextmanager

from diadema.wire.ask_hub import ask_hub
from playwright.async_api import async_playwright, expect

from tests.support.asterisk_peer import AsteriskPeer
from tests.support.broker_fixtures import until
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.informed import LEAD, inform
from tests.support.switched_centre import NUMBER, centre_of, plug_in, way_to
from tests.system.test_switch import coded, ready, talking

LIMIT_MS = 120_000
PRESS = "(button) => button.click()"  # also one that can no longer be pressed


@asynccontextmanager
async def heard_centre(tmp_path):
    """One who talks, and the telephone of the lead, who lifts it at once."""
    async with AsteriskPeer.start() as peer:
        plug_in(peer, 1)
        way = way_to(peer, listeners={LEAD: "PJSIP/103"})
        before_ms = int(time.time() * 1000) - 60_000
        prepare = lambda data, agents: inform(data, before_ms, agents)  # noqa: E731
        async with centre_of(tmp_path, way, 1, prepare) as centre:
            peer.telephone("PJSIP/103").mode = "always"
            yield centre, peer


@asynccontextmanager
async def lead_at(centre, chromium):
    """The lead's browser there."""
    faults = []
    expect.set_options(timeout=LIMIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = await browser.new_context(locale="es-PE")
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.set_default_timeout(LIMIT_MS)
        await page.goto(f"{centre.web}/login?lang=es")
        await page.get_by_label("Usuario").fill(LEAD)
        await page.get_by_label("Contraseña").fill("clave-1234")
        await page.get_by_role("button", name="Ingresar").click()
        await expect(page).to_have_url(re.compile("/ui/"))
        await page.goto(f"{centre.web}/ui/listening?lang=es")
        yield page
        await browser.close()
    assert faults == []


def said(centre):
    with closing(centre.reader()) as reader:
        events = [one.event for one in reader.events_of("HUB-main")]
    return [one for one in events if one["k"].startswith("listening.")]


def causes(centre):
    return [one["cause"] for one in said(centre) if one["k"] == "listening.ended"]


@contextmanager
def frozen(centre, agent):
    """Its station does nothing meanwhile, and its link is there."""
    pid = centre.world.stations[agent.desk.station].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def listens(page, listener):
    """Until it is heard and the station has said so: on a busy machine two seconds are a limit."""

    async def heard():
        press = page.get_by_role("button", name=re.compile("^Escuchar a "))
        sign = page.locator(".live-mine small")
        if await sign.count() == 0:
            await press.evaluate(PRESS)
        words = await sign.inner_text() if await sign.count() else ""
        return listener.hears and words == "La estación lo muestra al asesor."

    await until(heard)


async def test_from_the_page_silent_until_stopped_and_until_the_call_drops(
    tmp_path, system_program
):
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with heard_centre(tmp_path) as (centre, peer):
        (agent,), listener = centre.agents, peer.telephone("PJSIP/103")
        await ready(agent, peer)
        async with lead_at(centre, chromium) as page:
            await expect(page.locator(".live-listening")).to_contain_text(
                "Ninguno de sus asesores está en llamada."
            )
            contact, caller = await talking(agent, peer)
            await page.get_by_label("Para qué").select_option("coaching")
            await listens(page, listener)
            assert listener.hears == {NUMBER, "PJSIP/101"}
            assert caller.hears == {"PJSIP/101"}, "silent: nobody hears who listens"
            assert peer.telephone("PJSIP/101").hears == {NUMBER}
            assert agent.happened("contact.listened", contact)
            await page.get_by_role("button", name="Terminar").click()
            await peer.until(lambda: not listener.hears)
            await expect(page.locator(".live-listening .done")).to_contain_text(
                "quien escuchaba la terminó"
            )
            await until(lambda: causes(centre)[-1:] == ["stopped"])
            assert caller.hears == {"PJSIP/101"}, "the call goes on"
            with frozen(centre, agent):
                await page.get_by_role("button", name=re.compile("^Escuchar a ")).click()
                await peer.until(lambda: listener.hears)
                await peer.until(lambda: not listener.hears)
                await until(lambda: causes(centre)[-1:] == ["not_confirmed"])
            await expect(page.locator(".live-listening .done")).to_contain_text(
                "la estación no confirmó a tiempo"
            )
            await listens(page, listener)
            caller.hang_up()
            await peer.until(lambda: not listener.hears)
            await expect(page.locator(".live-listening .done")).to_contain_text(
                "terminó la llamada"
            )
            await coded(agent, contact)
        heard = [one["heard_ms"] for one in said(centre) if one["k"] == "listening.ended"]
        assert all(0 <= one < LIMIT_MS for one in heard) and max(heard) > 0
        assert {*causes(centre)} <= {"stopped", "call_ended", "not_confirmed"}


async def test_spying_begun_at_the_exchange_is_seen_and_a_station_that_is_away_ends_ours(
    tmp_path, system_program
):
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with heard_centre(tmp_path) as (centre, peer):
        (agent,), listener = centre.agents, peer.telephone("PJSIP/103")
        await ready(agent, peer)
        await talking(agent, peer)
        async with lead_at(centre, chromium) as page:
            await expect(page.locator(".live-call b")).to_have_count(1)
            stray = peer.telephone("PJSIP/104")
            spy = spied(peer, "PJSIP/104", "PJSIP/101")
            await peer.until(lambda: stray.hears)
            await expect(page.locator(".live-call .wrong")).to_have_text(
                "La escuchan fuera de Diadema"
            )
            await page.goto(f"{centre.web}/ui/?lang=es")
            await expect(page.locator(".alert[data-rule=spied]")).to_contain_text(
                "escucha fuera de Diadema"
            )
            peer.core.hang_up(spy, 0, "remote")
            await until(lambda: causes(centre) == ["hung_up"])
            (begun,) = [one for one in said(centre) if one["k"] == "listening.started"]
            assert (begun["via"], begun["by"]) == ("outside", "rule:listening")
            assert "purpose" not in begun or begun["purpose"] is None
            await page.goto(f"{centre.web}/ui/listening?lang=es")
            await page.get_by_label("Para qué").select_option("coaching")
            await listens(page, listener)
            agent.station.cable.pull()
            await peer.until(lambda: not listener.hears)
            await expect(page.locator(".live-listening .done")).to_contain_text(
                "la estación perdió la conexión"
            )
            assert causes(centre)[-1] == "link_lost"
            refused = {"by": LEAD, "a": agent.desk.person.id, "mode": "whisper",
                       "purpose": "coaching", "do": "begin"}  # fmt: skip
            answer = await asked(centre, refused)
            assert answer == "link_lost"
            agent.station.cable.plug()


async def asked(centre, body):
    """The word by which the hub refuses."""
    try:
        await ask_hub(centre.data, "hub.listen", body)
    except Exception as error:
        return next(
            (one["reason"] for one in reversed(said(centre)) if one["k"] == "listening.refused"),
            str(error),
        )
    return ""


def spied(peer, listener, telephone):
    """Somebody listens by hand; the channel."""
    core = peer.core
    device = core.devices.get(listener) or peer.add_device(listener, "auto")
    (target,) = [one for one in core.devices[telephone].channels if one.state == "Up"]
    channel = core.new_leg(device, None, None)
    core.set_state(channel, "Up")
    channel.variables["OBJETIVO"] = target.name
    core.run(channel, "pruebas", "escucha")
    return channel
