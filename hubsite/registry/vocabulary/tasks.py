"""The tasks that adapters are indexed by. Slugs are the first AdapterHub's, so its cards keep their place."""

from typing import Final

# slug: (name, one sentence)
TASKS: Final[dict[str, tuple[str, str]]] = {
    "argument": ("Argument mining", "Find claims and premises in a text and how they support each other."),
    "chunk": ("Phrase chunking", "Cut a sentence into its noun, verb and other phrases."),
    "comsense": (
        "Common-sense reasoning",
        "Choose the answer that everyday knowledge of the world suggests.",
    ),
    "deprel": (
        "Dependency relations",
        "Name the grammatical relation between a word and the word it hangs on.",
    ),
    "dialect": ("Dialect detection", "Tell which regional variety of a language a text is written in."),
    "dp": (
        "Dependency parsing",
        "Draw the tree of grammatical dependencies between the words of a sentence.",
    ),
    "emotion": ("Emotion classification", "Tell which feeling, such as joy or anger, a text expresses."),
    "formality_classify": ("Formality classification", "Tell formal writing from casual writing."),
    "ged": ("Grammatical error detection", "Mark the words of a sentence that are grammatically wrong."),
    "lingaccept": ("Linguistic acceptability", "Judge whether a sentence sounds right to a native speaker."),
    "lm": (
        "Language modelling",
        "Predict words from their context; the usual way to adapt to a language or field.",
    ),
    "mlki": (
        "Multilingual knowledge integration",
        "Bring facts and entities of knowledge bases in many languages into a model.",
    ),
    "mt": ("Machine translation", "Say in one language what a text says in another."),
    "ner": ("Named entity recognition", "Mark the people, places, organisations and other names in a text."),
    "nli": (
        "Natural language inference",
        "Tell whether one sentence follows from, contradicts or leaves open another.",
    ),
    "pos": ("Part-of-speech tagging", "Label each word as noun, verb, adjective and so on."),
    "qa": ("Question answering", "Answer a question, from a given text or from what the model knows."),
    "quality_estimation": (
        "Translation quality estimation",
        "Rate a translation without a reference to compare it to.",
    ),
    "rc": ("Reading comprehension", "Answer questions about a passage that must be understood to do so."),
    "semtag": (
        "Semantic tagging",
        "Label each word with what it contributes to the meaning of the sentence.",
    ),
    "sentiment": ("Sentiment analysis", "Tell whether a text speaks well or badly of its subject."),
    "sts": ("Semantic textual similarity", "Rate how close two texts are in meaning."),
    "sum": ("Summarisation", "Say the essential of a long text in a short one."),
    "text-classification": ("Text classification", "Put a text into one or more of a set of given classes."),
    "wikiann": (
        "Multilingual name tagging",
        "Mark names in Wikipedia text of many languages, as in the WikiAnn set.",
    ),
    "wordsense": ("Word sense disambiguation", "Tell which of its meanings a word has in its context."),
}
