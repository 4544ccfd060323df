"""Every page of the built book, in a real browser."""

from tests.browser import accessibility_problems, overflow


def read_to_the_end(page) -> None:
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # what loads when in view
    page.wait_for_load_state("networkidle")


def test_it_opens_from_disk_in_silence(open_page, book, page_path) -> None:
    page = open_page(f"{book.as_uri()}/{page_path}")  # which checks console and requests at the end
    read_to_the_end(page)

    assert page.title()


def test_it_is_for_every_reader_in_either_theme_and_on_a_phone(open_page, http, page_path) -> None:
    page = open_page(http + page_path, color_scheme="light")
    read_to_the_end(page)
    names = page.evaluate("[...document.querySelectorAll('.vaelab [id]')].map((el) => el.id)")
    assert len(names) == len(set(names))  # each widget brings its own copy of shared scripts

    # Pages of the reference are long and alike: in the dark, one of them stands for all.
    alike = page_path.startswith("api/") and page_path != "api/training.html"
    found = {}
    for theme in ("light",) if alike else ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(
            """theme => [theme, undefined].includes(document.documentElement.dataset.theme)
                && !document.getAnimations().some((each) => each.playState === "running")""",
            arg=theme,
        )
        found[theme] = accessibility_problems(page)
    assert not any(found.values()), found

    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert overflow(page) == 0


def test_the_front_page_leads_to_the_introduction(open_page, address) -> None:
    page = open_page(address + "index.html")
    page.wait_for_url("**/intro.html")

    assert page.get_by_role("heading", level=1).is_visible()
