"""Names of well-known publishers of backbones. Strangers do not sign up under them.

Whoever owns `google-bert` here could upload a `google-bert/bert-base-uncased` of their own, and adapters
for the real one would be loaded on it. An operator may still make such an account
(`manage.py import_backbone`, `manage.py issue_token NAME --create`).
"""

from hubsite.accounts.names.skeleton import skeleton
from hubsite.core.errors import BadInput

_PUBLISHERS = frozenset(
    {
        "01-ai", "ai21labs", "albert", "allenai", "almanach", "answerdotai", "apple", "baai", "bigscience",
        "cardiffnlp", "codellama", "cohere", "cohereforai", "databricks", "deepseek-ai", "deepset",
        "distilbert", "dmis-lab", "eleutherai", "emilyalsentzer", "facebook", "facebookai", "google",
        "google-bert", "google-t5", "gpt2", "helsinki-nlp", "huggingface", "huggingfacetb", "ibm",
        "ibm-granite", "intfloat", "jhu-clsp", "laion", "meta-llama", "microsoft", "mistralai", "mosaicml",
        "nomic-ai", "nvidia", "openai", "openai-community", "openbmb", "princeton-nlp", "prosusai", "qwen",
        "salesforce", "sentence-transformers", "stabilityai", "state-spaces", "tiiuae", "timm", "tinyllama",
        "togethercomputer", "uclanlp", "unsloth", "vinai", "xlm-roberta", "xlnet",
    }
)  # fmt: skip


def check_not_a_publisher(name: str) -> None:
    """Raise BadInput for a publisher's name or a look-alike of it."""
    if skeleton(name) in {skeleton(publisher) for publisher in _PUBLISHERS}:
        raise BadInput(
            f"The name {name!r} is that of a known publisher of models; "
            "ask the hub's operator for it, or choose another."
        )
