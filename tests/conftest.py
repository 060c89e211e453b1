"""Settings for every test: the CPU alone, as eight devices, exact matrix products, array shapes checked."""

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_default_matmul_precision", "highest")

# The shapes that the model's signatures promise are checked at every call; outside the tests they cost nothing.
install_import_hook(["dsocr_jax.model", "dsocr_jax.reading.repetition"], "beartype.beartype")
