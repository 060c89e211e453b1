"""``python -m train.scale`` is ``dsocr bench scale``."""

from train.scale.command import main

if __name__ == "__main__":
    main()
