# SPDX-License-Identifier: BSD-2-Clause
"""A process before a terminal of its own, a VT100, and what is on its screen."""
import codecs
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()].|\x1b[=>78cDEMHNOZ]")


class Terminal:
    def __init__(self, command, folder, size=(40, 120)):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            # The size is there before it is asked for.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.execve(command[0], command, {**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8", "LINES": "", "COLUMNS": ""})
        self.size, self.pending = size, ""
        self.decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.clear()

    def clear(self):
        self.rows, self.row, self.column = [[" "] * self.size[1] for _ in range(self.size[0])], 0, 0
        self.region = 0, self.size[0] - 1

    def scroll(self, first, last):
        """The line at `first` goes, and an empty one comes at `last`."""
        del self.rows[first]
        self.rows.insert(last, [" "] * self.size[1])

    def resize(self, rows, columns):
        """The screen becomes empty; what is drawn is drawn anew."""
        self.size = rows, columns
        self.clear()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.rows)

    def read(self, seconds):
        """False: the process has ended."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.pending += self.decode(data)
            self.interpret()
            return bool(data)
        return True

    def expect(self, pattern, keys="", seconds=60):
        """The screen comes to have this."""
        os.write(self.fd, keys.encode())
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            if not self.read(0.5) or time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} on\n{self.text()}")

    def end(self, keys="", seconds=60):
        """The exit code, once it has ended."""
        os.write(self.fd, keys.encode())
        end = time.monotonic() + seconds
        while self.read(0.5) and time.monotonic() < end:
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code

    def interpret(self):
        text, at = self.pending, 0
        while at < len(text):
            if text[at] == "\x1b":
                match = SEQUENCE.match(text, at)
                if not match:
                    break
                if match[0] == "\x1bM":
                    if self.row == self.region[0]:
                        self.scroll(self.region[1], self.region[0])
                    else:
                        self.row -= 1
                elif match[2]:
                    self.control(match[2], [int(number or 0) for number in match[1].lstrip("?").split(";")])
                at = match.end()
                continue
            self.character(text[at])
            at += 1
        self.pending = text[at:]

    def character(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            if self.row == self.region[1]:
                self.scroll(*self.region)
            else:
                self.row += 1
        elif char == "\t":
            self.column += 8 - self.column % 8
        elif char == "\b":
            self.column -= 1
        elif char >= " ":
            if 0 <= self.row < self.size[0] and 0 <= self.column < self.size[1]:
                self.rows[self.row][self.column] = char
            self.column += 1

    def control(self, kind, numbers):
        first = numbers[0] or 1
        if kind in "Hf":
            self.row, self.column = first - 1, (numbers[1] if len(numbers) > 1 else 1) - 1
        elif kind == "r":
            self.region = first - 1, (numbers[1] if len(numbers) > 1 else self.size[0]) - 1
            self.row = self.column = 0
        elif kind == "A":
            self.row -= first
        elif kind == "B":
            self.row += first
        elif kind == "C":
            self.column += first
        elif kind == "D":
            self.column -= first
        elif kind in "JK" and 0 <= self.row < self.size[0]:
            row = self.rows[self.row]
            span = range(self.column + 1) if numbers[0] == 1 else range(self.column, self.size[1])
            for column in span:
                if 0 <= column < self.size[1]:
                    row[column] = " "
            for below in range(self.row + 1, self.size[0]) if kind == "J" and numbers[0] == 0 else ():
                self.rows[below] = [" "] * self.size[1]
        if kind == "J" and numbers[0] == 2:
            self.clear()
