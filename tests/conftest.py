"""For all tests: what one of them sets for the whole process, no other one meets."""

import logging

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were():
    """Commands that are called in this process configure logs for all of it, some without the lower levels."""
    config, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**config)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
