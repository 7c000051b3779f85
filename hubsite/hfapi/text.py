"""What a database can hold as text."""


def is_storable(text: str) -> bool:
    """False for NUL characters and for lone surrogates, which JSON can spell and no database stores."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
