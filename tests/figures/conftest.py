"""What several of these tests are given."""

from tests.figures.players import shown  # noqa: F401  # a fixture
