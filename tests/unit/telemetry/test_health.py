"""When the process may be sent requests."""

import pytest

from extauthz.telemetry.health import Component, Health


def test_nothing_is_well_before_it_is_reported():
    health = Health()
    assert not health.ready
    assert health.components["catalog"] == Component(ok=False, essential=True, detail="not started")


def test_the_process_is_ready_with_every_essential_component():
    health = Health(essential={"catalog", "revocation"}, dispensable={"cache"})
    health.report("catalog", ok=True)
    assert not health.ready
    health.report("revocation", ok=True)
    assert health.ready


def test_the_process_is_ready_without_its_cache_and_while_no_news_of_revocations_come():
    health = Health()
    health.report("catalog", ok=True)
    health.report("cache", ok=False, detail="connection refused")
    health.report("revocation_channel", ok=False, detail="connection refused")
    assert not health.ready
    health.report("revocations", ok=True)
    assert health.ready
    assert health.components["cache"] == Component(ok=False, essential=False, detail="connection refused")


def test_the_process_is_not_ready_once_an_essential_component_fails():
    health = Health(essential={"catalog"})
    health.report("catalog", ok=True)
    health.report("catalog", ok=False)
    assert not health.ready


def test_a_name_in_both_sets_is_essential():
    assert Health(essential={"cache"}, dispensable={"cache"}).components["cache"].essential


def test_draining_is_for_good():
    health = Health()
    health.begin_draining()
    health.report("catalog", ok=True)
    assert health.draining
    assert not health.ready


def test_listeners_hear_of_changes_and_of_nothing_else():
    health, heard = Health(essential={"catalog"}), []
    health.subscribe(lambda changed: heard.append((changed.ready, changed.draining)))
    health.report("catalog", ok=True)
    health.report("catalog", ok=True)
    health.begin_draining()
    health.begin_draining()
    assert heard == [(True, False), (False, True)]


def test_a_component_that_nobody_declared_is_not_accepted():
    with pytest.raises(KeyError, match="catalogue"):
        Health().report("catalogue", ok=True)


def test_the_components_cannot_be_changed_from_outside():
    components = Health().components
    with pytest.raises(TypeError):
        components["catalog"] = Component(ok=True, essential=True)  # type: ignore[index]


def test_the_repr_tells_the_state():
    assert repr(Health()) == (
        "<Health ready=False draining=False failed="
        "['cache', 'catalog', 'catalog_source', 'revocation_channel', 'revocations']>"
    )


def test_other_components_take_the_place_of_all_but_the_added_ones_in_one_step():
    health, told = Health(), []
    health.add("settings")
    health.report("settings", ok=True, detail="applied")
    health.subscribe(lambda now: told.append(now.ready))
    ready = {name: Component(ok=True, essential=True) for name in ("catalog", "revocations")}
    health.become(ready)
    health.become(ready)
    assert told == [True]
    assert health.components == ready | {"settings": Component(ok=True, essential=False, detail="applied")}


def test_an_added_component_may_be_essential_whatever_the_others_become():
    health = Health()
    health.add("listener", essential=True)
    health.become({name: Component(ok=True, essential=True) for name in ("catalog", "revocations")})
    assert not health.ready
    health.report("listener", ok=True)
    assert health.ready
