"""Can't be imported: it raises."""

raise RuntimeError("the settings lack <SHOP_URL>")
