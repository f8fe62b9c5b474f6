"""Fixtures of the host's tests: a store with its ingest, a real broker, a real hub, real ptys."""

import asyncio
import contextlib
import json

import pytest
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.store import open_reader, open_writer

from tests.support.broker_fixtures import running_broker
from tests.support.scripted_station import SITE, FixedClock


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def site():
    return sites.parse(json.dumps(SITE).encode())


@pytest.fixture
def writer(tmp_path):
    opened = open_writer(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def reader(writer, tmp_path):
    opened = open_reader(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def ingest(writer, site, clock):
    return Ingest(writer, site, clock)


@pytest.fixture
async def broker(tmp_path):
    """A NATS server of our configuration with its stream, and the site, in tmp_path."""
    async with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
async def stack():
    """Where a test puts what must be closed at its end."""
    async with contextlib.AsyncExitStack() as held, asyncio.timeout(300):
        yield held


@pytest.fixture
async def client(broker, stack):
    """A client of the broker with all rights."""
    client = await broker.client()
    stack.push_async_callback(client.close)
    return client


@pytest.fixture
async def gateways(broker, stack):
    """Gateways may connect, although no ingest runs."""
    stack.push_async_callback((await broker.admit_gateways()).close)


@pytest.fixture
def store(broker, ingest, stack):
    """What the ingest beside the broker has stored."""
    reader = open_reader(broker.data.store)
    stack.callback(reader.close)
    return reader


@pytest.fixture
def site_language(monkeypatch):
    """Commands speak the language of the site, as they do for people."""
    monkeypatch.delenv("DIADEMA_LANG")
