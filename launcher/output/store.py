"""A run's output, wherever it lives: first a spool beside its supervisor, then chunks in the database.

The spool comes first because a command inside a transaction may hold the database's only write lock; whoever reads on
the same host reads the spool, so what a page shows never waits for that lock. Bytes are kept as they were written, or
drawn, where a command draws over its lines; of more than LAUNCHER["OUTPUT_LIMIT_BYTES"] the beginning and the end are
kept, at the offsets that they were written at. This module gathers what others use.
"""

from launcher.output.reading import (
    CHUNK_BYTES,
    Output,
    SpooledOutput,
    StoredOutput,
    left_out,
    open_output,
    read_all,
    settled_end,
)
from launcher.output.shipping import Shipment, prune_spools, ship, ship_all
from launcher.output.spool import Spool, SpoolError, host_name, spool_root
from launcher.output.writer import SpoolWriter, settle

__all__ = [
    "CHUNK_BYTES",
    "Output",
    "Shipment",
    "Spool",
    "SpoolError",
    "SpoolWriter",
    "SpooledOutput",
    "StoredOutput",
    "host_name",
    "left_out",
    "open_output",
    "prune_spools",
    "read_all",
    "settle",
    "settled_end",
    "ship",
    "ship_all",
    "spool_root",
]
