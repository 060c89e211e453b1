"""The documented prompts of the released model, by name."""

#: The placeholder that stands for the picture in a prompt.
IMAGE = "<image>"

PROMPTS = {
    "markdown": f"{IMAGE}\n<|grounding|>Convert the document to markdown.",
    "ocr": f"{IMAGE}\n<|grounding|>OCR this image.",
    "free": f"{IMAGE}\nFree OCR.",
    "figure": f"{IMAGE}\nParse the figure.",
    "describe": f"{IMAGE}\nDescribe this image in detail.",
    "locate": f"{IMAGE}\nLocate <|ref|>{{text}}<|/ref|> in the image.",
}


def prompt_text(name: str, text: str = "") -> str:
    """Return the prompt called ``name``; any other string is taken as a prompt itself.

    Args:
        name: a key of `PROMPTS`, or free text (``<image>`` is put in front when it is missing).
        text: what to look for, for ``locate`` only.
    """
    if name in PROMPTS:
        return PROMPTS[name].replace("{text}", text)
    return name if IMAGE in name else f"{IMAGE}\n{name}"
