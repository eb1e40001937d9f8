"""States of an issue and what each act makes of them."""

from enum import StrEnum


class IssueState(StrEnum):
    """``draft -> in_review -> approved``; returned, edited or expired, an issue is a draft again."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


class ReviewAct(StrEnum):
    """What people do to an issue on its way to approval."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
