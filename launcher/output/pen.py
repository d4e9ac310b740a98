"""What writes on a row of a terminal: the cursor's column, the style in force, and what happens within a line."""

from __future__ import annotations

from launcher.output.row import Row
from launcher.output.style import PLAIN, Style, apply_sgr, parse_number, safe_link
from launcher.output.width import columns, is_one_column_each

ROWS, COLUMNS = 40, 120
"""The size of the terminal that programs are told."""
TAB = 8


class Pen:
    """Writes within a row, and hands over to the next one when there are no columns left.

    The cursor stands on a column, or behind the last one: then the next character begins a new row (deferred wrap).
    """

    def __init__(self, width: int, style: Style = PLAIN) -> None:
        self.width = width
        self.row = Row(width)
        self.column = 0
        self.style = style
        self.at: float | None = None
        """The time at which what is written now was written."""
        self.does_wrap = True
        self.tab_stops = default_tab_stops(width)

    def next_row(self) -> None:
        """Go to the beginning of the next row, in which the line goes on."""
        raise NotImplementedError

    def write(self, text: str) -> None:
        """Write text over what is at the cursor."""
        if not is_one_column_each(text):
            self._write_characters(text)
            return
        position = 0
        while position < len(text):
            piece = text[position : position + self._room(1)]
            self.row.put(self.column, piece, self.style)
            self.column += len(piece)
            position += len(piece)

    def _write_characters(self, text: str) -> None:
        for character in text:
            size = columns(character)
            if size == 0:
                self.row.combine(self.column, character)
                continue
            self._room(size)
            if size == 1:
                self.row.put(self.column, character, self.style)
            else:
                self.row.put_wide(self.column, character, self.style)
            self.column += size

    def _room(self, size: int) -> int:
        """Return the columns left for characters of a size; where there are none, in the next row."""
        if self.column + size > self.width:
            if self.does_wrap:
                self.row.wraps = True
                self.next_row()
            else:
                self.column = self.width - size
        if self.row.at is None:
            self.row.at = self.at
        return self.width - self.column

    def control(self, control: str) -> None:
        """Obey a control character, or show it, so that nothing is hidden."""
        if control == "\r":
            self.column = 0
        elif control == "\b":
            self._go_to(min(self.column, self.width - 1) - 1)
        elif control == "\t":
            self._tab()
        elif control not in "\x07\x0e\x0f\x11\x13":  # bell, shifts and flow control leave no trace on a screen
            self.write("\u2421" if control == "\x7f" else chr(0x2400 + ord(control)) if control < " " else "\ufffd")

    def set_style(self, parameters: str) -> None:
        """Obey a sequence of SGR."""
        self.style = apply_sgr(parameters, self.style)

    def set_link(self, address: str) -> None:
        """Begin a link, or end it with an empty address; one that leads where none may is none."""
        self.style = self.style._replace(link=safe_link(address))

    def end_link(self) -> None:
        """End a link, if there is one: where its program doesn't, the rest of the output would all be one."""
        if self.style.link:
            self.style = self.style._replace(link="")

    def edit(self, final: str, parameters: str) -> None:
        """Obey a control sequence that moves the cursor within the row or changes the row; ignore any other.

        A cursor behind the last column erases nothing to its right. (Many terminals take the last character then,
        which is a known nuisance of coloured output that ends each piece with EL, and no use in a log.)
        """
        number = parse_number(parameters.partition(";")[0])
        count = min(max(number, 1), self.width)
        column = self.column
        if final in "Ca":
            self._go_to(column + count)
        elif final == "D":
            self._go_to(min(column, self.width - 1) - count)
        elif final in "G`":
            self._go_to(count - 1)
        elif final == "K":
            self.erase_line(number)
        elif final == "X":
            self._erase(column, min(column + count, self.width))
        elif final == "P":
            self.row.delete(column, count)
            self.row.wraps = False
        elif final == "@":
            self.row.insert(column, count, self.style)
        elif final == "b":
            self._repeat(count)
        elif final == "I":
            while count and self.column < self.width - 1:
                self._tab()
                count -= 1
        elif final == "Z":
            stops = [stop for stop in self.tab_stops if stop < column]
            self.column = stops[-count] if count <= len(stops) else 0

    def _repeat(self, count: int) -> None:
        """Write the character before the cursor again, so many times, but not beyond the row."""
        if 0 < self.column <= len(self.row.characters):
            character = self.row.characters[self.column - 1]
            self.write(character[:1] * min(count, self.width - self.column))

    def erase_line(self, how: int) -> None:
        """Erase the row from the cursor on (0), up to and with it (1), or all of it (2)."""
        if how == 0:
            self._erase(self.column, self.width)
        elif how == 1:
            self._erase(0, min(self.column + 1, self.width))
        elif how == 2:
            self._erase(0, self.width)

    def _erase(self, start: int, end: int) -> None:
        if start < end:
            self.row.erase(start, end, self.style)
            self.row.wraps = self.row.wraps and end < self.width

    def _go_to(self, column: int) -> None:
        self.column = max(0, min(column, self.width - 1))

    def _tab(self) -> None:
        self.column = next((stop for stop in self.tab_stops if stop > self.column), self.width - 1)


def default_tab_stops(width: int) -> tuple[int, ...]:
    """Return the columns at which a terminal has tab stops, unless it is told otherwise."""
    return tuple(range(TAB, width, TAB))
