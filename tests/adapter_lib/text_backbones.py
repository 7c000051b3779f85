"""Folders with tiny random backbones and their tokenizers, as transformers saves them."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_PLAIN = (
    "good", "bad", "film", "food", "very", "not", "a", "the", "was", ".", "!", "?", "who", "where", "made",
    "eats", "in", "anna", "bob", "paris", "rome", "and", "one", "two", "three",
)  # fmt: skip
WORDS = (*_SPECIAL, *_PLAIN)
_LENGTH = 48


def bert_backbone(folder: Path) -> Path:
    """A BERT of 2 layers and hidden size 16 that knows WORDS."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=_LENGTH,
    )
    BertModel(config).save_pretrained(folder)
    names = ("input_ids", "token_type_ids", "attention_mask")
    tokenizer = _tokenizer("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", model_input_names=names)
    tokenizer.save_pretrained(folder)
    return folder


def gpt2_backbone(folder: Path) -> Path:
    """A GPT-2 of 2 layers and hidden size 16 that knows WORDS and ends texts with [SEP]."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(WORDS),
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=_LENGTH,
        bos_token_id=3,
        eos_token_id=3,
    )
    _stirred(GPT2LMHeadModel(config)).save_pretrained(folder)
    _tokenizer("$A", "$A $B", eos_token="[SEP]", model_input_names=_NO_TYPES).save_pretrained(folder)
    return folder


def t5_backbone(folder: Path) -> Path:
    """A T5 of 2 + 2 layers and hidden size 16 that knows WORDS."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(WORDS),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=3,
        decoder_start_token_id=0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = _tokenizer("$A [SEP]", "$A $B [SEP]", eos_token="[SEP]", model_input_names=_NO_TYPES)
    tokenizer.save_pretrained(folder)
    return folder


def _stirred(model: Any) -> Any:
    """Larger weights: logits of the usual tiny ones are all alike, whatever an adapter learns."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


_NO_TYPES = ("input_ids", "attention_mask")


def _tokenizer(single: str, pair: str, **options: Any) -> PreTrainedTokenizerFast:
    numbers = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {"cls_token": "[CLS]", "sep_token": "[SEP]"} if single.startswith("[CLS]") else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        model_max_length=_LENGTH,
        **named,
        **options,
    )
