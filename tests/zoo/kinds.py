"""What the `kind_*` commands share: each says as JSON what it was given."""

import json
from typing import Any

from django.core.management.base import BaseCommand


class TellingCommand(BaseCommand):
    """Writes its options, as JSON, and does nothing else."""

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(options, default=str, sort_keys=True))
