"""``python -m train.bench`` is ``dsocr bench train``."""

from train.bench.command import main

if __name__ == "__main__":
    main()
