"""Takes secrets in every place where an argument can hide one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Takes secrets, and says how long they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user")
        parser.add_argument("--user-token")
        parser.add_argument("-p", "--password", nargs="?", default="default-of-the-password", help="Not %(default)s.")
        parser.add_argument("-v2", dest="is_second", action="store_true")
        parser.add_argument("--api-keys", nargs="+", type=str.upper)
        parser.add_argument("--backup-secret", help="==SUPPRESS==")
        parser.add_argument("--pin", type=int, help="Named in the settings as secret.")
        parser.add_argument("--sort-key", help="Named in the settings as public.")
        parser.add_argument("--forget-password", action="store_true")
        parser.add_argument("--key", dest="primary_key", type=int)
        parser.add_argument("--token-file")
        parser.add_argument("--token-path", type=str.lower, help="Not known for a file by its type.")
        parser.add_argument("--key-type", choices=["rsa", "ed25519"])

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(len(options["password"] or "")))
