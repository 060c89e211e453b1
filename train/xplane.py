"""What a trace file of JAX's profiler holds: which operation ran when, and where in the program it comes from."""

import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError

#: Larger files are not read: a trace of some steps has megabytes.
MAX_BYTES = 2 << 30

#: The fields that are read, by message: name → (number, type, repeated); other fields are passed over.
_MESSAGES: dict[str, dict[str, tuple[int, str, bool]]] = {
    "Space": {"planes": (1, "Plane", True)},
    "Plane": {"name": (2, "string", False), "events": (4, "EventEntry", True)},
    "EventEntry": {"value": (2, "Event", False)},
    "Event": {"name": (2, "string", False), "stats": (5, "Stat", True)},
    "Stat": {"program": (6, "bytes", False)},
    "Hlo": {"module": (1, "Module", False)},
    "Module": {"name": (1, "string", False), "computations": (3, "Computation", True)},
    "Computation": {"id": (5, "int64", False), "instructions": (2, "Instruction", True)},
    "Instruction": {
        "name": (1, "string", False),
        "opcode": (2, "string", False),
        "metadata": (7, "Metadata", False),
        "calls": (38, "int64", True),
    },
    "Metadata": {"op_name": (2, "string", False)},
}

_TEXT_MODULE = re.compile(r"^HloModule ([\w.-]+)", re.MULTILINE)
_TEXT_INSTRUCTION = re.compile(
    r'^\s*(?:ROOT )?%?([\w.-]+) = .*metadata=\{[^}]*op_name="((?:[^"\\]|\\.)*)"', re.MULTILINE
)


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation that ran on a device.

    Attributes:
        device: name of the device, or of what stands for it.
        lane: stream or thread that it ran on.
        name: of the instruction, or of the kernel where that is not known.
        source: ``op_name`` of the instruction: the path of named scopes and primitives; empty where it is not known.
        start: seconds.
        span: seconds from its start to its end.
        seconds: that it took, without those of operations inside it.
    """

    device: str
    lane: str
    name: str
    source: str
    start: float
    span: float
    seconds: float


#: Instruction → op_name, by program: its name with its number, and its name alone.
Programs = dict[str, dict[str, str]]


def find_trace(folder: Path) -> Path:
    """Return the newest trace file below ``folder``.

    Raises:
        UserError: there is none, or it is too large.
    """
    files = sorted(folder.glob("**/*.xplane.pb"), key=lambda file: file.stat().st_mtime)
    if not files:
        raise UserError(f"{folder} holds no trace (*.xplane.pb); --profile N writes one")
    if files[-1].stat().st_size > MAX_BYTES:
        raise UserError(f"{files[-1]} is larger than {MAX_BYTES >> 20} MiB; trace fewer steps")
    return files[-1]


def read_programs(data: bytes) -> Programs:
    """Return what each compiled program says of its instructions; the profiler puts them beside the events."""
    found: Programs = {}
    for plane in _message("Space")(data).planes:
        for entry in plane.events:
            for stat in entry.value.stats:
                if stat.program:
                    module = _message("Hlo")(stat.program).module
                    found[entry.value.name] = names = _op_names(module)
                    found.setdefault(module.name, {}).update(names)
    return found


def _op_names(module: Any) -> dict[str, str]:
    """Return instruction → op_name; one without has that of the last one inside it, or of what it is inside of."""
    parts = {part.id: part for part in module.computations}
    names, callers = {}, {}
    for part in module.computations:
        for one in part.instructions:
            inner = [x.metadata.op_name for call in one.calls for x in parts[call].instructions if x.metadata.op_name]
            names[one.name] = one.metadata.op_name or (inner[-1] if inner and one.opcode == "fusion" else "")
            callers.update(dict.fromkeys(one.calls, (part.id, one.name)))
    for part in module.computations:
        for one in part.instructions:
            outer = part.id
            while not names[one.name] and outer in callers:
                outer, caller = callers[outer]
                names[one.name] = names[caller]
    return names


def read_text(text: str) -> Programs:
    """Return the same from compiled programs as text (``compiled.as_text()``), several behind each other or one."""
    found: Programs = {}
    # What the pattern splits at: text before the first program, then names and bodies in turn.
    _, *parts = _TEXT_MODULE.split(text)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        found.setdefault(name, {}).update({one[1]: one[2] for one in _TEXT_INSTRUCTION.finditer(body)})
    return found


def operations(file: Path, hlo_text: str = "") -> list[Operation]:
    """Return what ran on the devices of a trace.

    Args:
        file: see `find_trace`.
        hlo_text: programs that the trace does not hold.
    """
    from jax.profiler import ProfileData

    data = file.read_bytes()
    programs = {**read_text(hlo_text), **read_programs(data)}
    planes = list(ProfileData.from_serialized_xspace(data).planes)
    devices = [plane for plane in planes if plane.name.startswith("/device:") and list(plane.lines)]
    found: list[Operation] = []
    for plane in devices or [plane for plane in planes if plane.name == "/host:CPU"]:
        lines = list(plane.lines)
        own = [line for line in lines if line.name == "XLA Ops"] or [
            line for line in lines if not devices or line.name.startswith("Stream")
        ]
        for number, line in enumerate(own):
            found += _of_line(plane.name, f"{line.name} {number}", line.events, programs, bool(devices))
    return found


def _of_line(device: str, lane: str, events: Any, programs: Programs, kernels: bool) -> Iterator[Operation]:
    """The operations of one stream or thread; those that hold others (loops) count without them.

    Nothing holds others on a GPU: what overlaps there was launched together and runs side by side.
    """
    found = []
    for event in events:
        stats = dict(event.stats)
        if kernels or "hlo_op" in stats:
            found.append((event.start_ns, -event.duration_ns, event.name, stats))
    found.sort(key=lambda one: one[:2])
    open_until: list[tuple[float, int]] = []  # ends of what is open, and their places
    inside = [0.0] * len(found)
    for place, (start, negative, _, _) in enumerate(found):
        while open_until and open_until[-1][0] <= start:
            open_until.pop()
        if open_until:
            inside[open_until[-1][1]] -= negative
        if not device.startswith("/device:GPU"):
            open_until.append((start - negative, place))
    for (start, negative, kernel, stats), within in zip(found, inside, strict=True):
        name = str(stats.get("hlo_op", kernel))
        where = f"{device} {stats['device_ordinal']}" if not kernels and "device_ordinal" in stats else device
        source = _source(stats, name, kernel, programs)
        yield Operation(where, lane, name, source, start / 1e9, -negative / 1e9, (-negative - within) / 1e9)


def _source(stats: dict[str, Any], name: str, kernel: str, programs: Programs) -> str:
    """The op_name of an instruction; kernels of one that is not named often carry its name with other signs."""
    module, number = str(stats.get("hlo_module", "")), stats.get("program_id")
    tables = [programs[key] for key in (f"{module}({number})", module) if key in programs]
    for table in tables or list(programs.values()):
        # The name may have those of the loops and calls that the operation runs in before it.
        for key in (*reversed(name.split("::")), kernel, _as_instruction(kernel)):
            if table.get(key):
                return table[key]
    given = stats.get("tf_op") or stats.get("name") or ""
    return str(given) if "/" in str(given) else ""


def _as_instruction(kernel: str) -> str:
    """``loop_add_fusion_12`` is the kernel of ``loop_add_fusion.12``."""
    return re.sub(r"_(\d+)$", r".\1", kernel)


@cache
def _message(name: str) -> Any:
    """Return a reader of the message ``name``: a class whose instances have its fields."""
    from google.protobuf import (
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    types = descriptor_pb2.FieldDescriptorProto
    kinds = {"string": types.TYPE_STRING, "bytes": types.TYPE_BYTES, "int64": types.TYPE_INT64}
    file = descriptor_pb2.FileDescriptorProto(name="dsocr_xplane.proto", package="dsocr_xplane", syntax="proto3")
    for title, fields in _MESSAGES.items():
        message = file.message_type.add(name=title)
        for label, (number, kind, repeated) in fields.items():
            field = message.field.add(name=label, number=number)
            field.label = types.LABEL_REPEATED if repeated else types.LABEL_OPTIONAL
            if kind in _MESSAGES:
                field.type, field.type_name = types.TYPE_MESSAGE, f".dsocr_xplane.{kind}"
            else:
                field.type = kinds[kind]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)

    def read(data: bytes) -> Any:
        found = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"dsocr_xplane.{name}"))()
        found.ParseFromString(data)
        return found

    return read
