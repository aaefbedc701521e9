"""A selection either means what it says or is refused: Nornir itself would match nothing, or everything, in silence."""

from __future__ import annotations

import pytest
from nornir.core import Nornir
from nornir.core.inventory import Group, Groups, Host, Hosts, Inventory, ParentGroups

from app.errors import InputError
from app.workflows.select import select


def nornir() -> Nornir:
    group = Group(name="cisco_ios")
    facts = {
        "city": {"role": "city_core", "region": "511900", "line": ""},
        "county01": {"role": "county_agg", "region": "511902", "line": "A-1"},
        "county02": {"role": "county_agg", "region": "511921", "line": "A-2"},
        "county01-u01": {"role": "urban_unit", "region": "511902", "line": "U-1"},
        "county01-t01": {"role": "township_unit", "region": "511902", "line": "T-1"},
    }
    hosts = {
        name: Host(name=name, data=dict(data), platform="cisco_ios", groups=ParentGroups([] if name == "city" else [group]))
        for name, data in facts.items()
    }
    return Nornir(inventory=Inventory(hosts=Hosts(hosts), groups=Groups(cisco_ios=group)))


def chosen(*names: str, terms: tuple[str, ...] = (), limit: int | None = None) -> list[str]:
    return list(select(nornir(), names, terms, limit).inventory.hosts)


ALL = ["city", "county01", "county02", "county01-u01", "county01-t01"]


@pytest.mark.parametrize(
    ("names", "terms", "expected"),
    [
        ((), (), ALL),
        (("city",), (), ["city"]),
        (("county01*", "city"), (), ["city", "county01", "county01-u01", "county01-t01"]),
        ((), ("region=511902",), ["county01", "county01-u01", "county01-t01"]),
        ((), ("region=511902", "role__any=county_agg,urban_unit"), ["county01", "county01-u01"]),
        ((), ("region=511902", "role!=county_agg", "role!=urban_unit"), ["county01-t01"]),
        ((), ("role__in=city_core,county_agg",), ["city", "county01", "county02"]),
        ((), ("role__startswith=county",), ["county01", "county02"]),
        ((), ("role__endswith!=_unit",), ["city", "county01", "county02"]),
        ((), ("line=",), ["city"]),
        ((), ("groups__contains=cisco_ios",), ALL[1:]),
        (("*-u*",), ("name__contains=county01",), ["county01-u01"]),
    ],
)
def test_names_globs_and_terms_choose(names: tuple[str, ...], terms: tuple[str, ...], expected: list[str]) -> None:
    assert chosen(*names, terms=terms) == expected


def test_a_limit_takes_the_first_in_order() -> None:
    assert chosen(limit=2) == ALL[:2]
    assert chosen(terms=("region=511902",), limit=1) == ["county01"]


@pytest.mark.parametrize("term", ["regio=511902", "regio!=511902", "region__like=5", "region__like!=5", "region__=5", "region", "=x", ""])
def test_an_unknown_key_or_operator_is_refused(term: str) -> None:
    with pytest.raises(InputError) as refusal:
        chosen(terms=(term,))
    assert f"-F {term}" in str(refusal.value)


def test_a_near_key_is_proposed() -> None:
    with pytest.raises(InputError, match=r"Write region\."):
        chosen(terms=("regio=1",))


def test_every_fault_of_a_selection_is_told_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        chosen(terms=("a=1", "region=511902", "role__like=x"))
    assert [finding.where for finding in refusal.value.findings] == ["-F a=1", "-F role__like=x"]


def test_an_unknown_name_is_refused_with_near_ones() -> None:
    with pytest.raises(InputError) as refusal:
        chosen("county1", "county02", "z*")
    assert [finding.found for finding in refusal.value.findings] == ["county1", "z*"]
    assert "county01" in refusal.value.findings[0].next_step


def test_a_selection_that_matches_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="none that match"):
        chosen("city", terms=("role=county_agg",))


def test_a_value_that_no_device_has_is_named_with_values_that_there_are() -> None:
    with pytest.raises(InputError) as refusal:
        chosen(terms=("region=511903", "role=township_unit", "groups__contains=huawei", "name=county1"))
    assert [str(finding) for finding in refusal.value.findings] == [
        "-F region=511903: devices by region: expected one or more; found none. Known are for example 511902, 511900, 511921.",
        "-F groups__contains=huawei: devices by groups: expected one or more; found none. Known are for example cisco_ios.",
        "-F name=county1: devices by name: expected one or more; found none. Known are for example county01, county02, county01-u01.",
    ]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="1 or more"):
        chosen(limit=0)
