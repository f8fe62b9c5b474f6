"""The nine criteria of UC1 (MTPE, M2982001-1), each as what an agent does for it at her station:
her gestures on the real firmware, the events they leave, and the pictures of her manual page.
"""

import pytest

from tests.support import manual
from tests.support.station_bench import SETTLED_MS, STATION

MINUTE = 60_000


@pytest.fixture
def site():
    return manual.site(STATION)


async def test_e1_1_accede_a_los_aplicativos_del_sistema_de_atencion(desk):
    """«Accede a los aplicativos del sistema de atención, de acuerdo a los procedimientos de la
    empresa.»
    """
    async with desk() as bench:
        since = bench.since()
        await bench.tap()
        await bench.pictured("pin")
        await bench.type(bench.pin)
        await bench.event("session.opened")
        await bench.world.sleep(2 * SETTLED_MS)
        await bench.pictured("entered")
        await bench.keys(3)
        await bench.left(
            since,
            """
            attendance.marked  a=a001 direction=in method=badge
            session.opened     a=a001 method=badge_pin
            presence.changed   from=logged_out to=not_ready reason=login by=system
            presence.changed   from=not_ready to=ready by=agent
            """,
        )


async def test_e1_2_contacta_con_el_usuario_inbound_u_outbound(desk):
    """«Contacta con el usuario según el tipo de llamada (inbound u outbound), de acuerdo a los
    protocolos de atención de la empresa.»
    """
    async with desk() as bench:
        since = await bench.ready()
        await bench.ring("C-1")
        await bench.world.sleep(3000)
        await bench.pictured("offered")
        await bench.answer("C-1")
        await bench.command("hangup", contact="C-1", by="caller")
        await bench.keys(3, 3, 3)
        await bench.left(
            since,
            """
            contact.offered   c=C-1 direction=in queue=Consultas via=host
            contact.answered  c=C-1 via=key
            contact.step      c=C-1 step=greeting how=automatic
            contact.step      c=C-1 step=closing how=automatic
            contact.ended     c=C-1 by=caller
            wrapup.started    c=C-1
            contact.typified  c=C-1 code=111
            wrapup.ended      c=C-1 cause=typified
            """,
        )
        await bench.world.sleep(6000)
        since = bench.since()
        await bench.keys(4, 3)  # Llamar, for the first campaign: within its hours
        await bench.world.sleep(7000)
        await bench.keys(3)  # somebody answers
        await bench.left(
            since,
            """
            contact.dialed    direction=out campaign=cobranza via=key
            contact.answered  via=key
            contact.step      step=greeting how=automatic
            """,
        )


async def test_e1_3_verifica_la_informacion_del_usuario(desk):
    """«Verifica la información del usuario en los aplicativos de la empresa, de acuerdo al
    requerimiento del usuario, teniendo en cuenta la confidencialidad y seguridad de la
    información.»
    """
    async with desk() as bench:
        since = await bench.talking()
        await bench.keys(3)
        await bench.pictured("methods")
        await bench.keys(3)
        await bench.keys(6, 5)  # Menú: what is asked next is not recorded
        await bench.world.sleep(1000)
        await bench.keys(6, 5)
        await bench.left(
            since,
            """
            contact.step               c=C-1 step=identity result=done how=key method=None
            contact.step               c=C-1 step=identity result=done method=dni_nacimiento
            contact.recording_paused   c=C-1 via=key
            contact.recording_resumed  c=C-1 via=key
            """,
        )
        told = {name for event in bench.host.events[since:] for name in event}
        ours = {"k", "e", "n", "b", "u", "t", "s", "v"}
        assert told - ours == {"a", "c", "step", "result", "how", "method", "via"}


async def test_e1_4_identifica_y_verifica_la_necesidad_del_usuario(desk):
    """«Identifica y verifica la necesidad del usuario, de acuerdo a estándares/protocolos de
    atención y procedimientos de la empresa.»
    """
    async with desk() as bench:
        await bench.talking()
        await bench.keys(3, 3)  # the identity
        since = await bench.settled()
        await bench.keys(6, 4, 4)  # Menú, Motivo, Operaciones
        await bench.world.sleep(40_000)
        await bench.pictured("need")
        await bench.keys(3)
        await bench.left(
            since,
            """
            contact.motive    c=C-1 motive=2 version=1
            contact.playbook  c=C-1 playbook=INS-2 version=1
            contact.step      c=C-1 step=need result=done how=key
            """,
        )


async def test_e2_1_transmite_la_informacion_al_usuario(desk):
    """«Transmite la información al usuario, de acuerdo a la necesidad identificada, protocolos de
    atención y procedimientos de la empresa.»
    """
    async with desk() as bench:
        await bench.talking()
        await bench.keys(3, 3, 3, 6, 4, 4)  # identity and need; the motive brings its playbook
        since = await bench.settled()
        await bench.keys(4)
        await bench.world.sleep(12_000)
        await bench.pictured("held")
        await bench.keys(4)
        await bench.keys(2, 2)
        await bench.keys(3)
        await bench.left(
            since,
            """
            contact.held     c=C-1 via=key
            contact.resumed  c=C-1 via=key
            contact.muted    c=C-1 via=key
            contact.unmuted  c=C-1 via=key
            contact.step     c=C-1 step=information result=done how=key
            """,
        )


async def test_e2_2_transfiere_las_llamadas_al_area_que_corresponda(desk):
    """«De ser el caso, transfiere las llamadas telefónicas al área que corresponda, según la
    necesidad del usuario y procedimientos de la empresa.»
    """
    async with desk() as bench:
        since = await bench.talking()
        await bench.keys(6, 3, 4)  # Menú, Transferir, Reclamos, which is asked first
        await bench.world.sleep(9000)
        await bench.pictured("consulting")
        await bench.keys(4, 4, 3)  # with the user, with the area, the two of them without her
        await bench.left(
            since,
            """
            contact.consulted    c=C-1 area=reclamos heard=area via=key
            contact.consulted    c=C-1 area=reclamos heard=caller
            contact.consulted    c=C-1 area=reclamos heard=area
            contact.transferred  c=C-1 kind=consulted target=reclamos completed=True
            contact.ended        c=C-1 by=transfer
            wrapup.started       c=C-1
            """,
        )
        await bench.typify("C-1")
        await bench.ring("C-2")
        await bench.answer("C-2")
        since = await bench.settled()
        await bench.keys(6, 3, 3, 3)  # Tarjetas, which takes it at once: are you sure?
        await bench.left(
            since,
            """
            contact.transferred  c=C-2 kind=blind target=tarjetas completed=True
            contact.ended        c=C-2 by=transfer
            wrapup.started       c=C-2
            """,
        )


async def test_e2_3_absuelve_dudas_u_observaciones(desk):
    """«Absuelve dudas u observaciones sobre la información brindada, de acuerdo a los protocolos e
    instructivos de atención.»
    """
    async with desk() as bench:
        await bench.talking()
        await bench.keys(3, 3, 3, 3)  # identity, need, information
        since = await bench.settled()
        await bench.keys(5)  # sent
        await bench.keys(3)  # what it is about
        await bench.world.sleep(4_000)
        request = bench.number_of("help.requested")
        await bench.host.sent({"cmd": "turn", "i": 0, "of": request, "ahead": 2})
        await bench.after("contact.answered", 16_600)
        await bench.shows("help_turn")
        await bench.command("help", of=request, state="accepted", by="Nelly T.")
        await bench.after("contact.answered", 22_600)
        await bench.pictured("help_comes")
        await bench.command("help", of=request, state="resolved", by="Nelly T.")
        await bench.keys(3)
        await bench.left(
            since,
            """
            help.requested  c=C-1 a=a001
            help.topic      topic=procedimiento
            help.accepted   by='Nelly T.'
            help.resolved   by='Nelly T.'
            contact.step    c=C-1 step=doubts result=done how=key
            """,
        )
        await bench.keys(1)
        await bench.typify("C-1")
        await bench.after("wrapup.ended", 8_000)
        await bench.shows("help_served")
        since = bench.since()
        await bench.keys(3)
        await bench.left(since, "help.rated  a=a001 answer=yes")


async def test_e2_4_culmina_la_llamada(desk):
    """«Culmina la llamada, de acuerdo a los protocolos de atención y procedimientos de la
    empresa.»
    """
    async with desk() as bench:
        await bench.talking()
        await bench.keys(6, 4, 4)
        since = await bench.settled()
        await bench.keys(1)
        await bench.pictured("tree")
        await bench.left(
            since,
            """
            contact.step    c=C-1 step=closing result=done how=automatic
            contact.ended   c=C-1 by=agent on_hold=False
            wrapup.started  c=C-1
            """,
        )


async def test_e2_5_tipifica_y_registra_la_llamada(desk):
    """«Tipifica y registra la llamada en el sistema, según los procedimientos de la empresa.»"""
    async with desk() as bench:
        await bench.talking()
        await bench.keys(6, 4, 4, 1)  # under the motive Operaciones
        since = await bench.settled()
        await bench.keys(3, 3)
        await bench.world.sleep(1000)
        await bench.pictured("undo")
        await bench.keys(1, 4, 4)  # Reposición; line 3 is what she used last
        await bench.left(
            since,
            """
            contact.typified    c=C-1 code=211 how=agent version=1
            wrapup.ended        c=C-1 cause=typified
            contact.retypified  c=C-1 code=212 version=1 author=a001
            """,
        )
        await bench.ring("C-2")
        await bench.answer("C-2")
        await bench.keys(6, 4, 3, 1)
        since = await bench.settled()
        await bench.ring("C-3")  # answered at once: the code of C-2 waits
        await bench.answer("C-3")
        await bench.keys(1)
        await bench.typify("C-3", "121")
        await bench.world.sleep(6000)
        await bench.keys(6, 3)
        await bench.pictured("pending")
        await bench.keys(3, 4, 3)
        await bench.left(
            since,
            """
            wrapup.ended      c=C-2 cause=next_contact
            contact.offered   c=C-3
            contact.answered  c=C-3
            contact.step      c=C-3 step=greeting
            contact.step      c=C-3 step=closing
            contact.ended     c=C-3 by=agent
            wrapup.started    c=C-3
            contact.typified  c=C-3 code=121
            wrapup.ended      c=C-3 cause=typified
            contact.typified  c=C-2 code=111
            """,
        )
