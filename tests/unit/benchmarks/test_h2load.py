import pytest

from benchmarks.h2load import framed, parsed_per_second

PRINTED = """finished in {time}, 4000.00 req/s, 1.64MB/s
requests: 2000 total, 2000 started, 2000 done, {good} succeeded, {bad} failed, 0 errored, 0 timeout
status codes: {good} 2xx, 0 3xx, 0 4xx, {bad} 5xx
"""


@pytest.mark.parametrize(("time", "per_second"), [("500.00ms", 4_000), ("2.00s", 1_000), ("500000us", 4_000)])
def test_a_rate_is_read_in_every_unit(time, per_second):
    assert parsed_per_second(PRINTED.format(time=time, good=2000, bad=0), 2000) == pytest.approx(per_second)


def test_a_load_of_which_some_failed_is_no_figure():
    with pytest.raises(RuntimeError, match="not every request succeeded"):
        parsed_per_second(PRINTED.format(time="1.00s", good=1999, bad=1), 2000)


def test_a_message_is_framed_with_its_length():
    assert framed(b"abc") == b"\0\0\0\0\3abc"
