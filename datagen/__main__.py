"""``python -m datagen`` is ``dsocr-data``."""

from datagen.cli import main

if __name__ == "__main__":
    main()
