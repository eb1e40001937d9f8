"""An issue's history tells what was taken back by hand from what a change of its content took back."""

from alembic import op

revision = "0140"
down_revision = "0130"
branch_labels = None
depends_on = None

ACTS = "act IN ('submitted', 'returned', 'passed', 'approved', 'withdrawn', 'changed', 'expired')"
FORMER_ACTS = "act IN ('submitted', 'returned', 'passed', 'approved', 'withdrawn', 'expired')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_reviews_act"), "reviews", type_="check")
    op.create_check_constraint(op.f("ck_reviews_act"), "reviews", ACTS)
    # The review bears the time its transaction began, the entry that of the act itself.
    op.execute(
        """
        UPDATE reviews r SET act = 'changed' FROM audit_entries a
        WHERE r.act = 'withdrawn' AND a.action = 'issue.withdrawn' AND a.subject_type = 'issue'
        AND a.subject_id = r.issue_id AND a.at BETWEEN r.at AND r.at + interval '1 minute'
        AND a.details ->> 'because' = 'changed'
        """
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_reviews_act"), "reviews", type_="check")
    op.execute("UPDATE reviews SET act = 'withdrawn' WHERE act = 'changed'")
    op.create_check_constraint(op.f("ck_reviews_act"), "reviews", FORMER_ACTS)
