"""Prints what it is given: lists, and one of a group that needs one, which `call_command` mixes up as keywords."""

from django.core.management.base import CommandParser

from tests.zoo.management.commands.trap_namespace import Command as Printing


class Command(Printing):
    help = "Prints its lists."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place")
        parser.add_argument("more", nargs="*", type=int)
        parser.add_argument("--numbers", nargs="+", type=int, required=True)
        parser.add_argument("--pair", nargs=2, action="append", default=[["a", "b"]])
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--url")
        group.add_argument("--latest", action="store_true")
        group.add_argument("--many", nargs="+")
