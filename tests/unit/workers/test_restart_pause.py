"""A worker that ends again and again is started less and less often."""

from extauthz.workers.restart_pause import RestartPause


def test_pauses_grow_up_to_half_a_minute():
    pause = RestartPause()
    pauses = [pause.after(1.0) for _ in range(10)]
    assert pauses[:3] == [0.25, 0.5, 1.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30.0


def test_after_a_long_life_it_is_soon_there_again():
    pause = RestartPause()
    for _ in range(10):
        pause.after(1.0)
    assert pause.after(30.0) == 0.25
    assert pause.after(1.0) == 0.5
