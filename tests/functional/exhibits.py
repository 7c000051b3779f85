"""The adapters of the gallery, as data: many methods, backbones, languages, scores, lengths of name."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.functional.validations import Scored


@dataclass(frozen=True)
class Shape:
    """What an adapter must know of its backbone."""

    id: str
    model_type: str
    hidden: int
    layers: int
    parameters: int


MINILM = Shape("sentence-transformers/all-MiniLM-L6-v2", "bert", 384, 6, 22_713_216)
BERT = Shape("google-bert/bert-base-multilingual-cased", "bert", 768, 12, 177_853_440)
ROBERTA = Shape("FacebookAI/xlm-roberta-large-finetuned-conll03", "xlm-roberta", 1024, 24, 558_840_832)


@dataclass(frozen=True)
class Made:
    """One adapter of the gallery. `scored` None: its task has no suite."""

    owner: str
    name: str
    config: str
    backbone: Shape
    task: str
    dataset: str
    summary: str
    languages: Sequence[str] = ("en",)
    scored: Scored | None = None
    claimed: float | None = None
    days: float = 1
    downloads: int = 0
    private: bool = False
    license: str = "apache-2.0"
    body: str = ""


LONG = "cross-lingual-review-sentiment-from-forty-seven-annotators-2026-b"

ADAPTERS = (
    Made(
        "demo",
        "sentiment-lora",
        "lora[r=8]",
        MINILM,
        "sentiment",
        "project-sentences",
        "Tells whether an English sentence is positive or negative.",
        scored=Scored(0.921, 0.89, 0.948),
        claimed=0.93,
        days=3,
        downloads=1240,
    ),
    Made(
        "demo",
        "sentiment-seq-bn",
        "seq_bn",
        MINILM,
        "sentiment",
        "project-sentences",
        "The same task with a bottleneck behind every feed-forward block.",
        scored=Scored(0.908, 0.872, 0.939),
        days=3.2,
        downloads=412,
    ),
    Made(
        "alice",
        "reviews-houlsby",
        "double_seq_bn[reduction_factor=8]",
        MINILM,
        "sentiment",
        "imdb",
        "Film reviews, two bottlenecks a layer.",
        scored=Scored(0.883, 0.845, 0.918),
        days=20,
        downloads=87,
    ),
    Made(
        "alice",
        "reviews-parallel",
        "par_bn",
        MINILM,
        "sentiment",
        "rotten-tomatoes",
        "A wide bottleneck beside the feed-forward block.",
        scored=Scored(0.896, 0.858, 0.928),
        claimed=0.95,
        days=41,
        downloads=9_820,
    ),
    Made(
        "linguistics-lab-of-the-north",
        LONG,
        "lora[r=64,alpha=128,targets=[q,k,v,o,up,down]]",
        BERT,
        "sentiment",
        "amazon-reviews-multi",
        "Reviews in four languages, every linear map of the layer adapted.",
        languages=("de", "en", "fr", "sw"),
        scored=Scored(0.874, 0.834, 0.909),
        days=400,
        downloads=1_203_000,
        license="cc-by-nc-sa-4.0",
    ),
    Made(
        "bob",
        "tweets-tiny-rank",
        "lora[r=1,targets=[v]]",
        MINILM,
        "sentiment",
        "tweet-eval",
        "The smallest update that still helps.",
        scored=Scored(0.861, 0.82, 0.898),
        days=0.1,
        downloads=3,
    ),
    Made(
        "bob",
        "sarcasm",
        "lora[r=4]",
        MINILM,
        "sentiment",
        "isarcasm",
        "An attempt at sarcasm that did not quite work.",
        scored=Scored(0.842, 0.799, 0.88),
        days=70,
        downloads=31,
    ),
    Made(
        "bob",
        "upside-down",
        "lora[r=2]",
        MINILM,
        "sentiment",
        "tweet-eval",
        "Kept as a warning: trained on flipped labels.",
        scored=Scored(0.402, 0.35, 0.46),
        days=71,
        downloads=2,
    ),
    Made(
        "linguistics-lab-of-the-north",
        "swahili-ner",
        "seq_bn[reduction_factor=2]",
        BERT,
        "ner",
        "masakhaner",
        "Names of people, places and organisations in Swahili news.",
        languages=("sw",),
        days=12,
        downloads=655,
        license="mit",
    ),
    Made(
        "linguistics-lab-of-the-north",
        "xnli-de",
        "lora[r=16,alpha=32,leave_out=[0,1,2,3]]",
        BERT,
        "nli",
        "xnli",
        "German inference, the first four layers left alone.",
        languages=("de",),
        days=33,
        downloads=2_048,
    ),
    Made(
        "alice",
        "conll-dependency",
        "double_seq_bn",
        ROBERTA,
        "dp",
        "universal-dependencies",
        "Dependency trees for English and Czech.",
        languages=("en", "cs"),
        days=150,
        downloads=77,
    ),
    Made(
        "alice",
        "squad-lora",
        "lora[r=32,targets=[q,k,v,o]]",
        ROBERTA,
        "qa",
        "squad",
        "Answers questions by pointing into a passage.",
        days=90,
        downloads=5_400,
        license="",
    ),
    Made(
        "alice",
        "unreleased-experiment",
        "lora[r=8,targets=[up,down]]",
        MINILM,
        "sentiment",
        "imdb",
        "Not for other eyes yet.",
        scored=Scored(0.915, 0.88, 0.944),
        days=0.5,
        private=True,
    ),
    Made(
        "bob",
        "formality",
        "seq_bn[reduction_factor=32]",
        MINILM,
        "formality_classify",
        "gyafc",
        "Formal or casual?",
        days=8,
        downloads=19,
    ),
)

# Enough for tests, and quickly made.
_FEW_NAMES = {
    "sentiment-lora",
    "reviews-houlsby",
    "reviews-parallel",
    "tweets-tiny-rank",
    "unreleased-experiment",
    "formality",
}
FEW = tuple(made for made in ADAPTERS if made.name in _FEW_NAMES)
