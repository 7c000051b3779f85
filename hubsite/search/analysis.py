"""How text becomes words: the same analyzer for documents and for queries."""

import functools

import tantivy

ANALYZER = "words"

# Scripts written without blanks become one word per character, found again as phrases.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}"
_WORD = rf"[{_UNSPACED}]|[\p{{L}}\p{{M}}\p{{N}}--{_UNSPACED}]+"

# Longer words are noise (base64, hashes of whole files) and would only swell the index.
_MAX_WORD = 80

# Words that carry nothing in a query such as "lora for sentiment"; they count when nothing else is asked.
_FILLERS = {"a", "an", "and", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"}


@functools.cache
def analyzer() -> tantivy.TextAnalyzer:
    """Letters and digits, in lower case and without accents; everything else separates."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_WORD))
    for step in (
        tantivy.Filter.remove_long(_MAX_WORD),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
    ):
        builder = builder.filter(step)
    return builder.build()


def clean(text: str) -> str:
    """The text without what no index or database can hold: lone surrogates and NUL become question marks."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode()


def query_words(text: str) -> list[str]:
    """The words to look for, in order; any character is just text."""
    words = analyzer().analyze(clean(text))
    telling = [word for word in words if word not in _FILLERS]
    return telling or words
