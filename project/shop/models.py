"""What the shop stores. No business rules beyond an order's total."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

NAME_LENGTH = 200
CATEGORY_LENGTH = 100
SKU_LENGTH = 40
HIGHEST_PRICE = Decimal("99999999.99")
HIGHEST_STOCK = 2_147_483_647


class Category(models.Model):
    name = models.CharField("name", max_length=CATEGORY_LENGTH, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "category"
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    category = models.ForeignKey(Category, models.PROTECT, related_name="products", verbose_name="category")
    sku = models.CharField("SKU", max_length=SKU_LENGTH, unique=True)
    name = models.CharField("name", max_length=NAME_LENGTH)
    price = models.DecimalField("price", max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal(0))])
    stock = models.PositiveIntegerField("stock", default=0)
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField("created at", default=timezone.now, editable=False)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        ordering = ["sku"]
        verbose_name = "product"
        verbose_name_plural = "products"

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"


class Customer(models.Model):
    name = models.CharField("name", max_length=NAME_LENGTH)
    email = models.EmailField("e-mail", unique=True)
    city = models.CharField("city", max_length=100, blank=True)
    created_at = models.DateTimeField("created at", default=timezone.now, db_index=True, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "customer"
        verbose_name_plural = "customers"

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    class Status(models.TextChoices):
        NEW = "new", "New"
        PAID = "paid", "Paid"
        SHIPPED = "shipped", "Shipped"
        CANCELLED = "cancelled", "Cancelled"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders", verbose_name="customer")
    status = models.CharField("status", max_length=10, choices=Status, default=Status.NEW)
    placed_at = models.DateTimeField("placed at", default=timezone.now, db_index=True)
    total = models.DecimalField("total", max_digits=12, decimal_places=2, default=Decimal(0), editable=False)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = "order"
        verbose_name_plural = "orders"

    def __str__(self) -> str:
        return f"Order {self.pk}"

    def save_total(self) -> None:
        """Set `total` to the sum of the stored lines, and save it."""
        self.total = sum((line.amount for line in self.lines.all()), Decimal(0))
        self.save(update_fields=["total", "updated_at"])


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", verbose_name="order")
    product = models.ForeignKey(Product, models.PROTECT, related_name="order_lines", verbose_name="product")
    quantity = models.PositiveIntegerField("quantity", default=1, validators=[MinValueValidator(1)])
    unit_price = models.DecimalField("unit price", max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["pk"]
        verbose_name = "order line"
        verbose_name_plural = "order lines"

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.unit_price


class DailyStatistic(models.Model):
    """One day's figures, written by `recalculate_stats` only."""

    date = models.DateField("date", unique=True)
    orders = models.PositiveIntegerField("orders")
    items = models.PositiveIntegerField("items")
    revenue = models.DecimalField("revenue", max_digits=14, decimal_places=2)
    new_customers = models.PositiveIntegerField("new customers")
    computed_at = models.DateTimeField("computed at", default=timezone.now)

    class Meta:
        ordering = ["-date"]
        verbose_name = "daily statistic"
        verbose_name_plural = "daily statistics"

    def __str__(self) -> str:
        return f"{self.date}"
