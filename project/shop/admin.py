"""The shop's admin pages. Statistics are shown, never edited: `recalculate_stats` writes them."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from project.shop.models import Category, Customer, DailyStatistic, Order, OrderLine, Product

# The admin's classes are generic in their type stubs only, not when they run: hence the `type-arg` below.


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "product_count"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = super().get_queryset(request).annotate(product_count=Count("products"))
        return counted

    @admin.display(description="products", ordering="product_count")
    def product_count(self, category: Any) -> int:
        return int(category.product_count)


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "sku", "category", "price", "stock", "is_active"]
    list_filter = ["is_active", "category"]
    list_select_related = ["category"]
    search_fields = ["name", "sku"]
    autocomplete_fields = ["category"]
    readonly_fields = ["created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["name", "sku", "category", "is_active"]}),
        ("Sale", {"fields": ["price", "stock"]}),
        ("Dates", {"fields": ["created_at", "updated_at"]}),
    ]


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "email", "city", "created_at"]
    list_filter = ["city"]
    search_fields = ["name", "email"]
    readonly_fields = ["created_at"]


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine
    autocomplete_fields = ["product"]
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "customer", "status", "placed_at", "total"]
    list_filter = ["status", "placed_at"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "customer__email"]
    autocomplete_fields = ["customer"]
    readonly_fields = ["total"]
    inlines = [OrderLineInline]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.save_total()


@admin.register(DailyStatistic)
class DailyStatisticAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["date", "orders", "items", "revenue", "new_customers", "computed_at"]
    list_filter = ["date"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
