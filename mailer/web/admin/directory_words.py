"""What directories, their runs and their findings are called on pages."""

from mailer.i18n import N_

WORDS: dict[str, dict[str, str]] = {
    "directory": {"draft": N_("Not switched on yet"), "on": N_("Switched on"), "paused": N_("Paused")},
    "directory_kind": {"file": N_("File on the server"), "https": N_("Web address (HTTPS)"), "ldap": N_("LDAP server")},
    "directory_run": {
        "queued": N_("Waiting"),
        "running": N_("Running"),
        "finished": N_("Finished"),
        "failed": N_("Failed"),
        "stopped": N_("Waits for your decision"),
    },
    "finding": {
        "new": N_("New"),
        "changed": N_("Changed"),
        "unchanged": N_("Unchanged"),
        "removed": N_("Taken off the list"),
        "duplicate": N_("Twice in the table"),
        "invalid": N_("Not an address"),
        "suppressed": N_("On the suppression list"),
        "left": N_("Has unsubscribed"),
    },
    "ldap_security": {"tls": N_("LDAPS (usually port 636)"), "starttls": N_("StartTLS (usually port 389)")},
    "ldap_scope": {"subtree": N_("Everything below the base"), "one": N_("Only directly below the base")},
    "key_way": {
        "bearer": N_("Authorization: Bearer …"),
        "header": N_("In a header of its own"),
        "none": N_("There is none"),
    },
}
