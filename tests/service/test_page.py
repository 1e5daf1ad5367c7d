"""The operations page in a real browser, over the real application with a small store."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import uvicorn

from service import deps
from service.app import create_app
from service.deps import TagsComplaints
from service.routes.page import DIST
from service.settings import ApiKey, Settings
from triage.store import Store
from triage.types import BEIJING, Complaint, Evidence, Hotspot, Turn

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH"),
    pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the page is not built: make web"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=BEIJING)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
KEY = ApiKey("李敏", "operate", "0123456789abcdef")
TEXTS = ("转账一直没有到账", "年费没有说清楚", "密码改不了", "转账失败，我要报警")
PLACES = ("440300", "440100", "110000", "710000", "810000", None)


def complaint(number: int, text: str, region: str | None, time: datetime, turns: tuple[Turn, ...] = ()) -> Complaint:
    return Complaint(id=f"c{number}", text=text, turns=turns, channel="app", region=region, time=time, simulated=True)


def fill(store: Store, tagger: TagsComplaints) -> None:
    """48 complaints of the last 24 days; the latest is a call from 广东 whose evidence stands behind an emoji; one hotspot."""
    made = [complaint(n, TEXTS[n % len(TEXTS)], PLACES[n % len(PLACES)], NOW - timedelta(hours=12 * n + 2)) for n in range(1, 49)]
    turns = (
        Turn(speaker="customer", text="😡喂"),
        Turn(speaker="agent", text="您好，<b>请讲</b>"),
        Turn(speaker="customer", text="😡年费<i>扣了</i>三次"),
    )
    call = complaint(0, "", "440300", NOW - timedelta(hours=1), turns)
    triage = replace(tagger.tag([call])[0], evidence=(Evidence("年费", 4, 6, 1.0),))
    store.add([*zip(made, tagger.tag(made), strict=True), (call, triage)])
    store.upsert_hotspots([hotspot()], NOW)


def hotspot() -> Hotspot:
    day = NOW.date() - timedelta(days=1)
    return Hotspot(
        id="h1", category="payment.transfer_failure", regions=("440000",), channels=(), window={"from": day, "to": day},
        observed=9, expected=2.5, ratio=3.6, change=None, p_value=1e-4, recurrence_interval_days=800.0, level="alarm",
        title="广东 转账失败或未到账 投诉骤增", terms=("到账",), evidence=("c0",), simulated=True,
    )  # fmt: skip


@contextmanager
def serving(store: Store, tagger: TagsComplaints, settings: Settings) -> Iterator[str]:
    """The application on a free port, in a thread; requests wait in the socket's queue until it is up."""
    app = create_app(settings, store, tagger)
    app.dependency_overrides[deps.now] = lambda: NOW
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def filled(store: Store, tagger: TagsComplaints) -> Store:
    fill(store, tagger)
    return store


@pytest.fixture
def site(filled: Store, tagger: TagsComplaints) -> Iterator[str]:
    with serving(filled, tagger, Settings(hotspot_minutes=0)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Visit:
    """A page in the browser, with what it asked for and what it complained about."""

    def __init__(self, browser: "playwright.Browser", viewport: dict[str, int]):
        self.page = browser.new_page(viewport=viewport)
        self.page.clock.set_fixed_time(NOW)
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, url: str) -> "playwright.Page":
        self.page.goto(url)
        self.page.locator(".tile").first.wait_for()
        return self.page


@pytest.fixture
def visit(browser: "playwright.Browser") -> Iterator[Visit]:
    opened = Visit(browser, WIDE)
    yield opened
    opened.page.close()


@pytest.fixture
def narrow(browser: "playwright.Browser") -> Iterator[Visit]:
    opened = Visit(browser, NARROW)
    yield opened
    opened.page.close()


def overflow(page: "playwright.Page") -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_map_has_a_tile_for_each_of_the_34_provincial_units(visit: Visit, site: str) -> None:
    page = visit.open(site)
    playwright.expect(page.locator(".tile")).to_have_count(34)
    for name in ("台湾", "香港", "澳门"):
        playwright.expect(page.locator(".tile-name", has_text=name)).to_be_visible()
    playwright.expect(page.get_by_role("button", name="广东省：投诉 17 件")).to_be_visible()
    playwright.expect(page.locator(".unlocated")).to_have_text("未定位投诉 8 件")


def test_simulated_data_are_called_so(visit: Visit, site: str) -> None:
    page = visit.open(site)
    playwright.expect(page.locator(".banner")).to_be_visible()
    playwright.expect(page.locator(".banner")).to_contain_text("模拟数据")


def test_a_tile_opens_its_province_and_escape_closes_it(visit: Visit, site: str) -> None:
    page = visit.open(site)
    page.locator(".tile[data-region='440000']").click()
    panel = page.locator("#panel")
    playwright.expect(panel.get_by_role("heading", name="广东省")).to_be_focused()
    playwright.expect(panel.locator(".bars", has_text="深圳")).to_be_visible()
    playwright.expect(panel.locator("canvas")).to_be_visible()
    assert "region=440000" in page.url
    page.keyboard.press("Escape")
    playwright.expect(panel).to_be_hidden()
    playwright.expect(page.locator(".tile[data-region='440000']")).to_be_focused()


def test_evidence_is_marked_by_code_points_across_the_customers_turns(visit: Visit, site: str) -> None:
    page = visit.open(f"{site}/?region=440000")
    call = page.locator("#panel [data-complaint=c0]")
    playwright.expect(call.locator("mark")).to_have_text("年费")


def test_words_of_customers_never_become_markup(visit: Visit, site: str) -> None:
    page = visit.open(f"{site}/?region=440000")
    call = page.locator("#panel [data-complaint=c0]")
    playwright.expect(call.locator(".turns")).to_contain_text("<b>请讲</b>")
    assert call.locator(".turn b, .turn i").count() == 0


def test_filters_live_in_the_url(visit: Visit, site: str) -> None:
    page = visit.open(site)
    page.get_by_role("button", name="近7天").click()
    page.get_by_label("类别", exact=True).select_option("card")
    page.get_by_label("渠道", exact=True).select_option("app")
    page.get_by_role("button", name="人均").click()
    page.wait_for_url("**/?range=7&category=card&channel=app&metric=rate")
    page.reload()
    playwright.expect(page.get_by_role("button", name="近7天")).to_have_attribute("aria-pressed", "true")
    playwright.expect(page.get_by_label("类别", exact=True)).to_have_value("card")
    playwright.expect(page.locator("[data-kpi=total] strong")).to_have_text("4件")
    page.go_back()
    playwright.expect(page.get_by_label("渠道", exact=True)).to_have_value("")


def test_a_hotspot_is_acknowledged_with_a_name(visit: Visit, site: str, filled: Store) -> None:
    page = visit.open(site)
    page.locator("[data-hotspot=h1]").click()
    panel = page.locator("#panel")
    playwright.expect(panel.locator("[data-complaint=c0]")).to_be_visible()
    panel.get_by_role("button", name="认领").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("您的姓名").fill("王芳")
    dialog.get_by_label("说明").fill("联系广东分行")
    dialog.get_by_role("button", name="认领").click()
    playwright.expect(panel.locator(".detail-state")).to_contain_text("已认领")
    playwright.expect(panel.locator(".history")).to_contain_text("王芳")
    playwright.expect(page.locator("#hotspots [data-hotspot=h1]")).to_contain_text("已认领")
    stored = filled.hotspot("h1")
    assert (stored.status, stored.history[-1].person, stored.history[-1].reason) == ("acknowledged", "王芳", "联系广东分行")


def test_dismissing_asks_for_a_reason(visit: Visit, site: str, filled: Store) -> None:
    page = visit.open(f"{site}/?hotspot=h1")
    page.locator("[data-verdict=dismiss]").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("您的姓名").fill("王芳")
    dialog.get_by_role("button", name="驳回").click()
    playwright.expect(dialog).to_be_visible()
    assert filled.hotspot("h1").status == "new"


def test_a_label_is_corrected(visit: Visit, site: str, filled: Store) -> None:
    page = visit.open(site)
    card = page.locator("#latest [data-complaint=c0]")
    card.get_by_role("button", name="更正标签").click()
    card.get_by_label("严重程度").select_option("4")
    card.get_by_label("您的姓名").fill("王芳")
    card.get_by_role("button", name="保存").click()
    playwright.expect(card.locator(".severity")).to_have_text("重大")
    record = filled.get("c0")
    assert (record.triage.severity.level, record.corrections[0].person, record.corrections[0].category) == (4, "王芳", None)


def test_the_map_is_walked_with_the_arrow_keys(visit: Visit, site: str) -> None:
    page = visit.open(site)
    page.locator(".tile[data-region='440000']").focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(page.locator(".tile[data-region='350000']")).to_be_focused()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#panel").get_by_role("heading", name="福建省")).to_be_visible()


def test_a_refused_request_is_explained(visit: Visit, site: str) -> None:
    page = visit.page
    page.goto(f"{site}/?range=custom&from=1980-01-01&to=2026-11-20")
    failure = page.locator("#map [role=alert]")
    playwright.expect(failure).to_contain_text("请求内容有误，未被接受（422）")
    playwright.expect(failure).to_contain_text('from：收到 "1980-01-01"')
    playwright.expect(failure.get_by_role("button", name="重试")).to_be_visible()


def test_an_empty_store_is_said_to_be_empty(visit: Visit, store: Store, tagger: TagsComplaints) -> None:
    with serving(store, tagger, Settings(hotspot_minutes=0)) as url:
        page = visit.open(url)
        playwright.expect(page.locator("#hotspots .empty")).to_be_visible()
        playwright.expect(page.locator("#issues .empty")).to_be_visible()
        playwright.expect(page.locator("#latest .empty")).to_be_visible()
        playwright.expect(page.locator(".banner")).to_be_hidden()


def test_a_service_with_keys_asks_for_one_and_signs_with_it(visit: Visit, filled: Store, tagger: TagsComplaints) -> None:
    with serving(filled, tagger, Settings(hotspot_minutes=0, auth="on", api_keys=(KEY,))) as url:
        page = visit.page
        page.goto(url)
        page.get_by_label("访问密钥").fill("another-key-of-16")
        page.get_by_role("button", name="进入").click()
        playwright.expect(page.get_by_role("alert")).to_contain_text("密钥无效")
        page.get_by_label("访问密钥").fill(KEY.key)
        page.get_by_role("button", name="进入").click()
        page.locator("[data-hotspot=h1]").click()
        page.locator("[data-verdict=confirm]").click()
        page.get_by_role("dialog").get_by_role("button", name="确认").click()
        playwright.expect(page.locator("#panel .history")).to_contain_text("李敏")


@pytest.mark.parametrize("query", ["", "?region=440000", "?hotspot=h1", "?range=custom&from=2026-11-01&to=2026-11-20&metric=exceedance"])
def test_nothing_is_wider_than_a_phone(narrow: Visit, site: str, query: str) -> None:
    page = narrow.open(f"{site}/{query}")
    page.wait_for_load_state("networkidle")
    assert overflow(page) == 0
    assert not page.locator("#panel").is_visible() or page.locator("#panel").bounding_box()["width"] <= NARROW["width"]


def test_a_visit_asks_no_other_host_and_leaves_no_error(visit: Visit, site: str) -> None:
    page = visit.open(site)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="近7天").click()
    page.get_by_role("button", name="按时").click()
    page.get_by_role("button", name="超出常态", exact=True).click()
    page.get_by_role("button", name="全部类别", exact=True).click()
    page.locator(".risk-row").first.click()
    page.wait_for_load_state("networkidle")
    page.locator("[data-hotspot=h1]").last.click()
    page.wait_for_load_state("networkidle")
    assert visit.hosts == {urlsplit(site).netloc}
    assert visit.errors == []
    assert overflow(page) == 0
