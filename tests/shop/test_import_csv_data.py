"""Tests of `import_csv_data`: what it writes, what it leaves, and every reason to write nothing."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError

from project.shop.models import Category, Product
from tests.shop.running import run

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).resolve().parents[2] / "project" / "sample_data"
HEADER = "sku,name,category,price,stock"
KETTLE = "K-1,Kettle,Kitchen,19.90,3"
WriteCsv = Callable[..., str]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Writes lines as `products.csv` and gives its path."""

    def write(*lines: str, encoding: str = "utf-8") -> str:
        path = tmp_path / "products.csv"
        path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        return str(path)

    return write


def refusal(*argv: str) -> tuple[str, list[str], int]:
    """The error's message, the lines on stderr, and the return code of an import that must fail and write nothing."""
    before = list(Product.objects.values_list()), list(Category.objects.values_list())
    stderr = StringIO()
    with pytest.raises(CommandError) as caught:
        run("import_csv_data", *argv, stderr=stderr)
    assert (list(Product.objects.values_list()), list(Category.objects.values_list())) == before
    return str(caught.value), stderr.getvalue().splitlines(), caught.value.returncode


def test_creates_products_and_their_categories(write_csv: WriteCsv) -> None:
    output = run("import_csv_data", write_csv(HEADER, KETTLE, 'T-1,"Cup, large",Tableware,4,0'))
    kettle = Product.objects.select_related("category").get(sku="K-1")
    assert (kettle.name, kettle.category.name, kettle.price, kettle.stock) == ("Kettle", "Kitchen", Decimal("19.90"), 3)
    assert Product.objects.get(sku="T-1").name == "Cup, large"
    assert output.lines[-1] == "Imported: 2 created, 0 updated, 0 unchanged, 0 skipped, 2 new categories."


def test_the_shipped_sample_is_imported_whole_with_a_line_per_250_rows() -> None:
    output = run("import_csv_data", str(SAMPLES / "products.csv"))
    assert Product.objects.count() == 3_000
    assert output.lines[1:-1] == [f"{done} of 3000 rows." for done in range(250, 3_001, 250)]


def test_the_shipped_sample_with_errors_names_each_line_and_column_and_imports_nothing() -> None:
    message, errors, returncode = refusal(str(SAMPLES / "products_with_errors.csv"))
    assert "line 17, column price: 'abc' is not a number" in errors
    assert "line 28, column sku: 'KIT-60037' is in line 5 already" in errors
    assert len(errors) == 7
    assert (message, returncode) == ("Nothing was imported: 7 errors in 6 rows.", 1)


def test_existing_products_are_skipped_and_counted(write_csv: WriteCsv) -> None:
    run("import_csv_data", write_csv(HEADER, KETTLE))
    output = run("import_csv_data", write_csv(HEADER, "K-1,Other,Other,1,1", "K-2,New,Kitchen,1,1"))
    assert Product.objects.get(sku="K-1").name == "Kettle"
    assert not Category.objects.filter(name="Other").exists()
    assert "Imported: 1 created, 0 updated, 0 unchanged, 1 skipped, 0 new categories." in output.lines


def test_update_existing_changes_what_differs_and_leaves_the_rest(write_csv: WriteCsv) -> None:
    run("import_csv_data", write_csv(HEADER, KETTLE, "K-2,Pot,Kitchen,5,1"))
    before = {product.sku: product.updated_at for product in Product.objects.all()}
    output = run(
        "import_csv_data",
        write_csv(HEADER, "K-1,Kettle,Tableware,21.50,3", "K-2,Pot,Kitchen,5.00,1"),
        "--update-existing",
    )
    after = {product.sku: product for product in Product.objects.select_related("category")}
    assert (after["K-1"].price, after["K-1"].category.name) == (Decimal("21.50"), "Tableware")
    assert after["K-1"].updated_at > before["K-1"]
    assert after["K-2"].updated_at == before["K-2"]
    assert output.lines[-1] == "Imported: 0 created, 1 updated, 1 unchanged, 0 skipped, 1 new categories."


def test_a_dry_run_counts_and_keeps_nothing(write_csv: WriteCsv) -> None:
    output = run("import_csv_data", write_csv(HEADER, KETTLE), "--dry-run")
    assert output.lines[-1].startswith("Dry run, nothing was kept: 1 created")
    assert not Product.objects.exists()
    assert not Category.objects.exists()


def test_a_dry_run_refuses_what_the_import_would_refuse(write_csv: WriteCsv) -> None:
    message, _, _ = refusal(write_csv(HEADER, "K-1,,Kitchen,1,1"), "--dry-run")
    assert message == "Nothing was imported: 1 errors in 1 rows."


@pytest.mark.parametrize(
    ("argument", "sign"), [(";", ";"), ("semicolon", ";"), ("tab", "\t"), ("\t", "\t"), ("pipe", "|"), ("comma", ",")]
)
def test_every_delimiter_goes_by_its_sign_or_its_word(write_csv: WriteCsv, argument: str, sign: str) -> None:
    path = write_csv(HEADER.replace(",", sign), KETTLE.replace(",", sign))
    run("import_csv_data", path, f"--delimiter={argument}")
    assert Product.objects.get().sku == "K-1"


def test_a_byte_order_mark_and_another_encoding_are_read(write_csv: WriteCsv) -> None:
    run("import_csv_data", write_csv(HEADER, "K-1,Café,Kitchen,1,1", encoding="utf-8-sig"))
    run("import_csv_data", write_csv(HEADER, "K-2,Café,Kitchen,1,1", encoding="latin-1"), "--encoding=latin-1")
    assert set(Product.objects.values_list("name", flat=True)) == {"Café"}


def test_the_order_and_case_of_columns_do_not_matter_and_others_are_ignored(write_csv: WriteCsv) -> None:
    output = run("import_csv_data", write_csv("Stock,colour,SKU,Price, Name ,Category", "3,red,K-1,1,Kettle,Kitchen"))
    assert Product.objects.get().stock == 3
    assert output.stderr == "Ignored columns: colour.\n"


def test_rows_without_a_category_get_the_one_given(write_csv: WriteCsv) -> None:
    run("import_csv_data", write_csv(HEADER, "K-1,Kettle,,1,1", "K-2,Pot,Kitchen,1,1"), "--category=Sale")
    assert set(Product.objects.values_list("sku", "category__name")) == {("K-1", "Sale"), ("K-2", "Kitchen")}


def test_a_file_without_the_category_column_needs_the_one_given(write_csv: WriteCsv) -> None:
    path = write_csv("sku,name,price,stock", "K-1,Kettle,1,1")
    assert "has no column category;" in refusal(path)[0]
    run("import_csv_data", path, "--category=Sale")
    assert Product.objects.get().category.name == "Sale"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (",Kettle,Kitchen,1,1", "column sku: is empty"),
        ("K-1, ,Kitchen,1,1", "column name: is empty"),
        ("K-1,Kettle,,1,1", "column category: is empty"),
        ("K-1,Kettle,Kitchen,,1", "column price: is empty"),
        ("K-1,Kettle,Kitchen,abc,1", "column price: 'abc' is not a number"),
        ("K-1,Kettle,Kitchen,NaN,1", "column price: 'NaN' is not a number"),
        ("K-1,Kettle,Kitchen,-1,1", "column price: '-1' is negative"),
        ("K-1,Kettle,Kitchen,1e999,1", "column price: '1e999' is more than 99999999.99"),
        ("K-1,Kettle,Kitchen,1.999,1", "column price: '1.999' has more than two decimals"),
        ("K-1,Kettle,Kitchen,1,", "column stock: is empty"),
        ("K-1,Kettle,Kitchen,1,1.5", "column stock: '1.5' is not a whole number"),
        ("K-1,Kettle,Kitchen,1,-1", "column stock: '-1' is negative"),
        ("K-1,Kettle,Kitchen,1,9999999999", "column stock: '9999999999' is more than 2147483647"),
        (f"{'K' * 41},Kettle,Kitchen,1,1", "column sku: is longer than 40 characters"),
        ("K-1,Ket\0tle,Kitchen,1,1", "column name: 'Ket\\x00tle' has a control character in it"),
    ],
)
def test_a_wrong_cell_is_told_with_line_and_column(write_csv: WriteCsv, row: str, error: str) -> None:
    _, errors, _ = refusal(write_csv(HEADER, "G-1,Good,Kitchen,1,1", row))
    assert errors == [f"line 3, {error}"]


def test_a_row_of_another_length_is_told(write_csv: WriteCsv) -> None:
    _, errors, _ = refusal(write_csv(HEADER, KETTLE + ",more"))
    assert errors == ["line 2: has 6 columns, the first line has 5"]


def test_lines_are_counted_as_an_editor_counts_them(write_csv: WriteCsv) -> None:
    _, errors, _ = refusal(write_csv(HEADER, "", 'K-1,"Ket', 'tle",Kitchen,1,1', "K-2,Pot,Kitchen,x,1"))
    assert errors[0].startswith("line 3, column name: 'Ket\\ntle' has a control character")
    assert errors[1] == "line 5, column price: 'x' is not a number"


def test_no_more_than_fifty_errors_are_listed(write_csv: WriteCsv) -> None:
    rows = [f"K-{number},Kettle,Kitchen,x,1" for number in range(60)]
    message, errors, _ = refusal(write_csv(HEADER, *rows))
    assert len(errors) == 51
    assert errors[-1] == "… and 10 more."
    assert message == "Nothing was imported: 60 errors in 60 rows."


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    message, _, returncode = refusal(str(tmp_path / "none.csv"))
    assert message == f"There is no file {tmp_path / 'none.csv'}."
    assert returncode == 2


def test_a_folder_is_told(tmp_path: Path) -> None:
    assert refusal(str(tmp_path))[0].startswith(f"{tmp_path} can't be read: ")


def test_text_in_another_encoding_is_told(write_csv: WriteCsv) -> None:
    message, _, returncode = refusal(write_csv(HEADER, "K-1,Café,Kitchen,1,1", encoding="latin-1"))
    assert message.startswith("products.csv is not utf-8-sig text: ")
    assert message.endswith("Try another --encoding.")
    assert returncode == 2


@pytest.mark.parametrize("encoding", ["klingon", "hex", ""])
def test_an_encoding_that_is_none_is_refused(write_csv: WriteCsv, encoding: str) -> None:
    message, _, _ = refusal(write_csv(HEADER, KETTLE), f"--encoding={encoding}")
    assert f"argument --encoding: '{encoding}' is not a text encoding" in message


def test_missing_columns_are_told_with_what_was_found(write_csv: WriteCsv) -> None:
    message, _, returncode = refusal(write_csv(HEADER.replace(",", ";"), KETTLE))
    assert message.startswith("products.csv has no column sku, name, category, price, stock;")
    assert message.endswith("is read as: sku;name;category;price;stock. Is the delimiter really ','?")
    assert returncode == 2


def test_a_column_that_is_there_twice_is_told(write_csv: WriteCsv) -> None:
    assert refusal(write_csv(HEADER + ",price", KETTLE + ",1"))[0] == "products.csv has more than one column price."


@pytest.mark.parametrize("lines", [(), ("", "")])
def test_an_empty_file_is_told(write_csv: WriteCsv, lines: tuple[str, ...]) -> None:
    assert refusal(write_csv(*lines))[0] == "products.csv is empty."


def test_a_header_without_rows_is_told(write_csv: WriteCsv) -> None:
    assert refusal(write_csv(HEADER))[0] == "products.csv has no row below its first line."


def test_an_open_quote_is_told_with_its_line(write_csv: WriteCsv) -> None:
    message, _, _ = refusal(write_csv(HEADER, 'K-1,"Kettle,Kitchen,1,1'))
    assert message == "products.csv, line 2: unexpected end of data."
