"""Adding heads over a pooled state, or over every token."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapter_lib.heads import Labels, head_spec, label_names
from adapter_lib.model.head_life import HeadLife
from adapter_lib.spec.heads import (
    CustomSpec,
    DependencyParsingSpec,
    ImageClassificationSpec,
    MultilabelSpec,
    MultipleChoiceSpec,
    QuestionAnsweringSpec,
    RegressionSpec,
    TaggingSpec,
    checked,
)


class AddingHeads(HeadLife):
    """One method per type; what they have in common is said at `add_classification_head`."""

    def add_classification_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Labels | None = None,
        pooling: str = "mean",
        layers: int = 1,
        activation: str = "tanh",
        dropout: float = 0.0,
        use_bias: bool = True,
        overwrite: bool = False,
    ) -> None:
        """Add a classification head; one that has an adapter's name is saved, loaded and activated with it.

        labels: the names of the classes, in order or by number; or num_labels for LABEL_0, LABEL_1 …
        pooling: "mean", "cls" (first token), "last" (last token that is no padding) or "eos" (last end
            token).
        layers: linear layers, with `activation` between them and a dropout before each.
        use_bias: of the last one.
        Raises ConfigError for a value out of range, AttachError for a name that exists or a model on which
        such a head makes no sense.
        """
        names = label_names(num_labels, labels)
        spec = head_spec(
            names, pooling=pooling, layers=layers, activation=activation, dropout=dropout, use_bias=use_bias
        )
        self._add_head(name, spec, overwrite=overwrite)

    def add_multilabel_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Labels | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        """Add a head that says of each class whether it is true of a row; labels of a call are [B, classes].

        settings: pooling, layers, activation, dropout and use_bias, as of a classification head.
        """
        names = label_names(num_labels, labels, kind="A multi-label head")
        self._add_head(name, checked(MultilabelSpec(names, **settings)), overwrite=overwrite)

    def add_regression_head(
        self,
        name: str,
        *,
        num_outputs: int | None = None,
        labels: Labels | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        """Add a head that gives one number per row, or `num_outputs`; mean squared error.

        labels: what the numbers are called. settings: as of a classification head.
        """
        count = 1 if labels is None and num_outputs is None else num_outputs
        names = label_names(count, labels, kind="A regression head")
        self._add_head(name, checked(RegressionSpec(names, **settings)), overwrite=overwrite)

    def add_tagging_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Labels | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        """Add a head that gives a class to every token; labels of a call are [B, S], -100 ignored.

        settings: layers, activation, dropout and use_bias, as of a classification head.
        """
        names = label_names(num_labels, labels, kind="A tagging head")
        self._add_head(name, checked(TaggingSpec(names, **settings)), overwrite=overwrite)

    def add_multiple_choice_head(self, name: str, *, overwrite: bool = False, **settings: Any) -> None:
        """Add a head that chooses among several texts: inputs of a call are [B, choices, S], labels [B].

        settings: as of a classification head.
        """
        self._add_head(name, checked(MultipleChoiceSpec(**settings)), overwrite=overwrite)

    def add_qa_head(self, name: str, *, overwrite: bool = False, **settings: Any) -> None:
        """Add a head for extractive question answering: `start_positions` and `end_positions` are [B] each.

        settings: as of a tagging head.
        """
        self._add_head(name, checked(QuestionAnsweringSpec(**settings)), overwrite=overwrite)

    def add_dependency_parsing_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Labels | None = None,
        dropout: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        """Add a biaffine dependency parser (Glavaš & Vulić 2021, https://arxiv.org/abs/2008.06788).

        labels: the relations. A call has word_starts [B, W + 1], labels_arcs and labels_rels [B, W]:
        `adapter_lib.heads.dependency_parsing` says what they hold.
        """
        names = label_names(num_labels, labels, kind="A dependency parser")
        self._add_head(name, checked(DependencyParsingSpec(names, dropout)), overwrite=overwrite)

    def add_image_classification_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Labels | None = None,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        """Add a head that gives a class to an image.

        settings: pooling, "cls", "mean" or "patches" (all but the first position); norm_eps for a LayerNorm
        behind it; layers, activation, dropout and use_bias, as of a classification head.
        """
        names = label_names(num_labels, labels, kind="An image-classification head")
        self._add_head(name, checked(ImageClassificationSpec(names, **settings)), overwrite=overwrite)

    def add_custom_head(
        self,
        name: str,
        kind: str,
        *,
        labels: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Add a head of a class that `register_custom_head(kind, …)` made known.

        settings: what the class needs, plain values that JSON has. Raises ConfigError for a kind that is not
        registered.
        """
        spec = checked(CustomSpec(tuple(labels), kind, settings or {}))
        spec.shapes(self.adapter_runtime.heads.hidden_size)
        self._add_head(name, spec, overwrite=overwrite)
