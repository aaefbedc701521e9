"""The file that says where simulated devices listen: read whole, loopback only, no way round the guard."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.endpoints import Endpoint, format_endpoints, read_endpoints
from app.errors import InputError, UnsafeRoute
from app.settings import read_settings
from app.workflows.endpoints import snmp_endpoint, ssh_endpoint

CONTACT = IPv4Address("198.19.0.1")


def error(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_endpoints(path)
    return str(caught.value).replace(str(path.parent), "") + "\n"


def test_every_row_that_is_no_endpoint_is_named_at_once(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    rows = (
        "198.19.0.1,127.64.0.1,2222,1161",
        "198.19.0.2,198.19.0.2,22,161",
        "198.19.0.3,127.64.0.3,0,1161",
        "198.19.0.4,127.64.0.4,2222",
        "198.19.0.1,127.64.0.5,2222,1161",
        "",
        "one,127.64.0.6,2222,1161",
    )
    golden("endpoints/rows.txt", error(tmp_path / "endpoints.csv", "contact,address,ssh_port,snmp_port\n" + "\n".join(rows)))


def test_another_first_line_is_refused(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    golden("endpoints/columns.txt", error(tmp_path / "endpoints.csv", "contact;address\n198.19.0.1;127.0.0.1\n"))


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"waiwang virtual up"):
        read_endpoints(tmp_path / "none.csv")


def test_an_address_that_is_not_listed_is_not_contacted(tmp_path: Path) -> None:
    (tmp_path / "endpoints.csv").write_text(format_endpoints([Endpoint(CONTACT, IPv4Address("127.64.0.1"), 2222, 1161)]))
    settings = read_settings({"WAIWANG_ENDPOINTS": str(tmp_path / "endpoints.csv")})
    assert ssh_endpoint(settings)(CONTACT) == (IPv4Address("127.64.0.1"), 2222)
    assert snmp_endpoint(settings)(CONTACT) == (IPv4Address("127.64.0.1"), 1161)
    for endpoint in (ssh_endpoint(settings), snmp_endpoint(settings)):
        with pytest.raises(UnsafeRoute, match=r"198\.19\.0\.2: .*Nothing was sent"):
            endpoint(IPv4Address("198.19.0.2"))


def test_without_a_file_devices_listen_at_their_own_addresses() -> None:
    settings = read_settings({"WAIWANG_SSH_PORT": "2022", "WAIWANG_SNMP_PORT": "1610"})
    assert ssh_endpoint(settings)(CONTACT) == (CONTACT, 2022)
    assert snmp_endpoint(settings)(CONTACT) == (CONTACT, 1610)


ENDPOINTS = st.builds(
    Endpoint,
    st.ip_addresses(v=4),
    st.integers(0x7F000000, 0x7FFFFFFF).map(IPv4Address),
    st.integers(1, 65535),
    st.integers(1, 65535),
)


@given(endpoints=st.lists(ENDPOINTS, unique_by=lambda each: each.contact, max_size=20))
def test_what_is_written_is_read_again(endpoints: list[Endpoint], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("endpoints") / "endpoints.csv"
    path.write_text(format_endpoints(endpoints), encoding="utf-8")
    read = read_endpoints(path)
    assert [(each.contact, *read.ssh(each.contact), read.snmp(each.contact)[1]) for each in endpoints] == [
        (each.contact, each.address, each.ssh_port, each.snmp_port) for each in endpoints
    ]
