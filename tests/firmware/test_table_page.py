"""The page that shows the state machine's table says what the table says."""

from tests.firmware import table_page


def test_the_page_is_up_to_date():
    assert table_page.PAGE.read_text() == table_page.page(), (
        f"write it again: python {table_page.__file__}"
    )
