import pytest
from django.core.management import call_command

from hubsite.registry.models import Language, Task
from hubsite.registry.vocabulary.languages import LANGUAGES
from hubsite.registry.vocabulary.seed import seed_vocabulary
from hubsite.registry.vocabulary.tasks import TASKS


def test_the_tables_are_sound() -> None:
    assert len(TASKS) == 26
    assert len(LANGUAGES) >= 100
    assert {"en", "de", "pt", "zh", "yue"} <= set(LANGUAGES)
    assert all(code.islower() and 2 <= len(code) <= 3 and name for code, name in LANGUAGES.items())
    assert all(name and text.endswith(".") for name, text in TASKS.values())


@pytest.mark.django_db
def test_a_new_database_has_the_vocabulary() -> None:
    assert set(Task.objects.values_list("slug", flat=True)) == set(TASKS)
    assert dict(Language.objects.values_list("code", "name")) == LANGUAGES


@pytest.mark.django_db
def test_the_tables_win_and_what_was_added_stays() -> None:
    Task.objects.filter(slug="ner").update(name="?")
    Task.objects.filter(slug="qa").delete()
    Task.objects.create(slug="humour", name="Humour")
    seed_vocabulary(using="default")
    assert Task.objects.get(slug="ner").name == TASKS["ner"][0]
    assert Task.objects.filter(slug__in=["qa", "humour"]).count() == 2


@pytest.mark.django_db(transaction=True)
def test_it_is_back_after_a_flush() -> None:
    call_command("flush", interactive=False)
    assert Task.objects.count() == len(TASKS)
