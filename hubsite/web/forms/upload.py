"""The upload form: a name, and the files that `save_adapter()` wrote."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from hubsite.web.numbers import file_size

WANTED = ("adapter_config.json", "adapter.safetensors", "README.md")


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files at once; Django's own field takes one."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        """All files, each checked as Django checks one."""
        given: Sequence[Any] = data if isinstance(data, list | tuple) else [data]
        return [super(_FilesField, self).clean(one, initial) for one in given or [None]]


class UploadForm(forms.Form):
    """Raises no domain errors itself: the services behind it have the last word."""

    name = forms.CharField(
        max_length=96,
        help_text="Letters, digits, hyphens, dots and underscores. An adapter you have gets a new version.",
        widget=forms.TextInput(
            attrs={"placeholder": "sentiment-lora", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    private = forms.BooleanField(required=False, label="Private: only I can see and load it")
    contents = _FilesField(
        max_length=200,
        allow_empty_file=True,
        error_messages={"required": "Choose the files to upload."},
        label="Files",
        widget=_Files(attrs={"data-files": True}),
    )

    def clean_contents(self) -> "list[UploadedFile[bytes]]":
        """Refuses what cannot become a version: too many files, too large ones, one name twice."""
        files: list[UploadedFile[bytes]] = self.cleaned_data["contents"]
        names = [file.name or "" for file in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise forms.ValidationError(f"{twice[0]} was chosen twice; choose it once.")
        if len(files) > settings.MAX_ADAPTER_FILES:
            raise forms.ValidationError(f"At most {settings.MAX_ADAPTER_FILES} files make an adapter.")
        total = sum(file.size or 0 for file in files)
        if total > settings.MAX_ADAPTER_SIZE:
            limit = file_size(settings.MAX_ADAPTER_SIZE)
            raise forms.ValidationError(
                f"The files are {file_size(total)} together; at most {limit} are taken."
            )
        return files
