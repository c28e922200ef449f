"""Fixtures of the scenarios: one lab for all, reset before each test."""

import re
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import examples  # noqa: E402
from patched import (lab_in, module_lab, patched_lab, wire,  # noqa: E402, F401
                     wire_site)  # pylint: disable=unused-import
from sender import Site  # noqa: E402


@pytest.fixture(scope="session")
def whole_site():
    """The lab with the product installed, for the whole run."""
    with lab_in("lab-scenarios") as found:
        site_of_run = Site(found)
        site_of_run.install()
        yield site_of_run


@pytest.fixture
def site(whole_site):
    """The same, as if nothing had been sent yet. A good run leaves the panic log empty."""
    whole_site.reset()
    yield whole_site
    assert whole_site.lab.paniclog() == ""


@pytest.fixture
def lab(site):
    """The lab of the site."""
    return site.lab


def pytest_generate_tests(metafunc):
    """A test with `shown` runs for each of its examples, see examples.py."""
    if "shown" in metafunc.fixturenames:
        keys = metafunc.function.examples
        metafunc.parametrize("shown", keys, indirect=True, ids=[
            re.sub(r"\W+", "-", f"{file} {first}")[:60] for file, first in keys])


@pytest.fixture
def shown(request):
    """An example of the documents."""
    return examples.block(*request.param)
