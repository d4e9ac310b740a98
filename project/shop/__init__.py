"""The demo's shop: a catalogue, customers, orders, and the everyday commands that keep them."""
