from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hubsite.accounts"
    default_auto_field = "django.db.models.BigAutoField"
