"""Where `adapters` 1.3.0 computes something else, and how far it is from ours then.

(family, case) → the largest deviation, relative to the outputs' scale, by variant. Each number stands for
what the peer did in one run and for what ours makes of it: it changes if either does. In
test_adapters_explained.py ours repeats the difference, or is held against others of the peer's own numbers.
"""

Known = dict[tuple[str, str], tuple[float, ...]]

# A block inside a block is handed what the block around it has already put through residual and norm, and
# does so again.
NESTED: Known = {
    ("bert", "average_stack"): (0.2086,),
    ("bert", "batch_split_stack"): (0.4953,),
    ("bert", "fuse_bn_stack"): (0.1161,),
    ("bert", "parallel_batch_split"): (0.5837,),
    ("bert", "parallel_stack"): (0.4953,),
    ("bert", "split_stack"): (0.5374,),
    ("gpt2", "average_stack"): (0.2303,),
    ("gpt2", "batch_split_stack"): (0.4027,),
    ("gpt2", "fuse_bn_stack"): (0.4746,),
    ("gpt2", "parallel_batch_split"): (0.5659,),
    ("gpt2", "parallel_stack"): (0.5331,),
    ("gpt2", "split_stack"): (0.5001,),
    ("llama", "average_stack"): (0.2246,),
    ("llama", "batch_split_stack"): (0.6141,),
    ("llama", "parallel_batch_split"): (0.4764,),
    ("llama", "parallel_stack"): (0.5843,),
    ("llama", "split_stack"): (0.6318,),
    ("t5", "average_stack"): (0.2313,),
    ("t5", "batch_split_stack"): (0.7367,),
    ("t5", "parallel_batch_split"): (0.5387,),
    ("t5", "parallel_stack"): (0.6584,),
    ("t5", "split_stack"): (0.3021,),
    ("vit", "average_stack"): (0.253,),
    ("vit", "batch_split_stack"): (0.4632,),
    ("vit", "parallel_batch_split"): (0.4624,),
    ("vit", "parallel_stack"): (0.513,),
    ("vit", "split_stack"): (0.6198,),
}

# Beside a parallel adapter a sequential one gets the parallel one's input, and the last one's norms serve
# both.
MIXED_PARALLEL: Known = {
    ("bert", "parallel_par"): (0.9825,),
    ("gpt2", "parallel_par"): (0.9291,),
    ("llama", "parallel_par"): (0.9334,),
    ("t5", "parallel_par"): (1.186,),
    ("vit", "parallel_par"): (1.009,),
}

# Only the keys and values of the first layer see two copies of the batch.
PARALLEL_FACTORS: Known = {("vit", "parallel_ia3"): (0.908,)}

# A Stack feeds one LoRA's update into the next, and only the last of them is added.
LORA_PRODUCT: Known = {
    ("bert", "stack_lora"): (0.822,),
    ("t5", "stack_lora"): (0.8666,),
    ("vit", "stack_lora"): (0.8814,),
}

# The weights of an Average sum to one, and the sum is divided by the number of children again.
LORA_AVERAGE: Known = {
    ("bert", "average_lora"): (0.2557,),
    ("llama", "average_lora"): (0.7406,),
    ("t5", "average_lora"): (0.4285,),
    ("vit", "average_lora"): (0.2642,),
}

# Differences that a switch of ours repeats, which the importer sets: how far the published method is.

# m / ‖V‖ multiplies the bias too. (That ‖V‖ lacks α / r is undone by the importer; T5 and LLaMA, which have
# no biases, have no difference.)
DORA_BIAS: Known = {
    ("bert", "dora"): (0.01118,),
    ("bert", "dora_unscaled"): (0.01189,),
    ("bert", "dvora"): (0.04013,),
    ("vit", "dora"): (0.03702,),
    ("vit", "dvora"): (0.05107,),
}

# The file of a DiReFT says nothing of what makes it one, and reads as a NoReFT.
DIREFT_FILE: Known = {
    ("bert", "direft"): (0.2783, 0.3182),
    ("gpt2", "direft"): (0.5657, 0.5657),
    ("llama", "direft"): (0.5803, 0.5803),
    ("t5", "direft"): (0.4778, 0.2993),
    ("vit", "direft"): (0.4381,),
}

# A suffix longer than the text writes edits to places that they were not computed for.
LONG_SUFFIX: Known = {("bert", "noreft_long"): (1.08,), ("gpt2", "noreft_long"): (1.119,)}

# A prefix moves T5's relative positions: real keys are counted from where the prefix begins.
T5_POSITIONS: Known = {
    ("t5", "batch_split_prefix"): (0.0846,),
    ("t5", "mam"): (0.06896, 0.04632),
    ("t5", "parallel_prefix"): (0.08291,),
    ("t5", "prefix_tuning"): (0.06764, 0.06543),
    ("t5", "prefix_tuning_flat"): (0.07355, 0.06709),
    ("t5", "prefix_tuning_gated"): (0.07974, 0.04933),
    ("t5", "prefix_tuning_no_encoder"): (0.07768, 0.05546),
    ("t5", "stack_prefix"): (0.06074,),
    ("t5", "unipelt"): (0.04948, 0.05968),
    ("t5-gated", "prefix_tuning"): (0.2032, 0.2032),
}

# A prefix that begins behind the first layer takes the bias by distance away from its layers.
T5_NO_BIAS: Known = {("t5", "prefix_tuning_leave_out"): (0.02035, 0.01472)}

# No defect, another reading: the peer's prompt stands behind positions and norm, ours (as the paper's, and as
# PEFT's) is among the tokens' embeddings. ViT's embeddings end with the positions, and there the two agree.
PROMPT_PLACE: Known = {
    ("bert", "prompt_tuning"): (1.014, 1.053),
    ("bert", "prompt_tuning_after_bos"): (0.8874, 0.8889),
}

# The peer's head class alone undoes a coupling; transformers' own, which its encoder-decoders have, does not.
NO_INVERSE: Known = {("encoder-decoder", "seq_bn_inv"): (0.6415,)}

KNOWN: Known = {
    **NESTED,
    **MIXED_PARALLEL,
    **PARALLEL_FACTORS,
    **LORA_PRODUCT,
    **LORA_AVERAGE,
    **DIREFT_FILE,
    **LONG_SUFFIX,
    **T5_NO_BIAS,
    **PROMPT_PLACE,
}
SWITCHED: Known = {**DORA_BIAS, **T5_POSITIONS, **NO_INVERSE}
