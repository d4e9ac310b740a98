"""The documentation says what the code says: settings, checks, URLs, modules, version; and its links lead somewhere."""

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from django.contrib.admin import AdminSite

from launcher import __version__
from launcher.admin import CommandAdmin, RunAdmin
from launcher.conf import CommandOptions, Options
from launcher.models import Command, Run

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "launcher"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
PAGE_IDS = [page.name for page in PAGES]


def text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def table(text: str) -> dict[str, tuple[str, ...]]:
    """Return the rows of a page's tables whose first cell is code: the code, and the other cells."""
    rows: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| `") and cells[0].startswith("`") and cells[0].endswith("`"):
            assert cells[0] not in rows, f"{cells[0]} has two rows"
            rows[cells[0].strip("`")] = tuple(cells[1:])
    return rows


def without_code(text: str) -> str:
    return re.sub(r"^( *)(```+).*?^\1\2$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[str]:
    text = without_code(page.read_text("utf-8"))
    yield from re.findall(r"\]\(<?([^)>\s]+)", text)
    yield from re.findall(r'(?:src|srcset|href)="([^"\s]+)', text)


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def headings(page: Path) -> set[str]:
    return {slug(line.lstrip("#")) for line in page.read_text("utf-8").splitlines() if re.match("#+ ", line)}


@pytest.mark.parametrize(("heading", "kind"), [("## LAUNCHER", Options), ("## Command options", CommandOptions)])
def test_the_settings_page_has_each_option_with_its_default_and_doc(
    heading: str, kind: type[Options | CommandOptions]
) -> None:
    section = text_of("settings.md").split(f"\n{heading}\n")[1].split("\n## ")[0]
    rows = table(section)
    names = {field.name.upper() if kind is Options else field.name: field for field in fields(kind)}
    assert list(rows) == list(names)
    for name, field in names.items():
        default, doc = rows[name]
        assert doc == field.metadata["doc"], name
        if field.default is not MISSING:
            plain = [] if field.default == () else field.default
            assert default.startswith(f"`{plain!r}`"), name


def test_the_checks_page_has_the_ids_that_the_code_has() -> None:
    code = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    in_code = set(re.findall(r"""["'](launcher\.[EWICD]\d{3})["']""", code))
    assert in_code
    assert set(table(text_of("checks.md"))) == in_code


def test_the_architecture_page_maps_each_url_to_a_view_that_exists() -> None:
    rows = table(text_of("architecture.md"))
    site = AdminSite(name="docs")
    site.register(Command, CommandAdmin)
    site.register(Run, RunAdmin)
    own = [*CommandAdmin(Command, site).get_urls(), *RunAdmin(Run, site).get_urls()]
    stock = {"launcher_run_add", "launcher_run_history", "launcher_run_delete"}
    names = {pattern.name for pattern in own if pattern.name} - stock
    assert {name for name in rows if name.startswith("launcher_")} == names
    code = "".join(path.read_text("utf-8") for path in (*PACKAGE.glob("views/*.py"), PACKAGE / "admin.py"))
    functions = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
    for name in names:
        view = re.match("`([^`]+)`", rows[name][0])
        assert view, name
        assert view[1] in functions, name


def test_the_architecture_page_has_each_module() -> None:
    listed = {name for name in table(text_of("architecture.md")) if name.startswith("launcher/")}
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    assert listed == modules


def test_every_file_that_the_architecture_page_names_exists() -> None:
    named = re.findall(r"`((?:launcher|tests|project|bench)/[\w./-]+)`", text_of("architecture.md"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("source", PAGES, ids=PAGE_IDS)
def test_no_relative_link_is_broken(source: Path) -> None:
    broken = []
    for link in links(source):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (source.parent / path).resolve() if path else source
        if not target.is_file() or (anchor and target.suffix == ".md" and anchor not in headings(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("source", PAGES, ids=PAGE_IDS)
def test_every_image_says_what_it_shows(source: Path) -> None:
    text = without_code(source.read_text("utf-8"))
    assert re.findall(r"!\[\s*\]\(", text) == []
    assert [tag for tag in re.findall(r"<img[^>]*>", text) if not re.search(r'alt="[^"]+"', tag)] == []


def test_every_page_is_reached_from_the_index() -> None:
    toctrees = re.findall(r"```\{toctree\}\n(.*?)```", text_of("index.md"), re.DOTALL)
    listed = {line for tree in toctrees for line in tree.split() if re.fullmatch(r"[\w-]+", line)}
    assert {path.stem for path in DOCS.glob("*.md")} - {"index"} <= listed


def test_the_version_is_the_packages_wherever_it_is_told() -> None:
    newest = re.search(r"^## \[?(\d[^\]\s]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == __version__
    for page in (DOCS / "index.md", DOCS / "install.md", ROOT / "README.md"):
        told = set(re.findall(r"(?<![\w.~])0\.\d+\.\d+", without_links(page.read_text("utf-8"))))
        assert told == {__version__}, page.name
    assert "release = __version__" in (DOCS / "conf.py").read_text("utf-8")


def without_links(text: str) -> str:
    return re.sub(r"\]\([^)]*\)", "]", text)


def test_the_versions_that_are_supported_are_those_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    pythons = re.findall(r"Python :: (3\.\d+)", project)
    djangos = re.findall(r"Framework :: Django :: (\d\.\d)", project)
    assert pythons
    assert djangos
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme
    assert all(version in readme for version in djangos)


def test_each_command_that_the_pages_tell_to_make_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    told = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|\$ |^    )make ([\w-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert told
    assert told <= targets


def test_the_table_of_controls_names_tests_that_exist() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text_of("forms.md"))
    assert len(named) > 20
    assert [name for file, name in named if f"def {name}(" not in (ROOT / "tests" / file).read_text()] == []


def test_every_module_of_the_bench_is_told_of() -> None:
    text = text_of("benchmarks.md")
    modules = [path.stem for path in (ROOT / "bench").glob("[!_]*.py")]
    assert modules
    assert [name for name in modules if f"bench.{name}" not in text] == []
