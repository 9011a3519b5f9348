"""`line_rule.prefixes` where it is missing: revision 0005 was first without it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "prefixes" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("line_rule")}:
        op.add_column("line_rule", sa.Column("prefixes", sa.Text()))
