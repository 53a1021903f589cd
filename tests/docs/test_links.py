"""Links between pages lead somewhere."""

import re

import pytest
from docs.pages import ROOT, pages, text, without_blocks

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page):
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#{1,6} (.+)$", without_blocks(text(page)), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def links():
    for page in pages():
        for target in LINK.findall(without_blocks(text(page))):
            if not target.startswith(("http://", "https://")):
                yield page, target


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(page, target):
    path, _, anchor = target.partition("#")
    file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
    assert file.exists()
    if anchor:
        assert anchor in anchors(str(file.relative_to(ROOT)))


@pytest.mark.parametrize("page", ["docs/security-model.md", "docs/how-a-decision-is-made.md"])
def test_the_files_that_a_page_names_are_there(page):
    named = re.findall(r"`((?:tests|extauthz|deploy)/[\w/.-]+)`", text(page))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_is_reached_from_the_readme():
    reached, todo = set(), ["README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        targets = [target.partition("#")[0] for here, target in links() if here == page]
        found = {str(((ROOT / page).parent / target).resolve().relative_to(ROOT)) for target in targets if target}
        todo += [target for target in found if target in pages() and target not in reached]
    decisions = {page for page in pages() if page.startswith("docs/decisions/")}  # a folder, which README names
    assert set(pages()) - reached - decisions == set()
