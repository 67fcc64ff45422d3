"""Fixtures shared by every test: the real model and the real article, prepared once."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from index import Article
from index.models.encoder import Encoder
from index.models.loading import load_encoder
from index.reading.reader import bundled_article
from qa import ArticleBot

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.served import Server

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything of Hugging Face is imported

# Machines that run tests are slow in bursts: what is slow is a benchmark's business.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skip as a failure where ``ARTICLE_QA_FORBID_SKIPS`` says that nothing may be."""
    report = yield
    if report.skipped and os.environ.get("ARTICLE_QA_FORBID_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is forbidden here: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def cache(pytestconfig: pytest.Config) -> Iterator[Path]:
    """A cache of the tests' own; kept between runs, for preparing the model takes a while."""
    folder = Path(pytestconfig.cache.mkdir("article-qa"))
    before = os.environ.get("ARTICLE_QA_CACHE")
    os.environ["ARTICLE_QA_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["ARTICLE_QA_CACHE"]
    else:
        os.environ["ARTICLE_QA_CACHE"] = before


@pytest.fixture(scope="session")
def encoder(cache: Path) -> Encoder:
    """The bundled model as users run it."""
    return load_encoder()


@pytest.fixture(scope="session")
def article() -> Article:
    """The bundled article."""
    return bundled_article()


@pytest.fixture(scope="session")
def bot(cache: Path, encoder: Encoder) -> ArticleBot:
    """The bot on the bundled article."""
    return ArticleBot.open()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. A module's own: Playwright's event loop would be in the way of others."""
    from tests.support.served import browsing

    with browsing() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A fresh visit to the page of the module's ``server``."""
    from tests.support.served import visiting

    with visiting(browser, server.url) as page:
        yield page
