"""Starts a thread when it is imported, which no process survives a fork with."""

import threading
import time
from typing import Any

from django.core.management.base import BaseCommand

threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


class Command(BaseCommand):
    help = "Starts a thread when it is imported."

    def handle(self, *args: Any, **options: Any) -> None:
        print("threads:", threading.active_count())
