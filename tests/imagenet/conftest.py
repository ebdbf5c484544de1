"""What the tests of the two studies share."""

from tests.responses.conftest import multilabel, written

__all__ = ["multilabel", "written"]
