"""Tests of `send_daily_report`: who gets what about which day, and what it refuses."""

from datetime import timedelta
from unittest import mock

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError
from django.utils import timezone
from pytest_django import Settings

from project.shop.models import Order, Product
from tests.shop.running import run

DATE = "--date=2026-04-30"
TO = "--to=ada@example.com"


@pytest.fixture(autouse=True)
def shop(db: None) -> None:
    run("populate_sample_data", "--products=20", "--customers=10", "--orders=60", "--until=2026-05-01")
    Order.objects.filter(placed_at__date="2026-04-30").delete()
    Order.objects.update(placed_at="2026-04-30T12:00Z")


def sent() -> EmailMultiAlternatives:
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


def test_sends_the_days_figures_as_text() -> None:
    output = run("send_daily_report", DATE, TO)
    counted = Order.objects.exclude(status="cancelled")
    revenue = sum(order.total for order in counted)
    assert sent().subject == "[Shop] Daily report for 2026-04-30"
    assert f"Orders:        {counted.count()}\n" in sent().body
    assert f"Revenue:       {revenue}\n" in sent().body
    assert output.lines[-1] == "Sent '[Shop] Daily report for 2026-04-30' to ada@example.com."


def test_a_text_report_has_no_html() -> None:
    Product.objects.update(name="Salt & pepper")
    run("send_daily_report", DATE, TO)
    assert sent().alternatives == []
    assert "Salt & pepper" in sent().body


def test_an_html_report_has_both_and_escapes_names() -> None:
    Product.objects.update(name="Salt & <b>pepper</b>")
    run("send_daily_report", DATE, TO, "--format=html")
    content, mimetype = sent().alternatives[0]
    assert mimetype == "text/html"
    assert "Salt &amp; &lt;b&gt;pepper&lt;/b&gt;" in str(content)
    assert "Thursday, 30 April 2026" in sent().body


def test_several_recipients_and_a_subject_prefix() -> None:
    run("send_daily_report", DATE, "--to", "ada@example.com", "bea@example.com", "--subject-prefix=Shop: ")
    assert sent().to == ["ada@example.com", "bea@example.com"]
    assert sent().subject == "Shop: Daily report for 2026-04-30"


def test_a_day_without_orders_is_reported_as_such() -> None:
    run("send_daily_report", "--date=2020-01-01", TO, "--format=html")
    assert "There were no orders on this day." in sent().body
    assert "There were no orders on this day." in str(sent().alternatives[0][0])


def test_the_day_is_yesterday_by_default() -> None:
    run("send_daily_report", TO)
    assert sent().subject.endswith(str(timezone.localdate() - timedelta(days=1)))


@pytest.mark.parametrize("managers", [["ada@example.com"], [("Ada", "ada@example.com")]])
def test_the_managers_get_it_by_default(settings: Settings, managers: list[object]) -> None:
    settings.MANAGERS = managers
    run("send_daily_report", DATE)
    assert sent().to == ["ada@example.com"]


def test_the_demo_has_a_manager() -> None:
    run("send_daily_report", DATE)
    assert sent().to == ["owner@launcher.example"]


def test_without_anybody_to_send_to_it_is_refused(settings: Settings) -> None:
    settings.MANAGERS = []
    with pytest.raises(CommandError, match="Nobody to send it to") as caught:
        run("send_daily_report", DATE)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--to=ada", "argument --to: 'ada' is not an e-mail address"),
        ("--to=Ada <ada@example.com>", "is not an e-mail address"),
        ("--subject-prefix=one\ntwo", "argument --subject-prefix: must be one line"),
        ("--format=pdf", "argument --format: invalid choice: 'pdf'"),
        ("--date=9999-01-01", "--date 9999-01-01 is in the future"),
    ],
)
def test_what_makes_no_report_is_refused_and_nothing_is_sent(argument: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("send_daily_report", argument)
    assert mail.outbox == []


def test_a_mail_server_that_does_not_answer_is_told() -> None:
    refused = ConnectionRefusedError("connection refused")
    with (
        mock.patch("django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=refused),
        pytest.raises(CommandError, match="The report was not sent: connection refused") as caught,
    ):
        run("send_daily_report", DATE, TO)
    assert caught.value.returncode == 1
