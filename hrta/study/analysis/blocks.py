"""Blocks of a page that commands write, between marks."""


def with_block(page: str, name: str, mark: str, text: str) -> str:
    """The page with the text between `<!-- mark -->` and `<!-- /mark -->` replaced.

    Args:
        page: text of the page.
        name: of the page, for messages.
        mark: of the block.
        text: the new one.

    Raises:
        ValueError: the page does not have each mark once, in this order.
    """
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found_start, rest = page.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end) or start in rest or end in before + after:
        raise ValueError(f"{name}: must have {start} and {end} once each, in this order")
    return f"{before}{start}\n{text}{end}{after}"
