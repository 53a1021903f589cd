import os

import pytest
from support.catalogs import api, catalog_document, text_of

from extauthz.catalog.file_source import FileSource
from extauthz.document.mistakes import DocumentError, Mistake, UnreadyDocumentError


class Listener:
    def __init__(self):
        self.accepted = []
        self.kept = []
        self.refuse = False
        self.unready = False

    async def accept(self, contents):
        if self.refuse:
            raise DocumentError("catalog", [Mistake(location=(), message="no")])
        if self.unready:
            raise UnreadyDocumentError("catalog", [Mistake(location=(), message="not now")])
        self.accepted.append(contents)

    def keep(self, problem):
        self.kept.append(problem)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "catalog.yaml"
    file.write_text(text_of(catalog_document()))
    return file


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def source(path, listener):
    return FileSource(path, listener)


async def test_a_file_is_read_again_only_when_it_changed(path, listener, source):
    await source.load()
    await source.refresh()
    assert len(listener.accepted) == 1
    path.write_text(text_of(catalog_document(apis=[api(name="Renamed")])))
    await source.refresh()
    assert [contents.apis[0].name for contents in listener.accepted] == ["PetStore", "Renamed"]


async def test_a_file_that_was_put_in_place_of_the_old_one_is_read(path, listener, source, tmp_path):
    """As editors and mounted ConfigMaps do, with the times and the size of the old one."""
    await source.load()
    new = tmp_path / "new.yaml"
    new.write_text(path.read_text().replace("PetStore", "PetStall"))
    times = path.stat()
    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    new.rename(path)
    await source.refresh()
    assert listener.accepted[-1].apis[0].name == "PetStall"


async def test_a_broken_file_keeps_the_last_good_catalog_and_is_reported_once(path, listener, source):
    await source.load()
    path.write_text("apis: 5")
    await source.refresh()
    await source.refresh()
    assert len(listener.accepted) == 1
    assert len(listener.kept) == 1


async def test_a_file_that_vanished_keeps_the_last_good_catalog(path, listener, source):
    await source.load()
    path.unlink()
    await source.refresh()
    assert len(listener.kept) == 1
    path.write_text(text_of(catalog_document()))
    await source.refresh()
    assert len(listener.accepted) == 2


async def test_contents_that_the_listener_refuses_are_kept_out(path, listener, source):
    await source.load()
    listener.refuse = True
    path.write_text(text_of(catalog_document(subscriptions=[])))
    await source.refresh()
    assert len(listener.accepted) == 1
    assert len(listener.kept) == 1


async def test_contents_that_cannot_be_used_only_now_are_tried_again_though_the_file_stays(path, listener, source):
    await source.load()
    listener.unready = True
    path.write_text(text_of(catalog_document(subscriptions=[])))
    await source.refresh()
    assert (len(listener.accepted), len(listener.kept)) == (1, 1)
    listener.unready = False
    await source.refresh()
    await source.refresh()
    assert (len(listener.accepted), len(listener.kept)) == (2, 1)


async def test_the_first_load_says_what_is_wrong(path, source):
    path.write_text("apis: 5")
    with pytest.raises(DocumentError, match="apis"):
        await source.load()
