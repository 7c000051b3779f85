"""What a shell sees of a command's end."""

DONE = 0
# Refused, with one sentence that says why.
REFUSED = 1
# Called wrongly: an option or an argument that does not exist (typer's own).
WRONG_CALL = 2
# Looked at and found wanting: `inspect` found problems, or an upload did not pass the hub's validation.
PROBLEMS = 3
# No hub answered; the same call may work later.
UNREACHABLE = 4
# Ctrl-C, as shells count it.
INTERRUPTED = 130

LEGEND = (
    "Exit codes: 0 done; 1 refused, with one sentence on stderr; 2 called wrongly; 3 problems were found; "
    "4 no hub answered; 130 interrupted."
)
