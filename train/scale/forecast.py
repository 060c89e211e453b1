"""The predicted table: from lines in hand or from a file, as Markdown, with what it assumes."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from train.scale.collectives import Traffic
from train.scale.line import Check, Line
from train.scale.options import Links, Options
from train.scale.predict import Prediction, Sizes, axes_in_words, largest, predictions, step_of

#: Larger files are not read: a table has some kilobytes.
MAX_BYTES = 16 << 20


def forecast_file(path: Path, devices: Sequence[int], links: Links) -> int:
    """Print the prediction from a file that ``--out`` wrote.

    Raises:
        UserError: it is no such file.
    """
    lines, options = read_file(path)
    print(forecast(lines, options, devices, links, str(path)))
    return 0


def read_file(path: Path) -> tuple[list[Line], Options]:
    """Return the lines of a file, and the options that decide sizes.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than {MAX_BYTES >> 20} MiB; name a file that --out wrote")
        said = json.loads(path.read_text())
        chosen = {name: said["options"][name] for name in ("preset", "rows", "dtype", "first_moment")}
        return [line_of(row) for row in said["rows"]], Options(**chosen)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no table of `dsocr bench scale --out` ({type(error).__name__}: {error})") from error


def line_of(row: Mapping[str, Any]) -> Line:
    """Return a line from its form as JSON."""
    traffic, checks = (row.get(name, ()) for name in ("traffic", "checks"))
    fields = {field.name: row[field.name] for field in dataclasses.fields(Line) if field.name in row}
    return Line(**{
        **fields,
        "traffic": tuple(Traffic(**one) for one in traffic),
        "checks": tuple(Check(**one) for one in checks),
    })  # fmt: skip


def forecast(lines: Sequence[Line], options: Options, devices: Sequence[int], links: Links, source: str) -> str:
    """Return the predicted table as Markdown.

    Args:
        lines: that were measured.
        options: of their run; preset and dtype must be said.
        devices: numbers to predict for.
        links: see there.
        source: where the lines come from.

    Raises:
        UserError: there is nothing to predict from.
    """
    if not devices or min(devices) < 1:
        raise UserError("--predict takes numbers of devices, such as 8 64 160")
    several = [line for line in largest(lines) if line.milliseconds is None or step_of(line, links)]
    if not several:
        raise UserError(f"{source}: no line of several devices with a trace, and one of one device beside it")
    sizes = count_sizes(several, options, devices)
    found = [one for count in devices for one in predictions(lines, sizes, count, links)]
    if not found:
        raise UserError(f"{source}: predictions need the lines of one device, too (--devices 1 ...)")
    return "\n".join([*_table(found), "", *assumptions(several, links, source)])


def _table(found: Sequence[Prediction]) -> list[str]:
    head = ("devices", "line (all figures predicted)", "all together", "a device", "efficiency")
    rows = [(*head, "sent, GB a device and step", "communicating, ms", "GB a device"), ("---",) * 8]
    for one in found:
        digits = 1 if one.unit == "pages" else 0
        each = sorted({f"{rate / one.devices:,.{digits}f}" for rate in (one.least, one.most)})
        shares = dict.fromkeys(f"{one.efficiency(rate):.1%}" for rate in (one.least, one.most))
        rates = dict.fromkeys(f"{rate:,.{digits}f}" for rate in (one.least, one.most))
        rows.append((
            str(one.devices), one.name, f"{' to '.join(rates)} {one.unit}/s", " to ".join(each), " to ".join(shares),
            f"{one.sent / 1e9:,.3g}", f"{1e3 * one.communication:,.0f}",
            "" if one.gigabytes is None else f"{one.gigabytes:,.1f}",
        ))  # fmt: skip
    return [f"| {' | '.join(row)} |" for row in rows]


def assumptions(several: Sequence[Line], links: Links, source: str) -> list[str]:
    """Return what the predictions assume, a line each."""
    said = [
        f"Predicted, not measured, from {source}. Assumed:",
        f"- links of {links.inside:g} GB/s each way between devices of a host, {links.between:g} Gb/s for each device "
        f"between hosts of {links.host}, and {links.latency:g} microseconds for each step of a ring between hosts;",
    ]
    for line in several:
        if (step := step_of(line, links)) is not None:
            said.append(
                f"- {line.name}: {step.used:.0%} of the link's speed reached, {step.hidden:.0%} of the communication "
                "hidden, as measured; the same share of the speed between hosts;"
            )
    return [
        *said,
        "- every device has as much to do as in the measurement, and computes as fast; hosts are equally fast;",
        "- first figure: nothing of the communication beyond the measured one is hidden; second: the same share of it;",
        "- `fsdp n`: one ring through all devices that leaves a host by all its links at once;",
        "- `x data n`: copies of the measured mesh, whose gradients are added up once a step in the type of the "
        "computation, each part in a ring through all copies;",
        "- input is never waited for, nothing else uses the links, and reading hosts share nothing.",
    ]


def count_sizes(lines: Sequence[Line], options: Options, devices: Sequence[int]) -> dict[tuple[str, str], Sizes]:
    """Return the bytes of a device for each line's mesh, and for parameters split over each number of devices."""
    found: dict[tuple[str, str], Sizes] = {}
    config, works = options.training(on_cpu=False)
    for work in works:
        meshes = [dict(line.axes) for line in lines if line.work == work.name and line.milliseconds is not None]
        if meshes:
            meshes += [{"fsdp": count} for count in devices]
        found |= {(work.name, axes_in_words(axes)): size for axes, size in _sizes(config, work, meshes)}
    return found


def _sizes(config: Any, work: Any, meshes: Sequence[dict[str, int]]) -> list[tuple[dict[str, int], Sizes]]:
    import jax.numpy as jnp

    from train.optimizer import make_optimizer
    from train.scale.plan import task
    from train.setup import abstract_state
    from train.sharding import abstract_mesh, sharding_table
    from train.trained import is_trained

    config = dataclasses.replace(config, freeze=work.freeze)
    abstract: Any = abstract_state(config, make_optimizer(config)) if meshes else None
    width = jnp.dtype(config.compute_dtype).itemsize
    found = []
    for axes in meshes:
        mesh = abstract_mesh(task(work, **axes).mesh, math.prod(axes.values()))
        rows = sharding_table(abstract.params, mesh)
        moments = sharding_table(abstract.opt_state, mesh)
        trained = [row for row in rows if is_trained(row.name, config)]
        elements = sum(row.bytes_per_device / jnp.dtype(row.dtype).itemsize for row in trained)
        state = sum(row.bytes_per_device for row in (*rows, *moments))
        found.append((axes, Sizes(elements * width, state)))
    return found
