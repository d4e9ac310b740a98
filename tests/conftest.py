"""What all tests share: the temporary folder, the three users, and the rule that nothing may be skipped unseen."""

import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from launcher.execution import dispatch, probe
from launcher.models import UNFINISHED, Run
from tests.servers import Postgres, ServerMissing
from tests.waiting import wait_until_finished

# Examples that start processes or touch the database have no use for a limit of 200 ms each on a busy machine. Fixtures
# that only patch sizes need not be made anew for each.
hypothesis.settings.register_profile(
    "launcher", deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
hypothesis.settings.load_profile("launcher")

# Another one for each test: with it, each would have a warm process of its own.
dispatch.NOISE |= {"PYTEST_CURRENT_TEST"}


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that tests/settings.py has chosen; the database, the spool and the mail live in it."""
    settings.TEST_FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let every process that a test started end, then remove the folder that it may still write to."""
    for process, _started in probe._running.values():
        process.wait(60)
    for path in settings.TEST_FOLDER.rglob("zygote-*.sock"):
        path.unlink()  # warm processes leave when theirs is gone
    for thread in threading.enumerate():
        if thread.name.startswith("launcher-wait-"):
            thread.join(60)
    shutil.rmtree(settings.TEST_FOLDER, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: Playwright keeps an event loop in the main thread, where asyncio.run() refuses to work.

    Of their files the longest goes first, so that those who share the tests end together.
    """
    folder = Path(__file__).parent / "e2e"
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (1, -sizes[item.path]) if folder in item.path.parents else (0, 0))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With LAUNCHER_REQUIRE_ALL=1 a skipped test fails the session, so that CI cannot pass by not looking."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("LAUNCHER_REQUIRE_ALL") != "1" or reporter is None:
        return
    if skipped := reporter.stats.get("skipped"):
        reporter.write_line("")
        reporter.write_line(f"LAUNCHER_REQUIRE_ALL=1, but {len(skipped)} skipped:", red=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            reporter.write_line(f"  {report.nodeid}: {reason}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Leave the database's name as it is, which other processes know: each worker has a folder of its own."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this session's own, started for the first test that asks for it."""
    try:
        server = Postgres()
    except ServerMissing as error:
        if os.environ.get("LAUNCHER_REQUIRE_ALL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def owner(db: None) -> User:
    """A superuser: may see and run everything."""
    return User.objects.create_superuser("owner", "owner@example.com", "owner")


@pytest.fixture
def operator(db: None) -> User:
    """Staff in the group Operators: may run what the settings grant to it, and see runs."""
    user = User.objects.create_user("operator", "operator@example.com", "operator", is_staff=True)
    group, _ = Group.objects.get_or_create(name="Operators")
    group.permissions.add(
        *Permission.objects.filter(
            content_type__app_label="launcher", codename__in=["run_command", "view_command", "view_run"]
        )
    )
    user.groups.add(group)
    return user


@pytest.fixture
def outsider(db: None) -> User:
    """Staff without any right: must see nothing of launcher."""
    return User.objects.create_user("outsider", "outsider@example.com", "outsider", is_staff=True)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner_client(owner: User) -> Client:
    return logged_in(owner)


@pytest.fixture
def operator_client(operator: User) -> Client:
    return logged_in(operator)


@pytest.fixture
def outsider_client(outsider: User) -> Client:
    return logged_in(outsider)


@pytest.fixture
def gate(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """The file that a waiting command waits for. It is there when the test ends, so that no process outlives it."""
    path = tmp_path / "gate"
    yield path
    path.touch()
    for run in Run.objects.filter(status__in=UNFINISHED):
        wait_until_finished(run)
