"""The form for a new token."""

from datetime import datetime, timedelta

from django import forms

from hubsite.accounts.models import Scope
from hubsite.core.clock import now

_DAYS = (("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("", "never"))


class TokenForm(forms.Form):
    """Name, scope, and days until it expires."""

    name = forms.CharField(
        max_length=80,
        help_text="Where it will be used, so that you know later which one to revoke.",
        widget=forms.TextInput(attrs={"placeholder": "training machine", "autocomplete": "off"}),
    )
    scope = forms.ChoiceField(choices=Scope.choices, initial=Scope.WRITE)
    expires = forms.ChoiceField(choices=_DAYS, required=False, initial="90")

    def expires_at(self) -> datetime | None:
        """The moment chosen; None for never."""
        days = self.cleaned_data["expires"]
        return now() + timedelta(days=int(days)) if days else None
