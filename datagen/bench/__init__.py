"""How fast samples are made: `dsocr-data bench`."""
