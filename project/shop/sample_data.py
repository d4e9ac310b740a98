"""Invented shop data: the same seed gives the same data, on every Python. Imports no Django, touches no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

ORDERS_REACH_BACK_DAYS = 90
CUSTOMERS_REACH_BACK_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Assortment:
    """What a category sells, and between which prices (whole units of money)."""

    name: str
    prefix: str
    materials: tuple[str, ...]
    things: tuple[str, ...]
    lowest: int
    highest: int


ASSORTMENTS = (
    Assortment(
        name="Kitchen",
        prefix="KIT",
        materials=("steel", "enamel", "copper", "cast iron"),
        things=("saucepan", "kettle", "colander", "frying pan", "mixing bowl", "stock pot", "teapot, 1.2 l"),
        lowest=9,
        highest=120,
    ),
    Assortment(
        name="Tableware",
        prefix="TAB",
        materials=("stoneware", "porcelain", "glass", "oak"),
        things=("dinner plate", "soup bowl", "café cup", "carafe", "egg cup", "serving dish"),
        lowest=4,
        highest=60,
    ),
    Assortment(
        name="Garden",
        prefix="GAR",
        materials=("ash", "galvanised", "terracotta", "willow"),
        things=("spade", "watering can", "flower pot", "hand rake", "seed tray", "bird feeder"),
        lowest=5,
        highest=90,
    ),
    Assortment(
        name="Office",
        prefix="OFF",
        materials=("beech", "brass", "recycled", "leather"),
        things=("desk tidy", "letter tray", "notebook", "pen case", "book end", "desk lamp"),
        lowest=3,
        highest=140,
    ),
    Assortment(
        name="Bathroom",
        prefix="BAT",
        materials=("cotton", "linen", "bamboo", "ceramic"),
        things=("hand towel", "bath mat", "soap dish", "laundry basket", "mirror", "toothbrush mug"),
        lowest=6,
        highest=80,
    ),
    Assortment(
        name="Lighting",
        prefix="LIG",
        materials=("opal glass", "brass", "paper", "walnut"),
        things=("pendant", "table lamp", "wall light", "lantern", "candle holder", "shade, 30 cm"),
        lowest=12,
        highest=260,
    ),
    Assortment(
        name="Toys",
        prefix="TOY",
        materials=("maple", "felt", "tin", "cotton"),
        things=("train", "spinning top", "puzzle", "hobby horse", "building blocks", "kite"),
        lowest=4,
        highest=70,
    ),
    Assortment(
        name="Travel",
        prefix="TRA",
        materials=("canvas", "leather", "wool", "nylon"),
        things=("weekend bag", "rucksack", "wash bag", "blanket", "luggage tag", "flask"),
        lowest=8,
        highest=190,
    ),
    Assortment(
        name="Textiles",
        prefix="TEX",
        materials=("linen", "wool", "cotton", "hemp"),
        things=("cushion", "throw", "table runner", "apron", "napkin, set of 4", "curtain"),
        lowest=7,
        highest=150,
    ),
    Assortment(
        name="Workshop",
        prefix="WOR",
        materials=("forged", "beech", "carbon steel", "brass"),
        things=("hammer", "try square", "chisel", "screwdriver", "tool roll", "vice"),
        lowest=9,
        highest=160,
    ),
)
SIZES = ("Small", "Large", "Slim", "Tall", "Round", "Classic", "Folding", "Everyday")
# fmt: off  (one name per line would be a page)
FIRST_NAMES = (
    "Ada",
    "Amir",
    "Bea",
    "Carlos",
    "Chiara",
    "David",
    "Elif",
    "Emil",
    "Fatima",
    "Femi",
    "Greta",
    "Hana",
    "Igor",
    "Ines",
    "Jonas",
    "Kenji",
    "Lena",
    "Lucas",
    "Mara",
    "Milan",
    "Nadia",
    "Noor",
    "Oskar",
    "Pilar",
    "Priya",
    "Ravi",
    "Rosa",
    "Samuel",
    "Tove",
    "Yara",
)
LAST_NAMES = (
    "Abbott",
    "Almeida",
    "Berg",
    "Castillo",
    "Demir",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Kaya",
    "Kowalski",
    "Lindgren",
    "Marino",
    "Meyer",
    "Nowak",
    "Okafor",
    "Patel",
    "Quinn",
    "Rossi",
    "Sato",
    "Silva",
    "Tanaka",
    "Vargas",
    "Weber",
    "Young",
)
# fmt: on
CITIES = ("Bergen", "Bologna", "Cork", "Ghent", "Graz", "Leeds", "Lyon", "Porto", "Riga", "Seville", "Turku", "Utrecht")
MAIL_DOMAINS = ("example.com", "example.net", "example.org")


@dataclass(frozen=True, kw_only=True)
class SampleProduct:
    sku: str
    name: str
    category: str
    price: Decimal
    stock: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SampleCustomer:
    name: str
    email: str
    city: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SampleLine:
    """`product` is an index into the products that the order was made for."""

    product: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class SampleOrder:
    """`customer` is an index into the customers that the order was made for."""

    customer: int
    status: str
    placed_at: datetime
    lines: tuple[SampleLine, ...]


def categories(count: int) -> list[str]:
    """The first `count` category names; after the last assortment they start again with a number."""
    return [_category_name(position) for position in range(count)]


def products(
    count: int, *, seed: int, until: date, category_names: Sequence[str], first_number: int = 10_000
) -> list[SampleProduct]:
    """`count` products with different SKUs, spread over the categories. SKU numbers start at `first_number`."""
    random = _stream("products", seed)
    numbers = random.sample(range(first_number, first_number + max(30_000, 2 * count)), count)
    return [_product(random, random.choice(category_names), number, until) for number in numbers]


def customers(count: int, *, seed: int, until: date) -> list[SampleCustomer]:
    """`count` customers with different addresses, who registered within the year before `until`."""
    random = _stream("customers", seed)
    namesakes: dict[str, int] = {}
    found = []
    for _ in range(count):
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        local_part = f"{first}.{last}".lower()
        namesakes[local_part] = namesakes.get(local_part, 0) + 1
        number = "" if namesakes[local_part] == 1 else str(namesakes[local_part])
        found.append(
            SampleCustomer(
                name=f"{first} {last}",
                # The domain depends on the name: a namesake differs by its number, whatever the seed.
                email=f"{local_part}{number}@{MAIL_DOMAINS[len(local_part) % len(MAIL_DOMAINS)]}",
                city=random.choice(CITIES),
                # Before breakfast: an order of the same day then comes after its customer.
                created_at=_moment(random, until, random.randint(1, CUSTOMERS_REACH_BACK_DAYS), hours=(0, 5)),
            )
        )
    return found


def orders(
    count: int, *, seed: int, until: date, registered_at: Sequence[datetime], product_count: int
) -> list[SampleOrder]:
    """`count` orders, the newest of the day before `until`, for customers who registered at the given times."""
    random = _stream("orders", seed)
    return [_order(random, until, registered_at, product_count) for _ in range(count)]


def _stream(kind: str, seed: int) -> Random:
    """Random numbers of one kind's own: asking for more customers must not change the products."""
    return Random(f"{kind} {seed}")  # noqa: S311  (nothing here is secret)


def _category_name(position: int) -> str:
    series, place = divmod(position, len(ASSORTMENTS))
    return ASSORTMENTS[place].name + (f" {series + 1}" if series else "")


def _assortment(category_name: str) -> Assortment:
    """The assortment behind "Kitchen" and "Kitchen 2"; a category of another making sells what an office sells."""
    named = {assortment.name: assortment for assortment in ASSORTMENTS}
    return named.get(category_name.rstrip(" 0123456789"), named["Office"])


def _product(random: Random, category_name: str, number: int, until: date) -> SampleProduct:
    kind = _assortment(category_name)
    name = f"{random.choice(SIZES)} {random.choice(kind.materials)} {random.choice(kind.things)}"
    return SampleProduct(
        sku=f"{kind.prefix}-{number}",
        name=name,
        category=category_name,
        price=random.randint(kind.lowest, kind.highest) + Decimal(random.choice(("0.00", "0.50", "0.90", "0.95"))),
        stock=random.choice((0, 3, 5, 12, 20, 35, 60, 120)),
        created_at=_moment(random, until, random.randint(1, CUSTOMERS_REACH_BACK_DAYS), hours=(7, 18)),
    )


def _order(random: Random, until: date, registered_at: Sequence[datetime], product_count: int) -> SampleOrder:
    customer = random.randrange(len(registered_at))
    oldest = min(ORDERS_REACH_BACK_DAYS, (until - registered_at[customer].date()).days)
    age_days = random.randint(1, max(1, oldest))
    usual = ("new", "paid", "paid", "shipped") if age_days <= 5 else ("shipped",)
    bought = random.sample(range(product_count), min(product_count, random.choice((1, 1, 2, 2, 3, 4))))
    return SampleOrder(
        customer=customer,
        status="cancelled" if random.random() < 0.06 else random.choice(usual),
        placed_at=_moment(random, until, age_days, hours=(6, 22)),
        lines=tuple(SampleLine(product=product, quantity=random.choice((1, 1, 1, 2, 2, 4))) for product in bought),
    )


def _moment(random: Random, until: date, days_before: int, *, hours: tuple[int, int]) -> datetime:
    clock = time(random.randint(*hours), random.randint(0, 59), random.randint(0, 59), tzinfo=UTC)
    return datetime.combine(until - timedelta(days=days_before), clock)
