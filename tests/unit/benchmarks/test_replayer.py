"""The replayer's frames, read by an HTTP/2 library that nobody here wrote."""

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from benchmarks.http2_frames import END_HEADERS, END_STREAM, FrameType, frame, frames, greeting, headers
from benchmarks.replayer import bodies
from benchmarks.requests import check_request, numbered_token


@pytest.fixture
def server():
    connection = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    connection.initiate_connection()
    return connection


def request(stream, body):
    block = headers("127.0.0.1:9191", "/envoy.service.auth.v3.Authorization/Check")
    return frame(FrameType.HEADERS, END_HEADERS, stream, block) + frame(FrameType.DATA, END_STREAM, stream, body)


def test_a_server_reads_the_requests(server):
    events = server.receive_data(greeting() + request(1, b"first") + request(3, b"second"))
    asked = [dict(event.headers) for event in events if isinstance(event, RequestReceived)]
    assert [each[b":path"] for each in asked] == [b"/envoy.service.auth.v3.Authorization/Check"] * 2
    assert asked[0][b"content-type"] == b"application/grpc"
    assert [event.data for event in events if isinstance(event, DataReceived)] == [b"first", b"second"]
    assert sum(isinstance(event, StreamEnded) for event in events) == 2


def test_a_long_header_is_read_as_it_was_written(server):
    path = "/" + "x" * 1000
    events = server.receive_data(greeting() + frame(FrameType.HEADERS, END_HEADERS, 1, headers("a", path)))
    (asked,) = [event for event in events if isinstance(event, RequestReceived)]
    assert dict(asked.headers)[b":path"] == path.encode()


def test_answers_are_read_frame_by_frame_however_they_arrive(server):
    server.receive_data(greeting() + request(1, b"asked"))
    server.data_to_send()
    server.send_headers(1, [(":status", "200")])
    server.send_data(1, b"answer")
    server.send_headers(1, [("grpc-status", "0")], end_stream=True)
    received, seen = bytearray(), []
    for octet in server.data_to_send():
        received.append(octet)
        seen += list(frames(received))
    assert [(each.type, each.stream) for each in seen] == [
        (FrameType.HEADERS, 1),
        (FrameType.DATA, 1),
        (FrameType.HEADERS, 1),
    ]
    assert seen[1].payload == b"answer"
    assert seen[2].flags & END_STREAM
    assert not received


def test_each_request_has_the_token_that_is_due():
    sent = list(bodies(6, 3))
    assert len(set(sent)) == 3
    assert sent[:3] == sent[3:]
    expected = {check_request(numbered_token(number)) for number in range(3)}
    assert {body[5:] for body in sent} == expected
    assert all(int.from_bytes(body[1:5], "big") == len(body) - 5 for body in sent)


def test_a_given_request_is_sent_as_it_is():
    given = check_request("eyJ.another.token")
    assert {body[5:] for body in bodies(2, 1, given)} == {given}
