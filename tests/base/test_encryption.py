"""Secrets at rest open only with a configured key and for the owner that they were sealed for."""

import pytest
from pytest_django import Settings

from iacplatform.base import encryption
from iacplatform.base.encryption import Unreadable

OLD, NEW = f"old:{'1' * 64}", f"new:{'2' * 64}"


def test_what_was_sealed_opens_for_its_owner() -> None:
    assert encryption.unseal(encryption.seal(b"secret", "variable:1"), "variable:1") == b"secret"


def test_a_sealed_value_names_its_format_and_key_and_hides_its_content(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = NEW
    sealed = encryption.seal(b"secret", "variable:1")
    assert sealed.startswith(b"iac1.new.")
    assert b"secret" not in sealed


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert encryption.seal(b"secret", "variable:1") != encryption.seal(b"secret", "variable:1")


def test_a_value_moved_to_another_owner_does_not_open() -> None:
    with pytest.raises(Unreadable, match="does not belong to variable:2"):
        encryption.unseal(encryption.seal(b"secret", "variable:1"), "variable:2")


def test_a_damaged_value_does_not_open() -> None:
    sealed = bytearray(encryption.seal(b"secret", "variable:1"))
    sealed[-1] ^= 1
    with pytest.raises(Unreadable, match="damaged"):
        encryption.unseal(bytes(sealed), "variable:1")


def test_a_value_cut_short_does_not_open() -> None:
    with pytest.raises(Unreadable):
        encryption.unseal(encryption.seal(b"secret", "variable:1")[:15], "variable:1")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = OLD
    before = encryption.seal(b"secret", "variable:1")
    settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    assert encryption.unseal(before, "variable:1") == b"secret"
    assert encryption.seal(b"secret", "variable:1").startswith(b"iac1.new.")


def test_without_its_key_a_value_stays_closed_and_the_error_names_the_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = OLD
    before = encryption.seal(b"secret", "variable:1")
    settings.ENCRYPTION_KEYS = NEW
    with pytest.raises(Unreadable, match="No key 'old' is configured") as refused:
        encryption.unseal(before, "variable:1")
    assert "secret" not in str(refused.value)
