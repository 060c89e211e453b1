"""What requests ask for in names, turned into what the model takes; the same for every door."""

import secrets
from dataclasses import dataclass
from functools import partial

from dsocr_jax.errors import UserError
from dsocr_jax.modes import find_mode
from dsocr_jax.prompts import IMAGE, prompt_text
from dsocr_jax.reading.asking import Ask
from dsocr_jax.reading.choose import Sampling
from dsocr_jax.reading.repetition import named_rule
from dsocr_jax.serving.errors import ApiError, of_user
from dsocr_jax.serving.fields import MAX_SHOWN, Fields, refuse
from dsocr_jax.serving.reading import Asking
from dsocr_jax.serving.settings import ServeOptions
from dsocr_jax.weights.checkpoint import LoadedModel

MAX_SEED = 2**31
MAX_TEMPERATURE = 2
DEFAULT_PROMPT = "free"


@dataclass(frozen=True)
class Names:
    """A model under the names that clients know: turns their fields into what is asked."""

    loaded: LoadedModel
    options: ServeOptions

    @property
    def models(self) -> list[str]:
        """The model's name, and its name with each mode."""
        name = self.options.name
        return [name, *(f"{name}:{mode.name}" for mode in self.loaded.config.modes)]

    def mode_of(self, model: str) -> str:
        """The mode that a model's name asks for, or nothing.

        Raises:
            ApiError: there is no such model.
        """
        known = self.models
        if model not in known:
            said = f"no model is called {model[:MAX_SHOWN]!r} (known: {', '.join(known)})"
            raise ApiError(404, said, "model", "model_not_found")
        return model.partition(":")[2]

    def ask(self, fields: Fields, tokens: tuple[str, ...], text: str = "", mode: str = "") -> Asking:
        """Read the fields that every door has.

        Args:
            fields: of the request.
            tokens: names that the limit on tokens goes by.
            text: a prompt that is given elsewhere.
            mode: a mode that is given elsewhere.

        Raises:
            ApiError: one of them is wrong.
        """
        if fields.has("prompt") and text:
            refuse("prompt", "is given as the message's text, too; leave one out")
        if fields.has("mode") and mode and fields.text("mode") != mode:
            refuse("mode", "another one is part of the model's name; leave one out")
        name = fields.text("mode") or mode or self.options.mode
        prompt = prompt_text(fields.text("prompt") or text or DEFAULT_PROMPT, fields.text("locate"))
        if prompt.count(IMAGE) != 1:
            refuse("prompt", f"holds {IMAGE} more than once; the model reads one picture at a time")
        given = [field for field in tokens if fields.has(field)]
        if len(given) > 1:
            refuse(given[1], f"is the same as {given[0]}; leave one out")
        limit = self.options.limits.max_new_tokens
        most = fields.whole(given[0], limit, 1, limit) if given else limit
        # Any whole number of 64 bits will do as a seed, as it does elsewhere.
        seed = fields.whole("seed", secrets.randbelow(MAX_SEED), -(2**63), 2**64) % MAX_SEED
        top_p = fields.number("top_p", 1, 0, 1)
        if top_p == 0:
            refuse("top_p", "must be above 0")
        sampling = Sampling(fields.number("temperature", 0, 0, MAX_TEMPERATURE), top_p, seed)
        rule = fields.text("no_repeat") or self.options.no_repeat
        try:
            field = "mode"
            chosen = find_mode(name, {known.name: known for known in self.loaded.config.modes})
            field = "no_repeat"
            named_rule(rule, self.loaded.tokenizer)
        except UserError as error:
            raise of_user(error, field) from None
        return partial(Ask, mode=chosen.name, prompt=prompt, rule=rule, sampling=sampling, max_new_tokens=most)
