"""What a compiled program moves between devices: its collective operations, counted from the text of the program.

The text is ``compiled.as_text()``: a program for one device, after partitioning. Operations in the body of a loop
count as often as the loop runs (``known_trip_count``); a loop whose turns the compiler does not know counts once, and
is told. All branches of a condition count.
"""

import dataclasses
import math
import re
from collections import defaultdict
from collections.abc import Iterator

#: Bytes of an element; what stands nowhere here (tokens) takes none.
_WIDTHS = {"pred": 1, "s4": 0.5, "u4": 0.5, "c64": 8, "c128": 16}
_WIDTH = re.compile(r"^(?:s|u|f|bf|f8\w*?)(\d+)\w*$")

_KINDS = (
    "all-gather",
    "all-reduce",
    "reduce-scatter",
    "collective-permute",
    "collective-broadcast",
    "all-to-all",
    "ragged-all-to-all",
    "send",
)
_PARTITIONS = re.compile(r"\bnum_partitions=(\d+)")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.-]+) \(.*\{$")
_MOVES = re.compile(r" (?:[\w-]*(?:all|collective|reduce)-[\w-]+|send)\(")
_OPCODE = re.compile(r"\s*([\w-]+)\(")
_ARRAY = re.compile(r"\b(\w+)\[([\d,]*)\]")
_NOTE = re.compile(r"/\*.*?\*/")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_CALLED = re.compile(r"\b(?:calls|to_apply|body|condition|true_computation|false_computation)=%?([\w.-]+)")
_SEVERAL = re.compile(r"\b(?:branch_computations|called_computations)=\{([^}]*)\}")
#: The forms in which the devices of a group are written: lists, a reshaped range, axes of a mesh.
_LISTS = re.compile(r"replica_groups=\{\{([\d,]*)\}")
_RANGE = re.compile(r"replica_groups=\[(\d+),(\d+)\]<=")
_MESH = re.compile(r"replica_groups=mesh\[([^\]]*)\][^{]*\{([^}]*)\}")
_AXIS = re.compile(r"'([^']+)'(?::\(\d+\)(\d+))?")


@dataclasses.dataclass(frozen=True)
class Traffic:
    """Collective operations of one kind over groups of one size, in one run of the program, for one device.

    Attributes:
        kind: ``all-gather``, ``all-reduce``, ``reduce-scatter``, ``collective-permute``, ``all-to-all``, ...
        group: devices that take part in one operation.
        count: operations.
        operands: bytes of their operands.
        sent: bytes that a device sends in a ring (`sent_in_a_ring`).
    """

    kind: str
    group: int
    count: int
    operands: float
    sent: float


def count_traffic(text: str) -> tuple[Traffic, ...]:
    """Return the collective operations of a compiled program, those that send most first.

    Args:
        text: the program, as ``compiled.as_text()`` gives it.
    """
    computations, entry = _computations(text)
    found = _PARTITIONS.search(text)
    devices = int(found[1]) if found else 1
    times = _executions(computations, entry)
    sums: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for name, instructions in computations.items():
        for kind, one in _collectives(instructions) if times[name] else ():
            group = _group(one.rest, devices)
            if group == 1:
                continue
            operands = sum(_bytes(_instruction(instructions.get(operand, "")).type) for operand in one.operands)
            total = sums[kind, group]
            total[0] += times[name]
            total[1] += times[name] * operands
            total[2] += times[name] * sent_in_a_ring(kind, group, operands)
    every = [Traffic(kind, group, int(n), operands, sent) for (kind, group), (n, operands, sent) in sums.items()]
    return tuple(sorted(every, key=lambda one: -one.sent))


def unknown_loops(text: str) -> int:
    """Return how many loops with collective operations inside have no known number of turns."""
    computations, _ = _computations(text)
    inside = {name for name, instructions in computations.items() if any(_collectives(instructions))}
    loops = (line for instructions in computations.values() for line in instructions.values() if " while(" in line)
    return sum(not _TRIPS.search(line) and any(called in inside for called in _called(line)) for line in loops)


def collective_names(text: str) -> frozenset[str]:
    """Return the names of the instructions of a program that move data between devices, and of those that begin them.

    In a trace operations have these names, which may be those of JAX (``ppermute.3``) and not of the operation.
    """
    computations, _ = _computations(text)
    found: set[str] = set()
    for instructions in computations.values():
        for name, line in instructions.items():
            wraps = " async-start(" in line and any(
                any(_collectives(computations.get(one, {}))) for one in _called(line)
            )
            if wraps or any(_collectives({name: line})):
                found.add(name)
    return frozenset(found)


def sent_in_a_ring(kind: str, group: int, operands: float) -> float:
    """Return the bytes that each of ``group`` devices sends, where an operation's operand has ``operands`` bytes.

    Rings send the least that is possible without help of the switches: an all-gather hands each part on to all others,
    a reduce-scatter sends all but the own part, an all-reduce is both behind each other.
    """
    others = group - 1
    return operands * {
        "all-gather": others,
        "all-reduce": 2 * others / group,
        "reduce-scatter": others / group,
        "all-to-all": others / group,
        "ragged-all-to-all": others / group,
    }.get(kind, 1)


@dataclasses.dataclass(frozen=True)
class _Instruction:
    """A line of the program; ``rest`` is what stands behind the operands."""

    type: str
    opcode: str
    operands: tuple[str, ...]
    rest: str


def _computations(text: str) -> tuple[dict[str, dict[str, str]], str]:
    """Return the lines of each computation by the names that they define, and the computation that is run."""
    found: dict[str, dict[str, str]] = {}
    current, entry = "", ""
    for line in text.splitlines():
        if head := _COMPUTATION.match(line):
            current = head[2]
            found[current] = {}
            entry = current if head[1] else entry
        elif current:
            name, equals, said = line.partition(" = ")
            if equals:
                found[current][name.split()[-1].lstrip("%")] = said
    return found, entry


def _collectives(instructions: dict[str, str]) -> Iterator[tuple[str, _Instruction]]:
    """Yield (kind, instruction) of what moves data between devices; few lines need to be looked at closely."""
    for line in instructions.values():
        if _MOVES.search(line):
            one = _instruction(line)
            kind = one.opcode.removesuffix("-start")
            if kind in _KINDS and "is_host_transfer=true" not in one.rest:
                yield kind, one


def _instruction(line: str) -> _Instruction:
    line = _NOTE.sub("", line)
    end = _closing(line, 0) if line.startswith("(") else line.find(" ")
    kind = _OPCODE.match(line, end) if end >= 0 else None
    if kind is None:
        return _Instruction(line, "", (), "")
    close = _closing(line, kind.end() - 1)
    # An operand is a name, which may have its type before it.
    operands = tuple(word.split()[-1].lstrip("%") for word in _split(line[kind.end() : close - 1]))
    return _Instruction(line[:end], kind[1], operands, line[close:])


def _closing(text: str, start: int) -> int:
    """Return the place behind the bracket that closes the one at ``start``."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth == 0:
            return place + 1
    return len(text)


def _split(text: str) -> Iterator[str]:
    """Yield what stands between commas outside all brackets."""
    start = depth = 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    if text[start:].strip():
        yield text[start:].strip()


def _called(line: str) -> list[str]:
    several = [word.strip().lstrip("%") for one in _SEVERAL.findall(line) for word in one.split(",")]
    return [*_CALLED.findall(line), *several]


def _executions(computations: dict[str, dict[str, str]], entry: str) -> dict[str, int]:
    """Return how often each computation runs; those that are called stand before their callers."""
    times = dict.fromkeys(computations, 0)
    if entry:
        times[entry] = 1
    for name in reversed(computations):
        for line in computations[name].values() if times[name] else ():
            turns = _TRIPS.search(line) if " while(" in line else None
            for called in _called(line):
                if called in times:
                    times[called] += times[name] * (int(turns[1]) if turns else 1)
    return times


def _bytes(type_: str) -> float:
    """Return the bytes of all arrays of a type."""
    return sum(
        _width(name) * math.prod(int(size) for size in sizes.split(",") if size)
        for name, sizes in _ARRAY.findall(type_)
    )


def _width(name: str) -> float:
    if name in _WIDTHS:
        return _WIDTHS[name]
    bits = 8 if name.startswith("f8") else int(found[1]) if (found := _WIDTH.match(name)) else 0
    return bits / 8


def _group(rest: str, devices: int) -> int:
    """Return how many devices take part; no groups are one of all, and pairs of a permutation are two."""
    if "source_target_pairs=" in rest or "_xla_send_recv" in rest:
        return 2
    if found := _LISTS.search(rest):
        return len(found[1].split(","))
    if found := _RANGE.search(rest):
        return int(found[2])
    if found := _MESH.search(rest):
        sizes = {name: int(size) for name, size in re.findall(r"'([^']+)'=(\d+)", found[1])}
        return math.prod(int(part) if part else sizes[name] for name, part in _AXIS.findall(found[2]))
    return devices
