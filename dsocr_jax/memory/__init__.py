"""Optical memory: a history drawn as pages whose resolution falls with age, under a budget of vision tokens.

The paper (section 5, on forgetting) proposes it: what was said long ago is kept as a picture, and the picture is made
smaller as it ages, so that it costs less and says less.

    memory = Memory()
    memory.add("How far is the Moon?", role="user")
    memory.add("On average 384,400 km.", role="assistant")
    rendered = memory.render(budget=1000)
    rendered.tokens, [(page.mode.name, page.image) for page in rendered.pages]
    vision = encode(rendered, reader)
"""

from dsocr_jax.memory.encode import encode
from dsocr_jax.memory.history import Memory, Turn
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.rendered import MemoryPage, Rendered
from dsocr_jax.memory.store import load, save

__all__ = ["Memory", "MemoryOptions", "MemoryPage", "Rendered", "Turn", "encode", "load", "save"]
