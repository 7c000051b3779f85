"""The words for places in a transformer, the same for every model family.

Tensors of an adapter are stored under these words, never under module paths, which change between releases.
"""

# Linear maps. `xattn` is the attention of a decoder over the encoder's states.
ATTENTION_LETTERS = ("q", "k", "v", "o")
SELF_LEAVES = tuple(f"attn.{letter}" for letter in ATTENTION_LETTERS)
CROSS_LEAVES = tuple(f"xattn.{letter}" for letter in ATTENTION_LETTERS)
# Those that see the states which are attended to: another tower's.
SOURCE_LEAVES = ("xattn.k", "xattn.v")
FFN_LEAVES = ("ffn.up", "ffn.gate", "ffn.down")
LEAF_ROLES = (*SELF_LEAVES, *CROSS_LEAVES, *FFN_LEAVES)

# Sub-layer outputs with their residuals: after self-attention, cross-attention and the feed-forward block.
SITE_ROLES = ("mh", "cross", "ffn")

# The attention function itself: keys and values on their way in.
ATTENTION_ROLES = ("attn", "xattn")

# What goes into the feed-forward block's second linear map, after the activation.
MIDDLE_ROLE = "ffn.mid"

# The output of a whole layer.
LAYER_ROLE = "layer"

# Three-dimensional tensors of a mixture of experts.
EXPERT_ROLES = ("experts.up", "experts.down")

# Norms are counted within a layer in the order of its modules: norm.0 …; `norm` is a tower's last one.
NORM_ROLE = "norm"

# Places of a tower as a whole: what its embeddings give, and what the language-model head gets.
EMBED_ROLE = "embed"
HEAD_ROLE = "head"
# The token embedding matrix, and a language-model head that is tied to it.
TOKENS_ROLE = "tokens"
LOGITS_ROLE = "logits"

# A module that has no role is addressed by its path in the base model: module.pooler.dense.
MODULE_PREFIX = "module."

# A tower's input as a whole: where soft prompts are put in front of the tokens.
PROMPT_ROLE = "prompt"

# Where a tower is told its tokens' positions.
POSITIONS_ROLE = "positions"
