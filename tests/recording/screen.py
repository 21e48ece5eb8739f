"""A terminal's output as an SVG picture: all lines of it, whatever scrolled away."""

import html
import re
import unicodedata

WIDTH, HEIGHT, MARGIN, BAR = 8.4, 19, 18, 34
COLOURS = {30: "#6e7681", 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff",
           36: "#76e3ea", 37: "#e6edf3", 90: "#8b949e", 91: "#ffa198", 92: "#a5f0b0", 93: "#f2cc60",
           94: "#a5d6ff", 95: "#e2c5ff", 96: "#b3f0ff", 97: "#ffffff"}
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()][A-Z0-9]|\x1b[=>]")


class Screen:
    """The lines, each a list of cells: a character and its style."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [[]], 0, 0
        self.style = (None, False, False)

    def feed(self, text):
        at = 0
        while at < len(text):
            match = SEQUENCE.match(text, at)
            if match:
                if match.group(2):
                    self.control(match.group(1), match.group(2))
                at = match.end()
            else:
                self.character(text[at])
                at += 1

    def character(self, character):
        if character == "\n":
            self.move(self.row + 1, self.column)
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character >= " ":
            if self.column >= self.columns:
                self.move(self.row + 1, 0)
            line = self.lines[self.row]
            line.extend([(" ", self.style)] * (self.column - len(line)))
            line[self.column:self.column + 1] = [(character, self.style)]
            self.column += 2 if unicodedata.east_asian_width(character) in "WF" else 1

    def move(self, row, column):
        self.row, self.column = max(0, row), column
        while self.row >= len(self.lines):
            self.lines.append([])

    def control(self, parameters, command):
        if parameters.startswith("?"):
            return
        numbers = [int(number or 0) for number in parameters.split(";")]
        count = numbers[0] or 1
        if command == "A":
            self.move(self.row - count, self.column)
        elif command == "B":
            self.move(self.row + count, self.column)
        elif command == "C":
            self.column += count
        elif command == "D":
            self.column = max(0, self.column - count)
        elif command == "G":
            self.column = count - 1
        elif command == "K":
            line = self.lines[self.row]
            line[:] = line[:self.column] if numbers[0] == 0 else []
        elif command == "J":
            del self.lines[self.row + 1:]
            del self.lines[self.row][self.column:]
        elif command == "m":
            self.paint(numbers)

    def paint(self, numbers):
        colour, bold, dim = self.style
        for number in numbers:
            if number == 0:
                colour, bold, dim = None, False, False
            elif number == 1:
                bold = True
            elif number == 2:
                dim = True
            elif number == 22:
                bold = dim = False
            elif number == 39:
                colour = None
            elif number in COLOURS:
                colour = COLOURS[number]
        self.style = (colour, bold, dim)


def runs(line):
    """The parts of a line with one style each, and their columns."""
    begin = 0
    for at in range(1, len(line) + 1):
        if at == len(line) or line[at][1] != line[begin][1]:
            yield begin, "".join(character for character, _ in line[begin:at]), line[begin][1]
            begin = at


def svg(text, columns):
    """The picture. It brings its own background, for light pages and dark ones."""
    screen = Screen(columns)
    screen.feed(text)
    lines = screen.lines
    while lines and not "".join(character for character, _ in lines[-1]).strip(" $"):
        lines.pop()
    width = round(columns * WIDTH + 2 * MARGIN)
    height = len(lines) * HEIGHT + BAR + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="A terminal: the first hour with popsync">',
        "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        "fill:#e6edf3;white-space:pre}.b{font-weight:bold}.d{opacity:.7}.p{fill:#7ee787}</style>",
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9" fill="#0d1117" '
        'stroke="#444c56"/>',
    ]
    for place, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        parts.append(f'<circle cx="{20 + 18 * place}" cy="17" r="5.5" fill="{colour}"/>')
    for row, line in enumerate(lines):
        y = BAR + HEIGHT * row + 14
        for begin, words, (colour, bold, dim) in runs(line):
            if not words.strip():
                continue
            classes = " ".join(name for name, has in [("b", bold), ("d", dim)] if has)
            if begin == 0 and words.startswith("$ "):
                classes = (classes + " p").strip()
            style = f' class="{classes}"' * bool(classes) + f' fill="{colour}" style="fill:{colour}"' * bool(colour)
            parts.append(f'<text x="{MARGIN + begin * WIDTH:.1f}" y="{y}" '
                         f'textLength="{len(words) * WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"{style}>'
                         f"{html.escape(words)}</text>")
    return "\n".join(parts + ["</svg>\n"])
