"""The workspace of the repository root is Bazhong's order of 2008, whole and consistent."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from app.core.milestone import Milestone
from app.core.scope import LEVELS
from app.core.service_class import ServiceClass
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.errors import ExitCode
from app.workflows.check import check

ROOT = Path(__file__).parents[2]
COUNTIES = {"511902": "巴州区", "511921": "通江县", "511922": "南江县", "511923": "平昌县"}


@pytest.fixture(scope="module")
def bazhong() -> Workspace:
    return read_workspace(ROOT)[0]


def milestone(workspace: Workspace, name: str) -> Milestone:
    return next(milestone for milestone in workspace.order.milestones if milestone.milestone_id == name)


def test_check_finds_nothing_and_the_ledger_is_complete() -> None:
    report = check(ROOT, today=date(2008, 4, 1))
    assert report.findings == ()
    assert report.exit_code is ExitCode.OK
    assert not [note for note in report.notes if note.where == "ipplan/allocations.csv"]
    assert report.counts["lines"] == 420


def test_every_requirement_of_the_order_is_kept_somewhere(bazhong: Workspace) -> None:
    assert list(bazhong.order.requirements) == [f"BZ-{number}" for number in range(1, 15)]


def test_everything_that_the_order_rules_dates_and_asks_is_kept_for_some_requirement(bazhong: Workspace) -> None:
    kept = {part for requirement in bazhong.order.requirements.values() for part in requirement.kept}
    order = bazhong.order
    assert {f"rulings.{name}" for name in order.rulings} <= kept
    assert {f"milestones.{each.milestone_id}" for each in order.milestones} <= kept
    assert {f"duties.{each.duty_id}" for each in order.duties} <= kept
    assert {f"gates.{each.gate_id}" for each in order.gates} <= kept
    assert {f"service_classes.{name}" for name, kind in order.classes.items() if not kind.source.default} <= kept


@pytest.mark.requirement("BZ-1")
def test_the_tiers_are_one_city_four_counties_and_their_townships(bazhong: Workspace) -> None:
    regions = bazhong.inventory.regions
    assert {code: region.name for code, region in regions.items() if region.level == "county"} == COUNTIES
    assert {region.parent for region in regions.values() if region.level == "county"} == {"511900"}
    assert {unit.level for unit in bazhong.inventory.units.values()} == set(LEVELS)


@pytest.mark.requirement("BZ-14")
def test_annex_2_gives_71_bodies_of_which_the_five_liaison_offices_have_no_line(bazhong: Workspace) -> None:
    bodies = [unit for unit in bazhong.inventory.units.values() if unit.level == "city" and unit.kind != "centre"]
    out = [unit for unit in bodies if not unit.in_scope]
    assert len(bodies) == 71
    assert [unit.kind for unit in out] == ["liaison_office"] * 5
    assert {unit.ruling for unit in out} == {"R-BZ-14-LIAISON"}
    assert {unit.ruling for unit in bodies if unit.kind == "enterprise"} == {"R-BZ-14-ENTERPRISE"}


def test_each_county_has_a_government_departments_and_townships_marked_as_samples(bazhong: Workspace) -> None:
    for code in COUNTIES:
        units = [unit for unit in bazhong.inventory.units.values() if unit.region == code]
        kinds = Counter(unit.kind for unit in units)
        assert kinds["county_government"] == 1
        assert kinds["department"] == 40
        assert 45 <= kinds["town_government"] + kinds["township_government"] <= 50
        assert all(unit.sample for unit in units if unit.kind != "county_government")


@pytest.mark.parametrize(
    ("class_id", "nominal", "configured", "medium"),
    [
        ("agg_10m", (10000, 10000), (10240, 10240), "fibre"),
        ("fibre_2m", (2000, 2000), (2048, 2048), "fibre"),
        ("adsl_1m", (1000, 512), (1024, 512), "adsl"),
        ("backup_10m", (10000, 10000), (10240, 10240), "fibre"),
    ],
)
def test_the_classes_carry_the_rates_of_the_order(
    bazhong: Workspace, class_id: str, nominal: tuple[int, int], configured: tuple[int, int], medium: str
) -> None:
    kind = bazhong.order.classes[class_id]
    assert (kind.nominal_down_kbps, kind.nominal_up_kbps) == nominal
    assert (kind.configured_down_kbps, kind.configured_up_kbps) == configured
    assert kind.medium == medium


@pytest.mark.requirement("BZ-2")
def test_only_the_aggregation_lines_reserve_a_100m_port_at_both_ends(bazhong: Workspace) -> None:
    assert {kind.class_id: kind.reserved_port_mbps for kind in bazhong.order.classes.values() if kind.reserved_port_mbps} == {
        "agg_10m": 100
    }
    aggregation = [line for line in bazhong.inventory.lines.values() if line.service_class == "agg_10m"]
    assert {bazhong.inventory.units[line.unit_id].region for line in aggregation} == set(COUNTIES)
    assert all(line.a_reserved_interface and line.z_reserved_interface for line in aggregation)


def test_no_default_pretends_to_be_a_clause(bazhong: Workspace) -> None:
    """The order names rates, media, dates and points; thresholds, device rates and access methods are ours."""
    for kind in bazhong.order.classes.values():
        assert kind.sources["configured"].default
        for criterion in kind.criteria:
            assert criterion.source.default or criterion.kind == "reserved_port"
    assert bazhong.order.classes["adsl_1m"].sources["nominal"].default


def test_the_criteria_are_the_design_defaults_and_input_errors_of_adsl_are_advisory(bazhong: Workspace) -> None:
    required = {
        kind.class_id: [criterion.kind for criterion in kind.criteria if criterion.required] for kind in bazhong.order.classes.values()
    }
    common = ["reachable_from_centre", "reaches_services", "ports_up", "input_errors", "trial", "rate_down", "rate_up"]
    assert required["agg_10m"] == [*common, "reserved_port"]
    assert required["fibre_2m"] == common
    assert required["adsl_1m"] == [kind for kind in common if kind != "input_errors"]
    limits = {criterion.kind: criterion.limit for criterion in bazhong.order.classes["adsl_1m"].criteria}
    assert limits == {
        "reachable_from_centre": 0.01,
        "reaches_services": 0.01,
        "ports_up": None,
        "input_errors": 0,
        "trial": 0.99,
        "rate_down": 0.8,
        "rate_up": 0.8,
        "delay": 80,
        "jitter": 20,
        "step_loss": 0.01,
        "sync_rate_down": 1.0,
        "sync_rate_up": 1.0,
        "snr_margin": 6,
        "attenuation": 60,
    }


def test_what_the_medium_shows_is_advisory_and_a_default_of_ours(bazhong: Workspace) -> None:
    for kind in bazhong.order.classes.values():
        advisory = [criterion for criterion in kind.criteria if not criterion.required]
        assert all(criterion.source.default for criterion in advisory)
        shown = {criterion.kind for criterion in advisory} & {"port_speed", "duplex", "rx_power", "snr_margin", "attenuation"}
        assert shown == ({"snr_margin", "attenuation"} if kind.medium == "adsl" else {"port_speed", "duplex", "rx_power"})


def test_the_trial_lasts_72_hours_and_an_outage_of_five_minutes_starts_it_anew(bazhong: Workspace) -> None:
    def trial(kind: ServiceClass) -> tuple[timedelta | None, timedelta | None]:
        return next((one.window, one.restart_after) for one in kind.criteria if one.kind == "trial")

    assert {trial(kind) for kind in bazhong.order.classes.values()} == {(timedelta(hours=72), timedelta(minutes=5))}


@pytest.mark.parametrize(
    ("name", "too_late_at", "clause", "ruling"),
    [
        ("fees_city", datetime(2008, 4, 20, 16, tzinfo=UTC), "一(二)4", None),
        ("fees_county", datetime(2008, 4, 20, 16, tzinfo=UTC), "一(二)4", None),
        ("lines", datetime(2008, 6, 30, 16, tzinfo=UTC), None, "R-BZ-5"),
        ("domain_names", datetime(2008, 6, 30, 16, tzinfo=UTC), None, "R-BZ-6"),
        ("software_installed", datetime(2008, 7, 31, 16, tzinfo=UTC), "一(二)1", None),
        ("staff_trained", datetime(2008, 7, 31, 16, tzinfo=UTC), "一(二)1", None),
        ("exchange_trial", datetime(2008, 7, 31, 16, tzinfo=UTC), "一(二)1", None),
        ("paper_stops", datetime(2008, 7, 31, 16, tzinfo=UTC), "一(二)1", None),
        ("websites_city", datetime(2008, 8, 31, 16, tzinfo=UTC), "一(一)", None),
        ("websites_county", datetime(2008, 8, 31, 16, tzinfo=UTC), "一(一)", None),
    ],
)
@pytest.mark.requirement("BZ-5", "BZ-6")
def test_the_milestones_end_at_civil_midnight_in_bazhong(
    bazhong: Workspace, name: str, too_late_at: datetime, clause: str | None, ruling: str | None
) -> None:
    found = milestone(bazhong, name)
    assert found.due_at(bazhong.order.timezone) == too_late_at
    assert (found.source.clause, found.source.ruling) == (clause, ruling)
    assert not found.soft


def test_the_lines_milestone_counts_every_line_of_the_order_and_no_backup(bazhong: Workspace) -> None:
    assert milestone(bazhong, "lines").scope.classes == ("agg_10m", "fibre_2m", "adsl_1m")


@pytest.mark.requirement("BZ-13")
def test_annex_1_is_scored_in_full(bazhong: Workspace) -> None:
    points = {table.table_id: [row.points for row in table.items] for table in bazhong.order.scoring}
    assert points == {"e_government": [50, 5, 20, 10, 5, 5, 5], "information_work": [70, 10, 15, 5]}
    assert {table.formula_source.ruling for table in bazhong.order.scoring} == {"R-BZ-13"}


@pytest.mark.requirement("BZ-3", "BZ-4")
def test_urban_units_are_on_fibre_and_town_governments_there_by_ruling(bazhong: Workspace) -> None:
    inventory = bazhong.inventory
    urban = [line for line in inventory.lines.values() if inventory.units[line.unit_id].urban]
    assert {line.medium for line in urban} == {"fibre"}
    seats = [line for line in urban if inventory.units[line.unit_id].kind == "town_government"]
    assert [line.ruling for line in seats] == ["R-BZ-4"] * 4
    rural = Counter(line.medium for line in inventory.lines.values() if not inventory.units[line.unit_id].urban)
    assert rural["adsl"] > rural["fibre"] > 0


def test_two_carriers_build_in_every_county(bazhong: Workspace) -> None:
    built = {(bazhong.inventory.units[line.unit_id].region, line.carrier) for line in bazhong.inventory.lines.values()}
    assert {(code, carrier) for code in COUNTIES for carrier in bazhong.order.carriers} <= built
    assert len(bazhong.order.carriers) == 2


def test_every_city_and_county_department_has_a_manageable_switch(bazhong: Workspace) -> None:
    inventory = bazhong.inventory
    switched = {device.unit_id for device in inventory.devices.values() if device.role == "unit_switch"}
    departments = {unit.unit_id for unit in inventory.units.values() if unit.kind == "department" and unit.in_scope}
    assert departments <= switched


@pytest.mark.requirement("BZ-8")
def test_every_unit_can_reach_the_document_exchange(bazhong: Workspace) -> None:
    assert bazhong.inventory.services["exchange"].must_reach == LEVELS


@pytest.mark.requirement("BZ-11")
def test_the_plan_is_an_illustration_inside_the_block_seen_in_the_province(bazhong: Workspace) -> None:
    assert bazhong.plan.illustration
    assert all(pool.prefix.subnet_of(IPv4Network("59.225.0.0/16")) for pool in bazhong.plan.pools)


def test_contacts_are_roles_and_never_persons(bazhong: Workspace) -> None:
    assert {unit.contact_role for unit in bazhong.inventory.units.values()} == {"公文交换员", "政府办公文交换员", "中心值班员"}
