import os
from pathlib import Path

import pytest

from iacplatform.supervisor import home
from iacplatform.supervisor.errors import HomeInUse


def test_a_second_up_in_one_folder_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    with (
        home.owned(tmp_path),
        pytest.raises(HomeInUse, match=f"in use by another `manage.py up` \\(process {os.getpid()}\\)"),
        home.owned(tmp_path),
    ):
        pass


def test_a_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with home.owned(tmp_path / "new"):
        pass
    with home.owned(tmp_path / "new"):
        pass
