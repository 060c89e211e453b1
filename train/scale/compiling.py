"""How the processes of the table compile."""


def set_up(keep: bool) -> bool:
    """Prepare JAX; return whether it runs on CPUs.

    Args:
        keep: keep compiled programs on disk.
    """
    import jax

    from dsocr_jax.reading.shapes import cache_folder, use_compile_cache

    if keep:
        use_compile_cache(cache_folder())
    on_cpu = jax.default_backend() == "cpu"
    if on_cpu:
        # There the table proves that everything runs; compiling well would take most of the time.
        jax.config.update("jax_disable_most_optimizations", True)
    return on_cpu
