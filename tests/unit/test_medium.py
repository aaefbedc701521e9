"""What a port tells of its medium: units, marks for "not known", which row is whose."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import medium
from app.core.medium import CISCO_SENSOR, ENTITY_NAME, ENTITY_PARENT, ENTITY_PORT, SENSOR, AdslReading

IF_INDEX = "1.3.6.1.2.1.2.2.1.1"


@pytest.mark.parametrize(("raw", "full"), [(1, None), (2, False), (3, True), (None, None), (b"3", None)])
def test_a_duplex_that_is_unknown_to_the_agent_is_not_known(raw: object, full: bool | None) -> None:
    assert medium.read_duplex({f"{medium.DUPLEX}.7": raw}, 7) is full


def test_a_speed_of_zero_says_nothing() -> None:
    seen = {f"{medium.IF_HIGH_SPEED}.1": 0, f"{medium.IF_HIGH_SPEED}.2": 100}
    assert [medium.read_speed(seen, index) for index in (1, 2, 3)] == [None, 100, None]


@pytest.mark.parametrize(
    ("raw", "dbm"), [(-1234, -12.34), (0, 0.0), (-4500, -45.0), (-4501, None), (1000, 10.0), (1001, None), (2147483647, None), (None, None)]
)
def test_comware_tells_hundredths_of_dbm_and_its_mark_for_no_module_is_no_level(raw: int | None, dbm: float | None) -> None:
    assert medium.h3c_light({f"{medium.H3C_RX_POWER}.5": raw}, 5) == dbm


@pytest.mark.parametrize(("raw", "dbm"), [(-1234, -12.34), (100, -10.0), (1000, 0.0), (0, None), (-1, None), (-99999, None)])
def test_vrp_tells_hundredths_of_dbm_below_zero_and_microwatts_above(raw: int, dbm: float | None) -> None:
    ports = {f"{ENTITY_PORT}.67108873.0": f"{IF_INDEX}.5"}
    found = medium.huawei_light({f"{medium.HUAWEI_RX_POWER}.67108873": raw}, ports)
    assert found == ({} if dbm is None else {5: pytest.approx(dbm)})


def test_light_of_an_entity_that_is_no_port_belongs_to_nobody() -> None:
    assert medium.huawei_light({f"{medium.HUAWEI_RX_POWER}.9": -900}, {f"{ENTITY_PORT}.8.0": f"{IF_INDEX}.5"}) == {}


@given(st.floats(min_value=0.001, max_value=10_000))
def test_microwatts_and_dbm_are_two_words_for_one_power(microwatts: float) -> None:
    dbm = medium.microwatts_to_dbm(microwatts)
    assert dbm is not None
    assert math.isclose(1000 * 10 ** (dbm / 10), microwatts, rel_tol=1e-9)
    louder = medium.microwatts_to_dbm(2 * microwatts)
    assert louder is not None
    assert louder - dbm == pytest.approx(3.0103, abs=1e-4)


def sensor(root: str, entity: int, kind: int, scale: int, precision: int, raw: int, status: int = 1) -> dict[str, object]:
    values = zip(range(1, 6), (kind, scale, precision, raw, status), strict=True)
    return {f"{root}.{column}.{entity}": value for column, value in values}


def entities(name: bytes, *, mapped: bool) -> dict[str, object]:
    tree: dict[str, object] = {f"{ENTITY_NAME}.30": name, f"{ENTITY_PARENT}.30": 20, f"{ENTITY_PARENT}.20": 10, f"{ENTITY_PARENT}.10": 0}
    return tree | ({f"{ENTITY_PORT}.20.0": f"{IF_INDEX}.5"} if mapped else {})


@pytest.mark.parametrize(
    ("root", "readings", "dbm"),
    [
        (CISCO_SENSOR, (14, 9, 1, -123), -12.3),
        (CISCO_SENSOR, (14, 8, 0, -12300), -12.3),
        (SENSOR, (6, 7, 0, 100), -10.0),
        (SENSOR, (6, 6, 0, 100_000), -10.0),
        (SENSOR, (14, 9, 1, -123), None),
        (SENSOR, (8, 9, 1, -123), None),
        (SENSOR, (6, 7, 0, 0), None),
    ],
    ids=["dBm", "millidBm", "microwatts", "nanowatts", "no-dBm-in-the-standard", "celsius", "dark"],
)
def test_a_sensor_of_light_is_of_the_port_that_it_stands_in(root: str, readings: tuple[int, int, int, int], dbm: float | None) -> None:
    found = medium.sensor_light(sensor(root, 30, *readings), entities(b"Transceiver Receive Power Sensor", mapped=True), {}, root=root)
    assert found == ({} if dbm is None else {5: pytest.approx(dbm)})


@pytest.mark.parametrize(
    ("name", "port"),
    [
        (b"Gi0/1 Receive Power Sensor", 5),
        (b"Gi0/1 rx power", 5),
        (b"Gi0/10 Receive Power Sensor", None),
        (b"Gi0/1 Transmit Power Sensor", None),
        (b"Gi0/1 Temperature", None),
    ],
)
def test_a_sensor_that_stands_in_no_port_is_of_the_one_it_is_named_for(name: bytes, port: int | None) -> None:
    found = medium.sensor_light(sensor(CISCO_SENSOR, 30, 14, 9, 1, -80), entities(name, mapped=False), {"Gi0/1": 5}, root=CISCO_SENSOR)
    assert found == ({} if port is None else {port: -8.0})


def test_a_sensor_that_does_not_work_says_nothing_and_a_loop_of_parents_ends() -> None:
    tree = entities(b"Receive Power", mapped=False) | {f"{ENTITY_PARENT}.10": 30}
    assert medium.sensor_light(sensor(CISCO_SENSOR, 30, 14, 9, 1, -80), tree, {}, root=CISCO_SENSOR) == {}
    broken = sensor(CISCO_SENSOR, 30, 14, 9, 1, -80, status=2)
    assert medium.sensor_light(broken, entities(b"Receive Power", mapped=True), {}, root=CISCO_SENSOR) == {}


def adsl(index: int, channel: int | None = None) -> dict[str, object]:
    places = [index] * 4 + [channel or index] * 2
    values = (120, 110, 320, 180, 1_024_000, 512_000)
    return {f"{column}.{place}": value for column, place, value in zip(medium.ADSL_COLUMNS, places, values, strict=True)}


READ = AdslReading("ADSL-LINE-MIB, RFC 2662", 1024.0, 512.0, 12.0, 11.0, 32.0, 18.0)


@pytest.mark.parametrize("table", [adsl(7), adsl(7, channel=12), adsl(3)], ids=["its-own", "a-channel-apart", "the-only-one"])
def test_an_adsl_line_is_found_by_its_port_or_as_the_only_one(table: dict[str, object]) -> None:
    assert medium.read_adsl(table, (7,)) == READ


def test_of_two_strange_adsl_lines_neither_is_taken() -> None:
    assert medium.read_adsl(adsl(3) | adsl(4), (7,)) is None
    assert medium.read_adsl(adsl(3) | adsl(7), (8, 7)) == READ


def test_adsl2_rates_are_told_apart_by_their_size_and_marks_for_unknown_say_nothing() -> None:
    columns = dict(zip(medium.ADSL2_COLUMNS, (95, 2147483647, 300, 2147483646), strict=True))
    seen: dict[str, object] = {f"{column}.7": value for column, value in columns.items()}
    seen |= {f"{medium.ADSL2_RATE}.7.1": 512_000, f"{medium.ADSL2_RATE}.7.2": 1_024_000}
    assert medium.read_adsl(seen, (7,)) == AdslReading("ADSL2-LINE-MIB, RFC 4706", 1024.0, 512.0, 9.5, None, 30.0, None)
    del seen[f"{medium.ADSL2_RATE}.7.2"]
    assert medium.read_adsl(seen, (7,)) == AdslReading("ADSL2-LINE-MIB, RFC 4706", None, None, 9.5, None, 30.0, None)


def test_a_device_without_a_modem_has_no_line() -> None:
    assert medium.read_adsl({}, (7,)) is None
