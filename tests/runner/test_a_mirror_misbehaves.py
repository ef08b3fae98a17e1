"""What a mirror can do wrong is `engine_missing`, with a sentence of what was asked, what came, and what to do."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.runner import download, releases, server
from agents.runner.depot import Depot
from agents.runner.engines import Binary, Engines
from agents.runner.errors import PhaseFailed
from tests.runner.mirror import PLATFORM, Mirror, cut, gives, leads_to, refuses, script, zipped
from tests.waiting import becomes_true

PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"
OTHER_MACHINE = b"\x7fELF\x02\x01\x01" + b"\0" * 100


class Storehouse:
    """A depot whose tofu comes from the mirror, in a folder of its own, on a machine without engines."""

    def __init__(self, folder: Path, mirror: Mirror, http: httpx.AsyncClient) -> None:
        self.said: list[str] = []
        self.folder = folder
        self.mirror = mirror
        self._http = http

    async def tofu(self, version: str = "1.11.4", *, address: str = "", seconds: float = 20) -> Binary:
        mirrors = {"tofu": releases.mirror("tofu", address or self.mirror.address, "")}
        found = Engines(self.folder, {"PATH": "/nowhere"}, {})
        depot = Depot(found, mirrors, self._http, agent_name="ada", seconds=seconds)
        return await depot.engine("tofu", version, self.said.append)

    async def refusal(self, **how: Any) -> str:
        """Return why tofu did not come, after a look that nothing was left behind."""
        with pytest.raises(PhaseFailed) as failure:
            await self.tofu(**how)
        assert failure.value.code == "engine_missing"
        assert self.left() == []
        return str(failure.value)

    def left(self) -> list[str]:
        """Return the names of what lies in the folder, without the locks."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file() and path.name != ".lock")


@pytest.fixture
async def house(tmp_path: Path, mirror: Mirror) -> AsyncIterator[Storehouse]:
    async with server.client() as http:
        yield Storehouse(tmp_path / "engines", mirror, http)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "AGAIN_SECONDS", 0.01)


def _a_page_for_the_sums(mirror: Mirror) -> None:
    mirror.acts[mirror.sums()] = gives(PAGE, "text/html")


def _a_page_for_the_archive(mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = gives(PAGE, "text/html")


def _another_archive(mirror: Mirror) -> None:
    mirror.publish(sum_of=b"what was meant")


def _no_such_version(mirror: Mirror) -> None:
    mirror.acts.clear()


def _no_archive(mirror: Mirror) -> None:
    del mirror.acts[mirror.archive()]


def _other_platforms(mirror: Mirror) -> None:
    lines = f"{'a' * 64}  tofu_1.11.4_darwin_arm64.zip\n{'b' * 64}  tofu_1.11.4_plan9_amd64.zip\n"
    mirror.acts[mirror.sums()] = gives(lines.encode(), "text/plain")


def _a_circle(mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = leads_to("/other")
    mirror.acts["/other"] = leads_to(mirror.archive())


def _always_cut(mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = cut(zipped("tofu", script()))


def _always_broken(mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = refuses(503)


def _a_binary_of_another_machine(mirror: Mirror) -> None:
    mirror.publish(archive=zipped("tofu", OTHER_MACHINE))


def _a_binary_of_another_version(mirror: Mirror) -> None:
    mirror.publish(archive=zipped("tofu", script("1.11.3")))


def _an_archive_without_it(mirror: Mirror) -> None:
    mirror.publish(archive=zipped("terraform", script()))


def _half_an_archive(mirror: Mirror) -> None:
    mirror.publish(archive=zipped("tofu", script())[:300])


def _an_archive_of_another_kind_with_a_fault(mirror: Mirror) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("tofu", script())
    content = bytearray(file.getvalue())
    content[40:140] = b"\xff" * 100
    mirror.publish(archive=bytes(content))


FAULTS: dict[Callable[[Mirror], None], str] = {
    _a_page_for_the_sums: "/v1.11.4/tofu_1.11.4_SHA256SUMS is no list of SHA-256 sums: a web page came",
    _a_page_for_the_archive: "is not what the mirror's list says: a web page came, 55 bytes with the SHA-256",
    _another_archive: "is not what the mirror's list says: a zip archive came",
    _no_such_version: "/v1.11.4/tofu_1.11.4_SHA256SUMS answered 404 Not Found.",
    _no_archive: f"/v1.11.4/tofu_1.11.4_{PLATFORM}.zip answered 404 Not Found.",
    _other_platforms: f"names no tofu_1.11.4_{PLATFORM}.zip, but darwin_arm64, plan9_amd64.",
    _a_circle: f"tofu_1.11.4_{PLATFORM}.zip leads from one address to the next without end.",
    _always_cut: "failed (peer closed connection without sending complete message body",
    _always_broken: f"tofu_1.11.4_{PLATFORM}.zip answered 503 Service Unavailable.",
    _a_binary_of_another_machine: f"does not run on this {PLATFORM}; it was built for something else",
    _a_binary_of_another_version: f"tofu_1.11.4_{PLATFORM}.zip says that it is version 1.11.3.",
    _an_archive_without_it: f"tofu_1.11.4_{PLATFORM}.zip holds no file tofu.",
    _half_an_archive: "cannot be unpacked (BadZipFile).",
    _an_archive_of_another_kind_with_a_fault: "cannot be unpacked (LZMAError).",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
async def test_each_fault_has_its_sentence(house: Storehouse, mirror: Mirror, fault: Callable[[Mirror], None]) -> None:
    mirror.publish()
    fault(mirror)
    told = await house.refusal()
    assert FAULTS[fault] in told
    assert told.startswith("Agent ada has no tofu 1.11.4; it has no engine. It could not be downloaded: ")
    assert told.endswith(
        f"Put the binary on the agent's PATH or at {house.folder}/tofu/1.11.4/tofu, give the agent another "
        "IAC_AGENT_TOFU_MIRROR, or the workspace another version."
    )


@pytest.mark.parametrize("fault", [cut(b"half of it"), refuses(503), refuses(429)])
async def test_what_passes_is_tried_a_second_time(house: Storehouse, mirror: Mirror, fault: Any) -> None:
    archive = mirror.publish()
    mirror.acts[mirror.archive()] = [fault, gives(archive)]
    assert (await house.tofu()).engine.version == "1.11.4"
    assert mirror.asked == [mirror.sums(), mirror.archive(), mirror.archive()]


async def test_a_mirror_that_is_not_there_is_asked_twice_and_named(house: Storehouse, mirror: Mirror) -> None:
    mirror.close()
    assert f"the connection to {mirror.address}/v1.11.4/tofu_1.11.4_SHA256SUMS failed" in await house.refusal()


async def test_a_slow_one_is_given_up_after_its_time(house: Storehouse, mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    told = await house.refusal(seconds=1)
    assert f"{mirror.address}{mirror.archive()} was not complete after 1 s." in told


async def test_one_that_falls_silent_is_given_up_sooner(
    house: Storehouse, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_TIMEOUT", httpx.Timeout(0.2))
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    assert "did not answer, or sent nothing for 30 s." in await house.refusal()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("installing.ARCHIVE_BYTES", "sends more than 0 MiB, the most that is taken"),
        ("placing.ENGINE_BYTES", "is larger than 0 MiB"),
    ],
)
async def test_no_more_is_taken_than_an_engine_can_have(
    house: Storehouse, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(f"agents.runner.{limit}", 1000)
    mirror.publish()
    assert words in await house.refusal()


async def test_a_folder_that_cannot_be_written_is_named(house: Storehouse, mirror: Mirror) -> None:
    mirror.publish()
    house.folder.write_text("not a folder")
    assert f"{house.folder}/tofu/1.11.4 cannot be written (Not a directory)." in await _told(house)


async def _told(house: Storehouse) -> str:
    with pytest.raises(PhaseFailed) as failure:
        await house.tofu()
    return str(failure.value)


@pytest.mark.parametrize("version", ["../../../tmp/x", "1.11", "latest", "1.11.4/../.."])
async def test_what_is_no_version_is_no_address_and_no_folder(
    house: Storehouse, mirror: Mirror, version: str, tmp_path: Path
) -> None:
    assert "that is no version, such as 1.11.4." in await house.refusal(version=version)
    assert (mirror.asked, list(tmp_path.iterdir())) == ([], [])


async def test_credentials_of_the_address_are_sent_to_the_mirror_alone_and_said_to_nobody(
    house: Storehouse, mirror: Mirror
) -> None:
    archive, elsewhere = mirror.publish(), Mirror()
    signed = f"{elsewhere.address}/signed?signature=s3cret"
    mirror.acts[mirror.archive()] = [leads_to(signed), leads_to(signed)]
    elsewhere.acts["/signed?signature=s3cret"] = [refuses(403), gives(archive)]
    address = mirror.address.replace("http://", "http://ci:s3cret@")
    told = await house.refusal(address=address)
    assert f"{mirror.archive()}, which leads to {elsewhere.address}/signed, answered 403 Forbidden." in told
    await house.tofu(address=address)
    assert [bool(word) for word in (*mirror.words, *elsewhere.words)] == [True] * 4 + [False] * 2
    assert "s3cret" not in f"{told}{house.said}"
    elsewhere.close()


async def test_what_was_promised_by_https_does_not_come_without_it() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        to = {"Location": "http://mirror/plain"} if request.url.scheme == "https" else {}
        return httpx.Response(302 if to else 200, headers=to, content=b"" if to else b"anything")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(download.DownloadFailed, match="https://mirror/x leads to an address that is not https"):
            await download.into(io.BytesIO(), http, "https://mirror/x", most=99, progress=download.nobody)


async def test_a_cancelled_download_leaves_nothing_and_holds_nobody_up(house: Storehouse, mirror: Mirror) -> None:
    archive = mirror.publish()
    mirror.acts[mirror.archive()] = [mirror.holds_back(archive), gives(archive)]
    first = asyncio.create_task(house.tofu())
    await becomes_true(lambda: mirror.archive() in mirror.asked)
    first.cancel()
    await asyncio.wait((first,))
    assert house.left() == []
    assert (await house.tofu()).path == house.folder / "tofu" / "1.11.4" / "tofu"
    assert house.left() == ["tofu"]


async def test_who_waits_in_vain_for_another_ones_download_gives_up_at_his_own_time(
    house: Storehouse, mirror: Mirror
) -> None:
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    first = asyncio.create_task(house.tofu())
    await becomes_true(lambda: mirror.archive() in mirror.asked)
    with pytest.raises(PhaseFailed, match="was not complete after 1 s"):
        await house.tofu(seconds=1)
    assert house.said[-1] == "Waits for tofu 1.11.4, which is being downloaded already."
    mirror.go_on.set()
    assert (await first).engine.version == "1.11.4"


async def test_this_machine_is_asked_for_in_the_words_of_the_makers() -> None:
    release = releases.mirror("terraform", None, "").release("1.12.0")
    assert release.archive_address == f"https://releases.hashicorp.com/terraform/1.12.0/terraform_1.12.0_{PLATFORM}.zip"
    assert release.sums_address == "https://releases.hashicorp.com/terraform/1.12.0/terraform_1.12.0_SHA256SUMS"
    tofu = releases.mirror("tofu", None, "").release("1.9.0")
    home = "https://github.com/opentofu/opentofu/releases/download/v1.9.0"
    assert (tofu.archive_address, tofu.sums_address) == (
        f"{home}/tofu_1.9.0_{PLATFORM}.zip",
        f"{home}/tofu_1.9.0_SHA256SUMS",
    )
