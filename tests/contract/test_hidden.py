"""What ``Meta.hidden`` names is in no message, key, hint, repr or chain of causes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    EntitySchema,
    ImportFailed,
    LadingError,
    Ref,
    export_all,
    import_all,
    import_document,
    seal,
    verify,
)
from lading.errors import AlteredWarning
from support.backends import Backend
from support.declaring import new_base, schema_for
from support.world import key, to

SECRET = "hush-1234567"
HIDDEN = "<hidden>"


class Vault:
    """Accounts with a token, by which devices refer to them."""

    def __init__(self, *, by: str | None = None, fields: Any = None, **meta: Any) -> None:
        base = new_base()
        self.metadata = base.metadata

        class Account(base):  # type: ignore[misc, valid-type]
            __tablename__ = "accounts"
            __table_args__ = (sa.CheckConstraint("token <> 'hush-refused'", name="token_ok"),)
            id = key()
            name = mapped_column(sa.String(20), unique=True, nullable=False)
            token = mapped_column(sa.String(20), unique=True, nullable=False)
            pin = mapped_column(sa.Integer)

        class Device(base):  # type: ignore[misc, valid-type]
            __tablename__ = "devices"
            id = key()
            name = mapped_column(sa.String(20), unique=True, nullable=False)
            account_id = to("accounts.id")
            account = relationship(Account)

        self.account, self.device = Account, Device
        self.catalog = Catalog("vault")
        options = {"natural_key": "name", "hidden": ("token", "pin"), **meta}
        schema_for(Account, self.catalog, fields, **options)
        schema_for(Device, self.catalog, {"account": Ref(by=by)} if by else {})

    def document(self, *accounts: Any, devices: Any = ()) -> dict[str, Any]:
        """Return a document of such records."""
        return {"accounts": list(accounts), "devices": list(devices)}


def account(name: str = "ann", token: Any = SECRET, pin: Any = None) -> dict[str, Any]:
    """Return an account's record."""
    return {"name": name, "token": token, "pin": pin}


def whole(error: BaseException) -> str:
    """Return everything that an error shows: its texts, problems, attributes and causes."""
    texts = ["".join(traceback.format_exception(error)), str(error), repr(error), repr(vars(error))]
    if isinstance(error, ImportFailed):
        texts += [str(error.report), repr(error.report.problems), *error.report.errors]
    return "\n".join(texts)


def refused(call: Callable[[], Any]) -> str:
    """Return all that an error shows, which must not be the secret."""
    with pytest.raises(LadingError) as caught:
        call()
    text = whole(caught.value)
    # the lines of this test's own source say what it gives
    shown = "\n".join(line for line in text.splitlines() if "account(" not in line)
    assert SECRET not in shown
    return shown


@pytest.fixture
def target(backend: Backend, request: pytest.FixtureRequest) -> Callable[[Vault], sa.Engine]:
    """Return what makes an empty database."""

    def made(vault: Vault) -> sa.Engine:
        engine = backend.fresh()
        request.addfinalizer(lambda: backend.drop(engine))
        vault.metadata.create_all(engine)
        return engine

    return made


Target = Callable[[Vault], sa.Engine]


def test_what_a_database_objects_to_is_told_without_values(target: Target) -> None:
    """PostgreSQL's DETAIL and MariaDB's message hold the value, and so do SQLAlchemy's parameters."""
    vault = Vault()
    engine = target(vault)
    found = vault.document(account(), account("bob"))
    text = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert "token" in text
    import_document(engine, vault.document(account()), catalog=vault.catalog)
    text = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert "token" in text


def test_a_check_is_named_and_no_value(target: Target) -> None:
    """The row that fails is in PostgreSQL's DETAIL."""
    vault = Vault()
    engine = target(vault)
    found = vault.document(account(token="hush-refused", pin=7654321))
    text = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert "token_ok" in text
    assert "7654321" not in text.partition("ImportFailed")[2]


@pytest.mark.parametrize("value", [SECRET * 4, [SECRET], 5])
def test_a_value_that_a_field_refuses_is_not_shown(target: Target, value: Any) -> None:
    """Its field and the reason's kind are told."""
    vault = Vault()
    engine = target(vault)
    found = vault.document(account(token=value))
    shown = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert "token" in shown
    assert HIDDEN in shown


def test_a_key_is_not_shown(target: Target) -> None:
    """Nor the nearest one, of which it may be a misspelling."""
    vault = Vault(natural_key="token")
    engine = target(vault)
    import_document(engine, vault.document(account()), catalog=vault.catalog)
    device = {"name": "phone", "account": {"token": SECRET[:-1] + "8"}}
    found = vault.document(devices=[device])
    text = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert f"accounts: no record has token {HIDDEN}" in text
    assert SECRET[:-1] not in "\n".join(x for x in text.splitlines() if "device" not in x)
    twins = vault.document(account(), account("bob"))
    assert HIDDEN in refused(lambda: import_document(engine, twins, catalog=vault.catalog))
    call = lambda: import_document(  # noqa: E731 - one call
        engine, vault.document(account()), catalog=vault.catalog, on_conflict="error"
    )
    assert f"token {HIDDEN} is in the database already" in refused(call)


def test_a_reference_by_a_hidden_field_is_not_shown(target: Target) -> None:
    """Whatever the target is written by."""
    vault = Vault(by="token")
    engine = target(vault)
    found = vault.document(account(), devices=[{"name": "phone", "account": {"token": "no"}}])
    text = refused(lambda: import_document(engine, found, catalog=vault.catalog))
    assert f"accounts: no record has token {HIDDEN}" in text


def test_a_row_that_can_not_be_exported_is_not_shown(tmp_path: Path) -> None:
    """The driver's value is a secret as well."""
    vault = Vault()
    engine = sa.create_engine("sqlite://")
    vault.metadata.create_all(engine)
    with engine.begin() as connection:
        row = {"name": "ann", "token": b"hush-1234567\xff", "pin": None}
        connection.execute(
            sa.text("INSERT INTO accounts (name, token, pin) VALUES (:name, :token, :pin)"), row
        )
    shown = refused(lambda: export_all(engine, tmp_path / "b", catalog=vault.catalog))
    assert "hush" not in shown
    assert "accounts, token" in shown


def test_a_primary_key_that_is_hidden_names_no_row(tmp_path: Path) -> None:
    """Rows that share the key of a reference are told by their primary keys, unless those hide."""
    base = new_base()

    class Account(base):  # type: ignore[misc, valid-type]
        __tablename__ = "accounts"
        token = mapped_column(sa.String(20), primary_key=True)
        name = mapped_column(sa.String(20), nullable=False)

    class Device(base):  # type: ignore[misc, valid-type]
        __tablename__ = "devices"
        id = key()
        name = mapped_column(sa.String(20), unique=True, nullable=False)
        account_token = to("accounts.token")
        account = relationship(Account)

    catalog = Catalog("vault")
    schema_for(Account, catalog, natural_key="name", hidden=("token",))
    schema_for(Device, catalog)
    engine = sa.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        first = Account(token=SECRET, name="ann")
        session.add_all([first, Account(token=SECRET[::-1], name="ann")])
        session.add(Device(name="phone", account=first))
    shown = refused(lambda: export_all(engine, tmp_path / "b", catalog=catalog, only=["devices"]))
    assert f"with the primary keys {HIDDEN} and {HIDDEN}" in shown
    assert SECRET[::-1] not in shown


@pytest.mark.parametrize("is_key", [False, True], ids=["reference", "recurring key"])
def test_a_foreign_key_to_a_hidden_column_is_not_shown(tmp_path: Path, is_key: bool) -> None:
    """Here the target's key isn't hidden, but the column that holds the foreign key has the token."""
    base, catalog = new_base(), Catalog("vault")

    class Account(base):  # type: ignore[misc, valid-type]
        __tablename__ = "accounts"
        id = key()
        name = mapped_column(sa.String(20), nullable=False)
        token = mapped_column(sa.String(20), unique=True, nullable=False)
        above = mapped_column(sa.ForeignKey("accounts.token"))
        parent = relationship("Account", remote_side=token)

    natural_key = ("parent", "name") if is_key else "name"
    schema_for(Account, catalog, natural_key=natural_key, hidden="token")
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(Account).values(name="ann", token="t", above=SECRET))
    with pytest.raises(LadingError, match=f"above = {HIDDEN} refers to no row") as caught:
        export_all(engine, tmp_path / "bundle", catalog=catalog)
    assert SECRET not in whole(caught.value)


def test_a_hook_that_fails_does_not_show_it(tmp_path: Path) -> None:
    """Its own error may hold the record."""

    class Base(EntitySchema):
        class Meta:
            hidden = "token"

        @ma.post_load
        def fails(self, data: Any, **_: Any) -> Any:
            raise RuntimeError(repr(data))

    vault = Vault()
    vault.catalog.schemas.clear()
    for model in (vault.account, vault.device):
        options = {"model": model, "catalog": vault.catalog, "natural_key": "name"}
        parent = Base if model is vault.account else EntitySchema
        type(f"{model.__name__}Schema", (parent,), {"Meta": type("Meta", (), options)})
    engine = sa.create_engine("sqlite://")
    vault.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(vault.account(name="ann", token=SECRET))
        session.commit()
    refused(lambda: export_all(engine, tmp_path / "b", catalog=vault.catalog))
    found = vault.document(account())
    refused(lambda: import_document(engine, found, catalog=vault.catalog))


def test_what_a_trigger_made_of_it_is_not_shown() -> None:
    """The report says that a field was altered, and not from what to what."""
    vault = Vault()
    engine = sa.create_engine("sqlite://")
    vault.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER t AFTER INSERT ON accounts BEGIN "
            "UPDATE accounts SET token = upper(token) WHERE id = NEW.id; END"
        )
    with pytest.warns(AlteredWarning) as caught:
        report = import_document(engine, vault.document(account()), catalog=vault.catalog)
    shown = f"{report} {report!r} {caught[0].message}"
    assert HIDDEN in shown
    assert SECRET not in shown
    assert SECRET.upper() not in shown


def test_what_is_hidden_travels(tmp_path: Path) -> None:
    """Only texts about it are without it; a bundle holds it, and messages of others all the rest."""
    vault = Vault()
    engines = [sa.create_engine("sqlite://") for _ in range(2)]
    for engine in engines:
        vault.metadata.create_all(engine)
    import_document(engines[0], vault.document(account()), catalog=vault.catalog)
    export_all(engines[0], tmp_path / "b", catalog=vault.catalog)
    import_all(engines[1], tmp_path / "b", catalog=vault.catalog)
    with engines[1].connect() as connection:
        assert connection.scalar(sa.text("SELECT token FROM accounts")) == SECRET


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("UPDATE targets SET token = 'hush-1234567'", f"with {HIDDEN} refers to a row of targets"),
        ("UPDATE pairs SET owner = upper(owner)", f"a row of pairs refers to {HIDDEN}, which is"),
    ],
)
def test_links_by_hidden_keys_show_none(tmp_path: Path, edit: str, told: str) -> None:
    """Neither the target's key nor the owner's, where a hidden column is one."""
    base, catalog = new_base(), Catalog("links")
    text = sa.String(20, collation="NOCASE")
    pairs = sa.Table(
        "pairs",
        base.metadata,
        sa.Column("owner", text, sa.ForeignKey("owners.token"), primary_key=True),
        sa.Column("target", sa.ForeignKey("targets.id"), primary_key=True),
    )

    class Target(base):
        __tablename__ = "targets"
        id = key()
        token = mapped_column(sa.String(5), unique=True, nullable=False)

    class Owner(base):
        __tablename__ = "owners"
        id = key()
        name = mapped_column(sa.String(5), unique=True, nullable=False)
        token = mapped_column(text, unique=True, nullable=False)
        targets = relationship(Target, secondary=pairs)

    schema_for(Target, catalog, hidden=("token",))
    schema_for(Owner, catalog, natural_key="name", hidden=("token",))
    engine = sa.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Owner(name="a", token=SECRET, targets=[Target(token="short")]))
    with engine.begin() as connection:
        connection.execute(sa.text(edit))
    shown = refused(lambda: export_all(engine, tmp_path / "b", catalog=catalog, only=["owners"]))
    assert told in shown
    assert SECRET.upper() not in shown


@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        ("tokn", "hidden names an unknown field 'tokn'; expected one of: token, name, pin"),
        (5, "Meta.hidden = 5; write names in a tuple, such as ('notes',)"),
    ],
)
def test_a_misspelt_name_would_hide_nothing(hidden: Any, told: str) -> None:
    """So it is refused."""
    with pytest.raises(LadingError, match="hidden") as caught:
        Vault(hidden=hidden).catalog.use()
    assert told in str(caught.value)


RENAMED = {"fields": {"name": ma.fields.String(data_key="called", required=True)}}


@pytest.mark.parametrize("newer", [{}, RENAMED], ids=["same", "another"])
def test_verify_shows_no_hidden_value(
    sqlite_memory: Backend, tmp_path: Path, newer: dict[str, Any]
) -> None:
    """Neither of bad fields nor of references, whether by the catalog or by older shapes."""
    vault = Vault(by="token")
    with sqlite_memory.database(vault.metadata) as engine:
        with Session(engine) as session, session.begin():
            account = vault.account(name="a", token=SECRET, pin=5)
            session.add(vault.device(name="d", account=account))
        export_all(engine, tmp_path / "b", catalog=vault.catalog)
    file = tmp_path / "b/01_accounts.json"
    text = file.read_text().replace(SECRET, "other", 1)
    assert '"pin":5' in text
    file.write_text(text.replace('"pin":5', f'"pin":"{SECRET}"'))
    outcome = verify(tmp_path / "b", catalog=Vault(by="token", **newer).catalog)
    evidence = outcome.to_bytes().decode()
    assert {"pin", "account"} <= {problem.field for problem in outcome.problems}
    assert SECRET not in f"{outcome}{outcome!r}{evidence}"


@pytest.mark.parametrize("fields", [None, RENAMED["fields"]], ids=["plain", "custom"])
@pytest.mark.parametrize("bad", ["555666777", f'"{SECRET}\udcff"'], ids=["number", "bytes"])
def test_what_a_bundle_hides_is_hidden_without_its_catalog(
    sqlite_memory: Backend, tmp_path: Path, fields: Any, bad: str
) -> None:
    """Its manifest names hidden fields, so that neither ``verify`` nor ``seal`` shows a value."""
    vault = Vault(by="token", fields=fields)
    with sqlite_memory.database(vault.metadata) as engine:
        with Session(engine) as session, session.begin():
            account = vault.account(name="a", token="there", pin=5)
            session.add(vault.device(name="d", account=account))
        export_all(engine, tmp_path / "b", catalog=vault.catalog)
    file = tmp_path / "b/01_accounts.json"
    file.write_text(file.read_text().replace('"there"', bad), errors="surrogateescape")
    outcome = verify(tmp_path / "b")
    with pytest.raises(ImportFailed) as caught:
        seal(tmp_path / "b")
    shown = f"{outcome}{outcome!r}{outcome.to_bytes().decode()}{whole(caught.value)}"
    assert SECRET not in shown
    assert "555666777" not in shown
    assert "there" not in shown.replace("there are", "")
