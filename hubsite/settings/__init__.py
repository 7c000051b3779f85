from hubsite.settings.base import *  # noqa: F403 - a settings module is its star import
