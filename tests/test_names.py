"""Names of what an answer holds."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from hooks.names import named, namespace_of


@given(st.uuids(), st.text(st.characters(codec="utf-8")))
def test_a_name_is_the_uuid_of_version_5(namespace: UUID, what: str) -> None:
    assert named(namespace.bytes, what) == str(uuid5(namespace, what))
    assert namespace_of(namespace.bytes, what) == uuid5(namespace, what).bytes
