"""Prints what it is given: sub-commands, one of which has an option of the same dest as the command itself."""

from django.core.management.base import CommandParser

from tests.zoo.management.commands.trap_namespace import Command as Printing


class Command(Printing):
    help = "Prints its sub-command."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--env", default="top")
        children = parser.add_subparsers(dest="action", required=True)
        add = children.add_parser("add", aliases=["a"])
        add.add_argument("n", type=int)
        add.add_argument("--env", default="sub")
        show = children.add_parser("show")
        show.add_argument("names", nargs="*")
        show.set_defaults(mode="showing")
