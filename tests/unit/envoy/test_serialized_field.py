"""Fields made by hand are those that the generated classes make and read."""

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse, OkHttpResponse
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from extauthz.envoy.serialized_field import serialized_field

LENGTHS = [0, 1, 127, 128, 129, 16_383, 16_384, 70_000, 2_097_151, 2_097_152]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_field_is_as_the_generated_class_writes_it(length):
    # Two bytes of the message are its own field's tag and, for short ones, its length.
    ok = OkHttpResponse(query_parameters_to_remove=["x" * length])
    by_hand = serialized_field(CheckResponse.OK_RESPONSE_FIELD_NUMBER, ok.SerializeToString())
    assert by_hand == CheckResponse(ok_response=ok).SerializeToString()


def test_a_field_whose_tag_takes_two_bytes_is_too():
    """Number 999 of FieldDescriptorProto's options is one: `uninterpreted_option`."""
    proto = FieldDescriptorProto()
    part = proto.options.uninterpreted_option.add()
    part.string_value = b"x"
    assert serialized_field(999, part.SerializeToString()) == proto.options.SerializeToString()


def test_parts_of_one_message_become_one_field():
    parts = (OkHttpResponse(headers_to_remove=["a"]), OkHttpResponse(query_parameters_to_remove=["b"]))
    whole = serialized_field(
        CheckResponse.OK_RESPONSE_FIELD_NUMBER, b"".join(part.SerializeToString() for part in parts)
    )
    ok = CheckResponse.FromString(whole).ok_response
    assert (list(ok.headers_to_remove), list(ok.query_parameters_to_remove)) == (["a"], ["b"])
