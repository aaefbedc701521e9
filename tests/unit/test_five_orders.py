"""What each order asks for, played on its own workspace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Acceptance, Transition
from app.core.appraisal import UNIT, appraise, build_ground
from app.core.availability import judged_from, observe_service
from app.core.circulars import due_days, next_due, units_to_name
from app.core.consistency import find_inconsistencies
from app.core.events import UnitEvent, build_book, event_uses
from app.core.intents import build_intents
from app.core.inventory import Service
from app.core.milestone_view import MilestoneView
from app.core.organisations import own_list
from app.core.progress import Summary, summarise
from app.core.readiness import judge_gates, line_gates
from app.core.scope import covers_unit
from app.core.score_table import ScoreTable
from app.core.scoring import Score
from app.core.stretches import merged
from app.core.workspace import Workspace
from app.workflows.availability import agreed_policy, duty_lines
from app.workflows.check import check
from tests.samples.orders import (
    BARKOL,
    BAZHONG,
    DAZHOU,
    SHANGRAO,
    SHAOXING,
    accepted,
    civil,
    lines_to,
    read,
    report,
    up,
    with_line,
)

EXAMPLES = (BARKOL, SHANGRAO, SHAOXING, DAZHOU)


def view(summary: Summary, name: str) -> MilestoneView:
    return next(each for each in summary.milestones if each.milestone_id == name)


def table_of(workspace: Workspace, name: str) -> ScoreTable:
    return next(each for each in workspace.order.scoring if each.table_id == name)


def scores(workspace: Workspace, name: str, events: list[UnitEvent], now: datetime, **done: Acceptance) -> dict[str, Score]:
    summary = summarise(workspace, {}, done, None, now, events)
    ranked = appraise(table_of(workspace, name), build_ground(workspace, summary, build_book(events)))
    return {each.subject: each for each in ranked}


@pytest.mark.parametrize("root", EXAMPLES, ids=lambda root: str(root.name))
def test_an_example_is_whole_consistent_planned_and_an_illustration(root: object) -> None:
    assert root in EXAMPLES
    found = check(root, today=date(2013, 5, 10))
    assert found.findings == ()
    assert not [note for note in found.notes if note.where == "ipplan/allocations.csv"]
    workspace = read(root)
    assert workspace.plan.illustration
    assert "nobody" in workspace.plan.provenance.document
    roles = {unit.contact_role for unit in workspace.inventory.units.values()}
    assert roles <= {"公文交换员", "政府办网络管理员", "网络管理员", "值班员", "中心值班员", "信息员", "文书"}


@pytest.mark.parametrize("root", EXAMPLES, ids=lambda root: str(root.name))
def test_every_event_that_an_example_asks_for_has_a_subject_that_can_report_it(root: object) -> None:
    assert root in EXAMPLES
    workspace = read(root)
    kinds = {(unit.level, unit.kind) for unit in workspace.inventory.units.values()}
    for use in event_uses(workspace.order):
        if use.subject == "unit" and use.scope is not None and not use.scope.classes:
            assert any(covers_unit(use.scope, level, kind) for level, kind in kinds), use


# Bazhong


@pytest.mark.requirement("BZ-6")
def test_fees_count_by_the_day_they_were_handed_in_and_every_county_has_to() -> None:
    bazhong = read(BAZHONG)
    counties = ("BZQ-GOV", "TJ-GOV", "NJ-GOV", "PC-GOV")
    last_day, too_late = civil(bazhong, 2008, 4, 20), civil(bazhong, 2008, 4, 21)
    paid = [report(unit, "fee_and_seal_received", last_day) for unit in counties[:3]]
    now = civil(bazhong, 2008, 6, 1)
    assert view(summarise(bazhong, {}, {}, None, now), "fees_county").state == "not_measured"
    late = view(summarise(bazhong, {}, {}, None, now, paid), "fees_county")
    assert (late.state, late.done, late.total) == ("late", 3, 4)
    for at, state in ((last_day, "met"), (too_late, "met_late")):
        whole = [*paid, report(counties[3], "fee_and_seal_received", at)]
        assert view(summarise(bazhong, {}, {}, None, now, whole), "fees_county").state == state


@pytest.mark.requirement("BZ-6")
def test_paper_stops_before_the_first_of_august_begins() -> None:
    bazhong = read(BAZHONG)
    for at, state in ((civil(bazhong, 2008, 7, 31, 23), "met"), (civil(bazhong, 2008, 8, 1), "met_late")):
        summary = summarise(bazhong, {}, {}, None, civil(bazhong, 2008, 9, 1), [report("SZ-CENTRE", "paper_stops", at)])
        assert view(summary, "paper_stops").state == state


@pytest.mark.requirement("BZ-6", "BZ-14")
def test_offices_without_a_line_count_for_their_websites_and_for_no_line() -> None:
    bazhong = read(BAZHONG)
    events = [report("SZ-U050", "website_open", civil(bazhong, 2008, 8, 1))]
    summary = summarise(bazhong, {}, {}, None, civil(bazhong, 2008, 8, 2), events)
    websites = view(summary, "websites_city")
    assert (websites.done, websites.total) == (1, 54)
    assert not [line for line in summary.lines if line.kind == "liaison_office"]


@pytest.mark.requirement("BZ-7")
def test_the_clock_passes_from_the_carrier_to_the_unit_that_is_not_ready_and_then_to_the_centre() -> None:
    bazhong = read(BAZHONG)
    line = bazhong.inventory.lines["BZWW-TJ-C-0042"]
    now = civil(bazhong, 2008, 7, 2)
    others = [report("TJ-U001", event, now) for event in ("equipment_ready", "fee_and_seal_received")]
    own = [report(line.unit_id, event, now) for event in ("equipment_ready", "fee_and_seal_received")]

    def holder(events: list[UnitEvent], *, built: bool) -> str | None:
        statuses = {line.line_id: up(line.line_id, now)} if built else {}
        summary = summarise(bazhong, statuses, {}, None, now, events)
        return next(each.clock_holder for each in summary.lines if each.line_id == line.line_id)

    assert holder(others, built=False) == "carrier"
    assert holder(others, built=True) == "unit"
    assert holder([*others, *own], built=True) == "centre"
    assert holder([], built=True) == "centre", "what nobody keeps a list of excuses nobody and accuses nobody"


@pytest.mark.requirement("BZ-9")
def test_no_device_holds_an_address_of_another_network() -> None:
    bazhong = read(BAZHONG)
    pools = [pool.prefix for pool in bazhong.plan.pools]
    for intent in build_intents(bazhong).values():
        for port in intent.interfaces:
            if port.address is not None:
                assert any(port.address.network.subnet_of(pool) for pool in pools), f"{intent.hostname} {port.name} {port.address}"


@pytest.mark.requirement("BZ-10")
def test_a_line_that_no_carrier_of_the_order_builds_is_refused() -> None:
    own = with_line(read(BAZHONG), "BZWW-SZ-B-0001", carrier="self")
    assert [finding.what for finding in find_inconsistencies(own)] == ["line BZWW-SZ-B-0001: `carrier` points nowhere"]


@pytest.mark.requirement("BZ-11")
def test_public_addresses_outside_the_national_block_are_refused() -> None:
    bazhong = read(BAZHONG)
    astray = replace(bazhong.plan.pools[0], prefix=IPv4Network("60.1.0.0/22"), where="ipplan/plan.yaml:22")
    moved = replace(bazhong, plan=replace(bazhong.plan, pools=(astray, *bazhong.plan.pools[1:])), ledger=())
    assert [finding.what for finding in find_inconsistencies(moved)] == ["pool loopback lies outside the national block"]


@pytest.mark.requirement("BZ-12")
def test_the_second_step_follows_the_first() -> None:
    """Lines first, paperless exchange next; the merger has no day, so no milestone invents one."""
    days = {each.milestone_id: each.due_on for each in read(BAZHONG).order.milestones}
    assert days["lines"] < days["exchange_trial"] < days["paper_stops"]
    assert [duty.source.clause for duty in read(BAZHONG).order.duties if duty.requirement == "BZ-12"] == ["一(二)1"]


@pytest.mark.requirement("BZ-13")
def test_a_county_with_half_of_its_lines_has_half_of_the_fifty_points() -> None:
    bazhong = read(BAZHONG)
    now = civil(bazhong, 2008, 12, 31)
    own = [line for line in bazhong.inventory.lines.values() if bazhong.inventory.units[line.unit_id].region == "511921"]
    half = accepted([line.line_id for line in own[: len(own) // 2]], now)
    found = scores(bazhong, "e_government", [report("region:511921", "portal_content_points", now, amount=4)], now, **half)
    rows = {row.item_id: row for row in found["region:511921"].rows}
    assert rows["extranet"].earned == pytest.approx(50 * (len(own) // 2) / len(own))
    assert rows["portal_content"].earned == 4
    assert rows["domain_names"].earned is None
    assert found["region:511921"].provisional
    assert found["region:511921"].rank == 1


# Barkol


@pytest.mark.requirement("BL-1")
def test_a_unit_without_a_manageable_switch_is_a_finding() -> None:
    barkol = read(BARKOL)
    devices = {name: device for name, device in barkol.inventory.devices.items() if name != "BL-D03-SW01"}
    bare = replace(barkol, inventory=replace(barkol.inventory, devices=devices))
    assert [str(finding) for finding in find_inconsistencies(bare)] == [
        "inventory/units.csv:5: unit D03 (县教育局) lacks what gate manageable_switch wants: expected a device of role unit_switch "
        "(clause 二); found none. Add its unit_switch to inventory/devices.csv."
    ]


@pytest.mark.requirement("BL-1")
def test_a_line_is_not_accepted_and_the_unit_holds_its_clock_until_the_switch_is_in_place() -> None:
    barkol = read(BARKOL)
    line = next(line for line in barkol.inventory.lines.values() if line.unit_id == "D03")
    now = civil(barkol, 2013, 6, 20)
    for events, verdict, holder in (
        ([], NOT_PROVEN, "unit"),
        ([report("D03", "switch_in_place", now)], PASS, "carrier"),
    ):
        book = build_book(events)
        [result] = judge_gates(line_gates(barkol, book, line))
        assert (result.kind, result.required, result.verdict) == ("readiness", True, verdict)
        summary = summarise(barkol, {}, {}, None, now, events)
        shown = next(each for each in summary.lines if each.line_id == line.line_id)
        assert (shown.due, shown.clock_holder) == ("late", holder)
        assert shown.open_gates == (("接入端有一台可以进行网络管理的交换机",) if holder == "unit" else ())


@pytest.mark.requirement("BL-2")
def test_two_carriers_build_in_one_county() -> None:
    barkol = read(BARKOL)
    built = {line.carrier for line in barkol.inventory.lines.values() if barkol.inventory.units[line.unit_id].region == "652222"}
    assert built == set(barkol.order.carriers) == {"telecom", "mobile"}


@pytest.mark.requirement("BL-3")
def test_the_three_days_of_barkol_are_kept_apart() -> None:
    barkol = read(BARKOL)
    units = [unit.unit_id for unit in barkol.inventory.units.values() if unit.kind != "centre"]
    in_time, late = civil(barkol, 2013, 5, 15), civil(barkol, 2013, 6, 1)
    events = [report(unit, "contacts_filed", in_time) for unit in units]
    events += [report(unit, "base_information_filed", late) for unit in units]
    summary = summarise(barkol, {}, {}, None, civil(barkol, 2013, 6, 16), events)
    states = {each.milestone_id: (each.due_on, each.state) for each in summary.milestones}
    assert states == {
        "contacts_filed": (date(2013, 5, 15), "met"),
        "base_information": (date(2013, 5, 31), "met_late"),
        "lines": (date(2013, 6, 15), "late"),
    }


@pytest.mark.requirement("BL-4")
@pytest.mark.parametrize("method", ["vpdn_l2tp", "internet_ipsec"])
def test_vpn_dialling_is_refused_as_an_access_method(method: str) -> None:
    barkol = read(BARKOL)
    line = next(iter(barkol.inventory.lines))
    found = [finding.what for finding in find_inconsistencies(with_line(barkol, line, access_method=method))]
    assert f"line {line}: the order refuses its access_method" in found


@pytest.mark.requirement("BL-4")
def test_a_class_may_not_permit_what_the_order_refuses() -> None:
    barkol = read(BARKOL)
    lax = replace(barkol.order.classes["access_10m"], access_methods=("ethernet", "vpdn_l2tp"))
    order = replace(barkol.order, classes={**barkol.order.classes, "access_10m": lax})
    assert [finding.what for finding in find_inconsistencies(replace(barkol, order=order))] == [
        "service class access_10m permits an access method that the order refuses"
    ]


@pytest.mark.requirement("BL-5")
def test_a_circular_names_late_and_off_standard_units_the_longest_overdue_first() -> None:
    barkol = read(BARKOL)
    now = civil(barkol, 2013, 6, 20)
    ids = lines_to(barkol, level="county", kind="department")
    rest = [line for line in barkol.inventory.lines if line not in ids[:2]]
    failed = {ids[0]: Acceptance(ids[0], civil(barkol, 2013, 6, 10), FAIL, (), None, None, None)}
    early = summarise(barkol, {}, failed, None, civil(barkol, 2013, 6, 10, 12))
    assert [(each.line_id, each.cause, each.days_late) for each in units_to_name(early)] == [(ids[0], "off_standard", 0)]
    late = summarise(barkol, {}, accepted(rest, civil(barkol, 2013, 6, 1)), None, now)
    assert [(each.line_id, each.cause, each.days_late) for each in units_to_name(late)] == [(one, "late", 5) for one in ids[:2]]


@pytest.mark.requirement("BL-5")
def test_being_named_costs_points_up_to_a_cap() -> None:
    barkol = read(BARKOL)
    now = civil(barkol, 2013, 12, 31)
    lines = {line.unit_id: line.line_id for line in barkol.inventory.lines.values()}
    done = accepted([lines["D01"], lines["D02"]], now)
    events = [report(unit, event, now) for unit in ("D01", "D02") for event in ("contacts_filed", "base_information_filed")]
    events += [report("D02", "named_in_circular", now, document=f"通报第{number}期") for number in range(5)]
    found = scores(barkol, "performance", events, now, **done)
    assert (found["D01"].total, found["D02"].total) == (10, 7)


# Shangrao


@pytest.mark.requirement("SR-1")
def test_every_township_counts_and_every_county_by_itself() -> None:
    shangrao = read(SHANGRAO)
    now = civil(shangrao, 2013, 1, 1)
    townships = lines_to(shangrao, level="township")
    summary = summarise(shangrao, {}, accepted(townships[1:], civil(shangrao, 2012, 12, 31, 23)), None, now)
    found = view(summary, "townships")
    assert (found.state, found.done, found.total, len(found.cells)) == ("late", 95, 96, 12)
    everybody = summarise(shangrao, {}, accepted(townships, civil(shangrao, 2012, 12, 31, 23)), None, now)
    assert view(everybody, "townships").state == "met"


@pytest.mark.requirement("SR-2")
def test_renumbering_is_counted_by_unit_and_county() -> None:
    shangrao = read(SHANGRAO)
    events = [report("SZ-CZ", "renumbered", civil(shangrao, 2012, 6, 1)), report("XZ-T01", "renumbered", civil(shangrao, 2012, 6, 2))]
    found = view(summarise(shangrao, {}, {}, None, civil(shangrao, 2012, 7, 1), events), "renumbered")
    assert (found.state, found.done, found.total) == ("open", 2, 118)
    assert {cell.region: cell.done for cell in found.cells if cell.done} == {"361100": 1, "361102": 1}


@pytest.mark.requirement("SR-3")
def test_every_device_answers_and_reports_to_the_one_platform() -> None:
    shangrao = read(SHANGRAO)
    assert [name for name, service in shangrao.inventory.services.items() if service.kind == "monitoring"] == ["noc"]
    hosts = {intent.management.syslog_hosts for intent in build_intents(shangrao).values()}
    assert len(hosts) == 1
    assert len(next(iter(hosts))) == 1


def with_service(workspace: Workspace, service_id: str, **changes: object) -> Workspace:
    services = dict(workspace.inventory.services)
    changed: Service = replace(services[service_id], **changes)  # type: ignore[arg-type]  # fields by name
    return replace(workspace, inventory=replace(workspace.inventory, services={**services, service_id: changed}))


@pytest.mark.requirement("SR-4")
def test_the_two_video_systems_are_each_the_others_standby_for_the_same_units() -> None:
    shangrao = read(SHANGRAO)
    services = shangrao.inventory.services
    assert (services["video_hd"].standby_for, services["video_old"].standby_for) == ("video_old", "video_hd")
    alone = find_inconsistencies(with_service(shangrao, "video_old", standby_for=None))
    assert [finding.what for finding in alone] == ["service video_hd and video_old are not each other's standby"]
    fewer = find_inconsistencies(with_service(shangrao, "video_old", must_reach=("city",)))
    assert [finding.what for finding in fewer] == [
        "service video_hd stands in for video_old and is for other units",
        "service video_old stands in for video_hd and is for other units",
    ]


@pytest.mark.requirement("SR-5")
def test_the_six_systems_ride_in_a_vpn_each_and_reach_their_owner_and_every_county() -> None:
    shangrao = read(SHANGRAO)
    joined = [service for service in shangrao.inventory.services.values() if service.vpn is not None and service.kind == "application"]
    assert len({service.vpn for service in joined}) == len(joined) == 6
    assert {service.vpn for service in joined} == set(shangrao.plan.vrfs) - {"GGW", "GONGXIANG", "HLW"}
    units = shangrao.inventory.units
    for service in joined:
        kinds = [units[name].kind for name in service.reached_by]
        assert (kinds.count("system_owner"), kinds.count("county_government")) == (1, 12)
    lost = find_inconsistencies(with_service(shangrao, "jinbao", vpn="JINBOA"))
    assert [finding.what for finding in lost] == ["service jinbao: `vpn` points nowhere"]


@pytest.mark.requirement("SR-6")
def test_a_service_is_for_the_levels_and_the_single_units_that_it_names() -> None:
    shangrao = read(SHANGRAO)
    services, units = shangrao.inventory.services, shangrao.inventory.units
    owners = {"SZ-SB": "jinbao", "SZ-CZ": "treasury"}
    for unit, service in owners.items():
        assert services[service].is_for(units[unit])
    assert not services["jinbao"].is_for(units["SZ-CZ"])
    assert services["supervision"].is_for(units["XZ-T01"])
    assert not services["trading"].is_for(units["XZ-T01"])
    astray = find_inconsistencies(with_service(shangrao, "trading", reached_by=("XZ-T99",)))
    assert [finding.what for finding in astray] == ["service trading: `reached_by` points nowhere"]


@pytest.mark.requirement("SR-7")
def test_the_monthly_circular_is_due_on_the_last_day_of_every_month() -> None:
    order = read(SHANGRAO).order
    [monthly] = order.rhythms
    days = list(due_days(monthly, order.issued_on, date(2012, 7, 1)))
    assert days == [date(2012, 3, 31), date(2012, 4, 30), date(2012, 5, 31), date(2012, 6, 30)]
    assert next_due(monthly, order.issued_on, date(2012, 12, 31)) == date(2012, 12, 31)
    assert next_due(monthly, order.issued_on, date(2013, 1, 1)) == date(2013, 1, 31)


@pytest.mark.requirement("SR-8")
def test_security_is_planned_built_and_developed_with_every_application() -> None:
    shangrao = read(SHANGRAO)
    events = [report("service:trading", event, civil(shangrao, 2012, 5, 1)) for event in ("security_planned", "security_built")]
    gates = {gate.gate_id: gate for gate in summarise(shangrao, {}, {}, None, civil(shangrao, 2012, 6, 1), events).gates}
    assert {name: (gate.state, gate.done, gate.total) for name, gate in gates.items()} == {
        "security_planned": ("open", 1, 12),
        "security_built": ("open", 1, 12),
        "security_developed": ("not_measured", 0, 12),
    }
    assert "service:jinbao" in gates["security_planned"].open_subjects


# Shaoxing


@pytest.mark.requirement("SX-1")
def test_both_tables_give_fifteen_points_to_network_and_security() -> None:
    shaoxing = read(SHAOXING)
    security = {
        table.table_id: [row.points for row in table.items if "网络" in row.group] for table in shaoxing.order.scoring
    }
    assert security == {"counties": [3, 3, 5, 4], "departments": [3, 4, 3, 5]}
    now = civil(shaoxing, 2012, 12, 31)
    events = [report("region:330681", "c_network", now, amount=2.5), report("region:330681", "c_protection", now)]
    rows = {row.item_id: row.earned for row in scores(shaoxing, "counties", events, now)["region:330681"].rows}
    assert (rows["c_network"], rows["c_protection"], rows["c_exit"]) == (2.5, 4, None)


def full_marks(workspace: Workspace, table: str, subject: str, now: datetime, *, but: dict[str, float] | None = None) -> list[UnitEvent]:
    lower = but or {}
    return [report(subject, row.event, now, amount=lower.get(row.event)) for row in table_of(workspace, table).items if row.event]


@pytest.mark.requirement("SX-2")
def test_rows_that_do_not_apply_are_left_out_and_the_rest_scaled_to_100() -> None:
    shaoxing = read(SHAOXING)
    now = civil(shaoxing, 2012, 12, 31)
    group, office, bureau = "SZ-U62", "SZ-U51", "SZ-U01"
    units = shaoxing.inventory.units
    assert [units[name].kind for name in (group, office, bureau)] == ["enterprise", "liaison_office", "department"]
    events = [each for unit in (group, office, bureau) for each in full_marks(shaoxing, "departments", unit, now, but={"d_portal": 4})]
    found = scores(shaoxing, "departments", events, now)
    assert found[bureau].total == 96
    for unit in (group, office):
        one = found[unit]
        assert [row.item_id for row in one.rows if row.left_out] == ["d_subsite", "d_approval", "d_supervision"]
        assert (one.earned, one.reachable) == (81, 85)
        assert one.total == pytest.approx(81 / 85 * 100)
        assert not one.provisional
        assert one.working == "81 of 85, scaled to 100: 95.29"


@pytest.mark.requirement("SX-3")
def test_counties_and_departments_are_ranked_and_take_prizes_apart() -> None:
    shaoxing = read(SHAOXING)
    now = civil(shaoxing, 2012, 12, 31)
    order = shaoxing.order
    counties = [f"region:{code}" for code, region in shaoxing.inventory.regions.items() if region.level == "county"]
    events = [
        each
        for number, county in enumerate(counties)
        for each in full_marks(shaoxing, "counties", county, now, but={"c_portal_own": 25 - number})
    ]
    found = scores(shaoxing, "counties", events, now)
    assert [found[county].rank for county in counties] == [1, 2, 3, 4, 5, 6]
    assert [found[county].prize for county in counties] == [1, 2, 2, 3, 3, 3]
    assert {each.kind for each in scores(shaoxing, "departments", [], now).values()} == {UNIT}
    quarterly = next(rhythm for rhythm in order.rhythms if rhythm.kind == "circular")
    assert list(due_days(quarterly, order.issued_on, date(2012, 12, 31))) == [
        date(2012, 3, 31),
        date(2012, 6, 30),
        date(2012, 9, 30),
        date(2012, 12, 31),
    ]


@pytest.mark.requirement("SX-4")
def test_bonus_points_stop_at_their_caps_and_scores_show_their_working() -> None:
    shaoxing = read(SHAOXING)
    now = civil(shaoxing, 2012, 12, 31)
    unit = "SZ-U01"
    advice = [report(unit, "portal_advice_confirmed", now, document=f"确认单{number}") for number in range(5)]
    quota = [report(unit, "yearly_quota_reached", now)]

    def total(portal: float) -> Score:
        events = full_marks(shaoxing, "departments", unit, now, but={"d_portal": portal}) + advice + quota
        return scores(shaoxing, "departments", events, now)[unit]

    assert [total(portal).total for portal in (6, 7.5, 8)] == [100, 101, 101]
    capped = total(7.5)
    assert [each.points for each in capped.adjustments] == [0.5, 1]
    assert capped.adjustments[0].working == "1 × 1, at most 1, within d_portal (0.5 left) = 0.5"
    assert capped.adjustments[1].working == "5 × 0.5, at most 1 = 1"
    portal = next(row for row in capped.rows if row.item_id == "d_portal")
    assert portal.working == "7.5 by 登记表: 8 × 0.9375 = 7.5"


# Dazhou


@pytest.mark.requirement("DZ-1")
def test_half_of_every_county_is_counted_county_by_county() -> None:
    dazhou = read(DAZHOU)
    departments = lines_to(dazhou, level="county", kind="department")
    counties = [departments[start : start + 7] for start in range(0, 49, 7)]
    now, in_time = civil(dazhou, 2010, 1, 1), civil(dazhou, 2009, 12, 31, 23)

    def state(done: list[str]) -> str:
        return view(summarise(dazhou, {}, accepted(done, in_time), None, now), "county_departments_half").state

    assert state([line for county in counties for line in county[:4]]) == "met"
    lopsided = [line for county in counties[:6] for line in county] + counties[6][:3]
    assert len(lopsided) > len(departments) / 2
    assert state(lopsided) == "late"


@pytest.mark.requirement("DZ-1")
def test_a_share_binds_no_single_line_so_a_department_is_late_only_when_all_have_to_be_in() -> None:
    dazhou = read(DAZHOU)
    line = lines_to(dazhou, level="county", kind="department")[0]

    def shown(now: datetime) -> tuple[str, date | None]:
        found = next(each for each in summarise(dazhou, {}, {}, None, now).lines if each.line_id == line)
        return found.due, found.due_on

    assert shown(civil(dazhou, 2010, 6, 1)) == ("open", date(2010, 12, 31))
    assert shown(civil(dazhou, 2011, 1, 1)) == ("late", date(2010, 12, 31))


@pytest.mark.requirement("DZ-1")
def test_aims_are_shown_and_never_late() -> None:
    dazhou = read(DAZHOU)
    done = [report("SZ-U01", "staff_trained", civil(dazhou, 2013, 6, 1)), report("CENTRE", "machine_room", civil(dazhou, 2008, 9, 1))]
    summary = summarise(dazhou, {}, {}, None, civil(dazhou, 2014, 1, 1), done)
    assert {each.milestone_id: each.state for each in summary.milestones if each.soft} == {
        "machine_room": "met_late",
        "officials_online": "open",
    }


@pytest.mark.requirement("DZ-2")
def test_the_availability_of_a_platforms_line_is_judged_after_its_acceptance() -> None:
    dazhou = read(DAZHOU)
    duty = dazhou.order.availability
    assert duty is not None
    line, start = lines_to(dazhou, level="county", kind="county_government")[0], civil(dazhou, 2009, 1, 1)
    hour = timedelta(hours=1)

    def judged(states: str) -> tuple[str, str | None]:
        seen = [(start + hour * number, {"u": "up", "d": "down"}.get(state)) for number, state in enumerate(states)]
        changes = [Transition(line, at, at, "unknown", state, "") for at, state in seen if state]
        looked = merged((at, at + hour) for at, state in seen if state)
        policy, until = agreed_policy(dazhou, line), start + hour * len(states)
        since = judged_from(policy, start, until)
        level = observe_service(line, policy, dazhou.calendar, changes, looked, since, until, dazhou.order.timezone)
        return level.verdict, None if level.sli_percent is None else str(level.sli_percent)

    assert judged("u" * 720) == (PASS, "100.0000")
    assert judged("u" * 713 + "d" * 7)[0] == PASS
    assert judged("u" * 712 + "d" * 8)[0] == FAIL
    assert judged("d" * 500 + "u" * 720) == (PASS, "100.0000"), "what lies before the window is over"
    assert judged("u" * 600 + "-" * 120)[0] == NOT_PROVEN, "time that nobody measured proves nothing"
    assert judged("d" * 8 + "-" * 500)[0] == FAIL, "what is down for longer than the whole window allows has failed"
    assert judged("u" * 692 + "d" * 7 + "-" * 21)[0] == FAIL, "with enough of it measured, the measured share decides against the line"
    assert judged("u" * 700 + "-" * 20)[0] == NOT_PROVEN, "and in its favour only where the rest could have been down"
    assert judged("-" * 10) == (NOT_PROVEN, None)


@pytest.mark.requirement("DZ-2")
def test_the_duty_of_platforms_judges_no_other_line() -> None:
    dazhou = read(DAZHOU)
    duty, other = dazhou.order.availability, lines_to(dazhou, level="city", kind="department")[0]
    assert duty is not None
    assert agreed_policy(dazhou, other) == dazhou.service
    assert other not in duty_lines(dazhou)
    assert set(lines_to(dazhou, level="county", kind="county_government")) == set(duty_lines(dazhou))


@pytest.mark.requirement("DZ-3")
def test_each_organisation_sees_its_own_lines_and_milestones() -> None:
    dazhou = read(DAZHOU)
    summary = summarise(dazhou, {}, {}, None, civil(dazhou, 2009, 6, 1))
    lists = {each.organisation_id: own_list(each, summary) for each in dazhou.order.organisations}
    counties = [own for name, own in lists.items() if name.startswith("county_")]
    assert [len(own.lines) for own in counties] == [13] * 7
    seen = [line.line_id for own in counties for line in own.lines]
    assert len(seen) == len(set(seen))
    bureau = lists["information_bureau"]
    assert {line.level for line in bureau.lines} == {"city"}
    assert [each.milestone_id for each in bureau.milestones] == ["machine_room", "city_departments"]
    assert set(seen) | {line.line_id for line in bureau.lines} == {line.line_id for line in summary.lines}
