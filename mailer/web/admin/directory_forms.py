"""The forms of directories, one for each kind of source, and what they mean to the room."""

import datetime as dt
from typing import Any

from wtforms import DateField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from mailer.audience.directories.models import Directory
from mailer.audience.directories.rules import DirectoryKind, Mapping
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.web.admin.directory_words import WORDS
from mailer.web.forms import Form, at_most, choices, lazy, required, strip

_HOURS = [SelectChoice(str(hour), f"{hour:02d}:00") for hour in range(24)]
_OPTIONS: dict[DirectoryKind, tuple[str, ...]] = {
    DirectoryKind.FILE: (),
    DirectoryKind.HTTPS: ("auth", "header"),
    DirectoryKind.LDAP: ("security", "bind_dn", "base", "scope", "filter"),
}


def _column(label: str, *, is_required: bool = False, default: str = "") -> StringField:
    validators = [*([required()] if is_required else []), at_most(64)]
    return StringField(lazy(label), validators, filters=[strip], default=default)


class DirectoryForm(Form):
    """What every kind has. The subclasses say what a place and its columns are called there."""

    name = StringField(lazy(N_("Name of the directory")), [required(), at_most(64)], filters=[strip])
    list_id = SelectField(lazy(N_("List")), coerce=int)
    email = _column(N_("Column of the address"), is_required=True, default="email")
    person = _column(N_("Column of the name"), default="name")
    locale = _column(N_("Column of the language"))
    attributes = TextAreaField(
        lazy(N_("Attributes")), [at_most(4000)], filters=[strip], render_kw={"rows": 3, "spellcheck": "false"}
    )
    decided_by = StringField(lazy(N_("Who decided it")), [required(), at_most(200)], filters=[strip])
    decided_on = DateField(lazy(N_("On which day")), [required()])
    hour = SelectField(lazy(N_("Every night at")), coerce=int, choices=_HOURS, default=3)
    limit_percent = IntegerField(lazy(N_("Stop above, in percent")), [InputRequired(), NumberRange(0, 100)], default=10)
    limit_count = IntegerField(
        lazy(N_("Stop above, in readers")), [InputRequired(), NumberRange(0, 1_000_000)], default=100
    )


class FileForm(DirectoryForm):
    """A table in the operator's folder."""

    location = StringField(lazy(N_("File")), [required(), at_most(1000)], filters=[strip])


class HttpsForm(DirectoryForm):
    """A table on a web server."""

    location = StringField(lazy(N_("Web address")), [required(), at_most(1000)], filters=[strip])
    auth = SelectField(lazy(N_("How the key is sent")), choices=choices(WORDS["key_way"]))
    header = StringField(lazy(N_("Name of the header")), [at_most(64)], filters=[strip])
    secret = PasswordField(lazy(N_("Key")), [at_most(500)], render_kw={"autocomplete": "new-password"})


class LdapForm(DirectoryForm):
    """Entries of an LDAP server."""

    location = StringField(lazy(N_("Server")), [required(), at_most(300)], filters=[strip])
    security = SelectField(lazy(N_("Security")), choices=choices(WORDS["ldap_security"]))
    bind_dn = StringField(lazy(N_("Sign in as (bind DN)")), [at_most(500)], filters=[strip])
    secret = PasswordField(lazy(N_("Password")), [at_most(500)], render_kw={"autocomplete": "new-password"})
    base = StringField(lazy(N_("Base")), [required(), at_most(500)], filters=[strip])
    scope = SelectField(lazy(N_("Looked at")), choices=choices(WORDS["ldap_scope"]))
    filter = StringField(lazy(N_("Filter")), [at_most(2000)], filters=[strip])
    email = _column(N_("Attribute of the address"), is_required=True, default="mail")
    person = _column(N_("Attribute of the name"), default="displayName")
    locale = _column(N_("Attribute of the language"))


FORMS: dict[DirectoryKind, type[DirectoryForm]] = {
    DirectoryKind.FILE: FileForm,
    DirectoryKind.HTTPS: HttpsForm,
    DirectoryKind.LDAP: LdapForm,
}


def shown(directory: Directory) -> dict[str, Any]:
    """A directory as its form shows it; never its secret."""
    mapping = Mapping.from_json(directory.mapping)
    plain = ("name", "list_id", "location", "decided_by", "decided_on", "hour", "limit_percent", "limit_count")
    return {
        **{name: getattr(directory, name) for name in plain},
        **directory.options,
        "email": mapping.email,
        "person": mapping.name,
        "locale": mapping.locale,
        "attributes": "\n".join(f"{key} = {column}" for key, column in mapping.attributes.items()),
    }


def read(form: DirectoryForm, kind: DirectoryKind) -> dict[str, Any]:
    """What the filled form means: the room's fields. Raises `RuleError` for attributes that are none."""
    mapping = Mapping(
        email=form.email.data,
        name=form.person.data or "",
        locale=form.locale.data or "",
        attributes=_read_attributes(form.attributes.data or ""),
    )
    decided_on: dt.date = form.decided_on.data
    return {
        "name": form.name.data,
        "list_id": form.list_id.data,
        "kind": kind,
        "location": form["location"].data,
        "options": {name: form[name].data or "" for name in _OPTIONS[kind]},
        "mapping": mapping,
        "decided_by": form.decided_by.data,
        "decided_on": decided_on,
        "hour": form.hour.data,
        "limit_percent": form.limit_percent.data,
        "limit_count": form.limit_count.data,
    }


def _read_attributes(text: str) -> dict[str, str]:
    """Lines ``attribute = column``; a name alone is both."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        key, separator, column = (part.strip() for part in line.partition("="))
        if not key or key in found or (separator and not column):
            raise RuleError(N_("Write one attribute a line, each once: department = unit"))
        found[key] = column or key
    return found
