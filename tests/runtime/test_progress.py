"""Messages of the package while a computation reports its progress."""

import logging

from hrta.runtime.progress import Progress, messages_shown

LOG = logging.getLogger("hrta.example")


def test_messages_are_lines_of_their_own_within_the_block_only(capsys, monkeypatch):
    with messages_shown(), Progress("label") as progress:
        progress(0, 10)
        LOG.info("first")
        LOG.debug("not shown")
        progress(10, 10)
        LOG.warning("second")
    LOG.info("not shown")
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["label: 0 of 10", "hrta: first", "label: 10 of 10", "hrta: second"]
    assert logging.getLogger("hrta").handlers == []
    assert logging.getLogger("hrta").level == logging.NOTSET


def test_a_bar_does_not_share_its_line_with_a_message(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with messages_shown(), Progress("label") as progress:
        progress(1, 10)
        LOG.info("message")
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "hrta: message" in [line.strip() for line in lines]
