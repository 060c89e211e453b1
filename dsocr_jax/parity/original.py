"""The original PyTorch model: loaded with its own code, run, and listened to at every part. Needs no JAX."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dsocr_jax.errors import UserError

#: The version that the released model names; later ones no longer run its code.
TRANSFORMERS = "4.46.3"
#: Names of what the modules of the original return, by the modules' names; ``{}`` is a number.
TAPS = {
    r"model\.sam_model\.patch_embed": "tap_sam_patch",
    r"model\.sam_model\.blocks\.(\d+)": "tap_sam_block{}",
    r"model\.sam_model\.neck": "tap_sam_neck",
    r"model\.sam_model\.net_2": "tap_sam_net2",
    r"model\.sam_model": "sam",
    r"model\.vision_model\.embeddings": "tap_clip_embed",
    r"model\.vision_model\.pre_layrnorm": "tap_clip_preln",
    r"model\.vision_model\.transformer\.layers\.(\d+)": "tap_clip_layer{}",
    r"model\.vision_model": "clip",
    r"model\.projector": "proj",
    r"model\.layers\.(\d+)": "tap_dec_layer{}",
    r"model\.norm": "tap_dec_norm",
}
GATE = r"model\.layers\.(\d+)\.mlp\.gate"


def load_original(folder: Path, run_model_code: bool) -> Any:
    """Load the model in float32, by the Python files in its folder.

    Raises:
        UserError: running those files was not allowed, or something that they need is missing.
    """
    files = sorted(file.name for file in folder.glob("*.py"))
    if not files or not (folder / "config.json").is_file():
        raise UserError(f"{folder}: holds no config.json with its Python files; download the whole released folder")
    if not run_model_code:
        raise UserError(
            f"{folder}: recording runs {', '.join(files)} from that folder. They are not part of this program and can "
            "do whatever you can: read or change your files, use your network. Read them first; if you trust them, say "
            "--run-model-code"
        )
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UserError(
            f"recording needs PyTorch and transformers {TRANSFORMERS} ({error}); install the extra 'parity'"
        ) from error
    if transformers.__version__ != TRANSFORMERS:
        raise UserError(
            f"transformers {transformers.__version__} is installed, and the original's code needs {TRANSFORMERS}; "
            "use an environment of its own for recording"
        )
    try:
        model = transformers.AutoModel.from_pretrained(
            folder,
            trust_remote_code=True,
            local_files_only=True,
            use_safetensors=True,
            torch_dtype=torch.float32,
            attn_implementation="eager",
        )
    except (ImportError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder}: the original could not be loaded ({error})") from error
    return model.eval()


class Listener:
    """Outputs of the original's parts, in the order of the calls: local views come before the global one."""

    def __init__(self, model: Any):
        self._calls: dict[str, list[np.ndarray]] = {}
        self._model = model

    @contextlib.contextmanager
    def listening(self) -> Iterator["Listener"]:
        """Note every part's output for a while."""
        self._calls.clear()
        handles = []
        for name, module in self._model.named_modules():
            if gate := re.fullmatch(GATE, name):
                handles.append(module.register_forward_hook(self._route(int(gate[1]))))
            for pattern, tap in TAPS.items():
                if match := re.fullmatch(pattern, name):
                    handles.append(module.register_forward_hook(self._note(tap.format(*match.groups()))))
            if name == "model.layers.0":
                handles.append(module.register_forward_pre_hook(self._embedded, with_kwargs=True))
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def arrays(self, tiled: bool) -> dict[str, np.ndarray]:
        """Return what was noted by the fixtures' names; taps are of the global view."""
        found: dict[str, np.ndarray] = {}
        for name, calls in self._calls.items():
            if name in ("sam", "clip", "proj"):
                found |= {f"{name}_global": calls[-1]} | ({f"{name}_local": calls[0]} if tiled else {})
            else:
                found[name] = calls[-1]
        return found

    def _note(self, name: str) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            value = output[0] if isinstance(output, tuple) else output
            self._calls.setdefault(name, []).append(value.detach().float().numpy().copy())

        return hook

    def _embedded(self, _: Any, args: Any, kwargs: Any) -> None:
        value = args[0] if args else kwargs["hidden_states"]
        self._calls.setdefault("embedded", []).append(value.detach().float().numpy().copy())

    def _route(self, layer: int) -> Any:
        import torch

        def hook(module: Any, args: Any, output: Any) -> None:
            chosen, weights = output[0], output[1]
            order = chosen.argsort(dim=-1)
            logits = args[0].reshape(-1, args[0].shape[-1]).float() @ module.weight.float().T
            best = torch.topk(logits, chosen.shape[-1] + 1, dim=-1).values
            values = {
                "experts": chosen.gather(-1, order).to(torch.int16),
                "weights": weights.gather(-1, order).float(),
                "margin": best[:, -2] - best[:, -1],
            }
            for name, value in values.items():
                self._calls.setdefault(f"router{layer}_{name}", []).append(value.detach().numpy().copy())

        return hook
