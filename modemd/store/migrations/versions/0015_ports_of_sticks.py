"""The ports of a modem's stick, and which of them is taken."""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    recreate: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    paused: sa.Column[bool] = sa.Column(
        "paused", sa.Boolean(), nullable=False, server_default=sa.text("false")
    )  # read with brackets
    with op.batch_alter_table("modem", recreate=recreate, reflect_args=(paused,)) as modem:
        modem.add_column(sa.Column("ports", sa.Text()))
