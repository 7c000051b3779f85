"""`--data-dir` on the command line is HUB_DATA_DIR, for every command.

Settings are read before a command sees its arguments, so manage.py takes this one out first.
"""

from collections.abc import MutableMapping

_FLAG = "--data-dir"
VARIABLE = "HUB_DATA_DIR"


def take_data_dir(arguments: list[str], environment: MutableMapping[str, str]) -> None:
    """Move `--data-dir DIR` (or `--data-dir=DIR`) from `arguments` into `environment`; the last one counts.

    A flag without a folder stays where it is: the command's parser has the words for that.
    """
    position = 0
    while position < len(arguments):
        flag, equals, folder = arguments[position].partition("=")
        taken = 1
        if flag == _FLAG and not equals and position + 1 < len(arguments):
            folder, taken = arguments[position + 1], 2
        if flag == _FLAG and folder:
            environment[VARIABLE] = folder
            del arguments[position : position + taken]
        else:
            position += 1
