"""Consent, the audit log, wrong numbers, and what people decide about files."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY_SQLITE = (
    "CREATE TRIGGER audit_append_only_{verb} BEFORE {verb} ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
)
APPEND_ONLY_POSTGRESQL = (
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
)


def upgrade() -> None:
    _add_wrong_number()
    _create_files()
    _create_consent()
    _create_audit()
    op.create_index("ix_customer_itn", "customer", ["generation", "itn"])


def _add_wrong_number() -> None:
    op.execute("CREATE TABLE kept AS SELECT * FROM phone_customer")
    op.drop_table("phone_customer")  # SQLite alters a table by copying it, and this one refers to the old copy
    with op.batch_alter_table(
        "phone", recreate="always" if op.get_bind().dialect.name == "sqlite" else "never"
    ) as phone:
        phone.add_column(sa.Column("wrong_number_at", UTC_TIME))
    op.create_table(
        "phone_customer",
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("phone", "customer_no", name=op.f("pk_phone_customer")),
        sa.ForeignKeyConstraint(["phone"], ["phone.number"], name=op.f("fk_phone_customer_phone")),
    )
    op.create_index("ix_phone_customer_customer_no", "phone_customer", ["customer_no"])
    op.execute("INSERT INTO phone_customer SELECT phone, customer_no, created_at FROM kept")
    op.drop_table("kept")


def _create_files() -> None:
    with op.batch_alter_table("import_file") as file:
        file.add_column(sa.Column("previous_rows", sa.Integer()))
        file.add_column(sa.Column("previous_cents", sa.BigInteger()))
        file.add_column(sa.Column("host", sa.String(64)))
        file.add_column(sa.Column("decided_by", sa.String(64)))
        file.add_column(sa.Column("decided_at", UTC_TIME))
        file.create_check_constraint(
            op.f("ck_import_file_state"), "state IN ('loading', 'imported', 'held', 'approved', 'refused')"
        )
    op.create_index("ix_import_file_sha256", "import_file", ["sha256"])
    op.create_table(
        "export_file",
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("written_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_file")),
        sa.UniqueConstraint("type", "seq", name=op.f("uq_export_file_type")),
    )
    _partial_index("ix_export_file_unwritten", "export_file", ["host"], where="written_at IS NULL")


def _create_consent() -> None:
    op.create_table(
        "consent_text",
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_text")),
        sa.UniqueConstraint("version", name=op.f("uq_consent_text_version")),
    )
    channels = "'centre', 'password', 'kep', 'command', 'stop', 'wrong_number', 'erased'"
    op.create_table(
        "consent",
        sa.Column("id", ID, nullable=False),
        sa.Column("phone", sa.String(80), nullable=False),
        sa.Column("customer_no", sa.String(80)),
        sa.Column("bill", sa.Boolean(), nullable=False),
        sa.Column("reminder", sa.Boolean(), nullable=False),
        sa.Column("outage", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("text_id", ID),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("begun_at", UTC_TIME, nullable=False),
        sa.Column("ended_at", UTC_TIME),
        sa.Column("end_channel", sa.String(16)),
        sa.Column("ended_by", sa.String(64)),
        sa.Column("begin_file_id", ID),
        sa.Column("end_file_id", ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.ForeignKeyConstraint(["text_id"], ["consent_text.id"], name=op.f("fk_consent_text_id")),
        sa.ForeignKeyConstraint(["begin_file_id"], ["export_file.id"], name=op.f("fk_consent_begin_file_id")),
        sa.ForeignKeyConstraint(["end_file_id"], ["export_file.id"], name=op.f("fk_consent_end_file_id")),
        sa.CheckConstraint(f"channel IN ({channels})", name=op.f("ck_consent_channel")),
    )
    op.create_index("ix_consent_phone", "consent", ["phone", "id"])
    op.create_index("ix_consent_customer_no", "consent", ["customer_no", "id"])
    op.create_index("ix_consent_begun_at", "consent", ["begun_at"])
    _partial_index("uq_consent_open", "consent", ["phone", "customer_no"], where="ended_at IS NULL", unique=True)
    _partial_index("ix_consent_ended_at", "consent", ["ended_at"], where="ended_at IS NOT NULL")
    _partial_index("ix_consent_begin_untold", "consent", ["id"], where="begin_file_id IS NULL")
    untold = "end_file_id IS NULL AND ended_at IS NOT NULL"
    _partial_index("ix_consent_end_untold", "consent", ["id"], where=untold)
    _keep_what_is_registered()


def _keep_what_is_registered() -> None:
    """Who was registered before was so by `modemd register`: nothing else could do it."""
    op.execute(
        "INSERT INTO consent (phone, customer_no, bill, reminder, outage, channel, who, registered, begun_at)"
        " SELECT phone, customer_no, bill, reminder, outage, 'command', 'command', true, phone_customer.created_at"
        " FROM phone_customer JOIN phone ON phone.number = phone_customer.phone WHERE bill OR reminder OR outage"
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in APPEND_ONLY_POSTGRESQL:
            op.execute(statement)
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(APPEND_ONLY_SQLITE.format(verb=verb))


def _partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
