"""What the service takes: one complaint at 50 a second, batches of 1,000, the heat map over a million stored complaints.

`make bench-service`, or `python -m service.benchmark [--complaints 1000000]`. The server runs in a process of its own on the loopback
address over a temporary SQLite file; the load comes from this one. Texts are our corpus, the million are simulated copies of their
triages. Nothing is asserted: it prints what it measured.
"""

import argparse
import asyncio
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
from tqdm import tqdm

from triage.regions import load_regions
from triage.resources import DATA
from triage.store import Store
from triage.tagger import Tagger
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Complaint

RATE = 50
SECONDS = 20
BATCHES = 5
READS = 50


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m service.benchmark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--complaints", type=int, default=1_000_000, help="stored before the heat map is asked for (default: 1,000,000)")
    args = parser.parse_args(argv)
    texts = _texts()
    with tempfile.TemporaryDirectory() as folder:
        with _server(f"sqlite:///{folder}/load.db") as url, httpx.Client(base_url=url, timeout=60) as client:
            latencies = asyncio.run(_steady(url, texts))
            _print_latencies(f"POST /v1/complaints, {RATE} a second for {SECONDS} s", latencies)
            print(f"{'POST /v1/complaints/batch, 1,000 each':52}{_batches(client, texts):>8,.0f} complaints/s")
        if not args.complaints:
            return 0
        database = f"sqlite:///{folder}/million.db"
        seconds = _fill(database, texts, args.complaints)
        print(f"{f'Store.add of {args.complaints:,} simulated complaints':52}{args.complaints / seconds:>8,.0f} complaints/s")
        with _server(database) as url, httpx.Client(base_url=url, timeout=60) as client:
            today = datetime.now(BEIJING).date()
            for days in (7, 30, 90):
                first = today - timedelta(days=days - 1)
                for query in (
                    f"from={first}&to={today}",
                    f"from={first}&to={today}&category=payment",
                    f"from={first}&to={today}&region=440000",
                ):
                    _print_latencies(f"GET /v1/heatmap?{query}", _reads(lambda path=f"/v1/heatmap?{query}": client.get(path)))
            for path in ("/v1/heatmap/matrix", "/v1/issues", "/v1/trends", "/v1/regions/risk", "/v1/complaints?limit=50", "/v1/hotspots"):
                _print_latencies(f"GET {path} (30 days)", _reads(lambda path=path: client.get(path)))
    return 0


async def _steady(url: str, texts: list[str]) -> list[float]:
    """Milliseconds of each request of an open-loop load: sent on time, whether or not earlier ones have been answered."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def one(number: int) -> float:
            await asyncio.sleep(number / RATE)
            start = time.perf_counter()
            answer = await client.post(
                "/v1/complaints", json={"text": texts[number % len(texts)], "source": "bench", "source_id": f"s{number}"}
            )
            answer.raise_for_status()
            return (time.perf_counter() - start) * 1000

        return await asyncio.gather(*(one(number) for number in range(RATE * SECONDS)))


def _batches(client: httpx.Client, texts: list[str]) -> float:
    """Complaints a second, one batch after the other."""
    bodies = [
        json.dumps(
            {"complaints": [{"text": texts[(b * 1000 + i) % len(texts)], "source": "bench", "source_id": f"b{b}-{i}"} for i in range(1000)]}
        )
        for b in range(BATCHES)
    ]
    start = time.perf_counter()
    for body in bodies:
        client.post("/v1/complaints/batch", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
    return BATCHES * 1000 / (time.perf_counter() - start)


def _fill(database: str, texts: list[str], complaints: int) -> float:
    """Seconds to store so many complaints: the corpus' triages over and over, at random times of 90 days, places and channels."""
    rng = random.Random(0)
    now = datetime.now(BEIJING)
    regions = [r.adcode for r in load_regions().by_code.values()]
    channels = list(load_taxonomy().channels)
    base = [Complaint(id=str(i), text=text, time=now) for i, text in enumerate(texts)]
    triages = Tagger.load().tag(base)
    start = time.perf_counter()
    with Store.open(database) as store:
        for first in tqdm(range(0, complaints, 5_000), desc="fill", file=sys.stderr):
            block = []
            for number in range(first, min(first + 5_000, complaints)):
                i = rng.randrange(len(base))
                place, channel = rng.choice(regions), rng.choice(channels)
                told = now - timedelta(seconds=rng.randrange(90 * 86_400))
                complaint = replace(
                    base[i],
                    id=f"m{number}",
                    channel=channel,
                    region=place,
                    time=told,
                    source="bench",
                    source_id=str(number),
                    simulated=True,
                )
                block.append((complaint, replace(triages[i], id=complaint.id, channel=channel, region=place)))
            store.add(block)
    return time.perf_counter() - start


def _reads(read: Callable[[], httpx.Response]) -> list[float]:
    """Milliseconds of each of `READS` requests, after one that is not counted."""
    read().raise_for_status()
    taken = []
    for _ in range(READS):
        start = time.perf_counter()
        read().raise_for_status()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def _print_latencies(name: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    print(f"{name:90}p50 {statistics.median(ordered):>7.1f} ms   p99 {p99:>7.1f} ms", flush=True)


@contextmanager
def _server(database: str):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port), "--database", database]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                if process.poll() is not None:
                    raise SystemExit("the server did not start: run `triage serve` to see why")
                try:
                    if httpx.get(f"{url}/readyz").is_success:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def _texts() -> list[str]:
    rows = (json.loads(line) for path in sorted((DATA / "corpus").glob("*/*.jsonl")) for line in path.open(encoding="utf-8"))
    return [row["text"] for row in rows if any(map(str.isalnum, row.get("text", "")))]  # the service refuses symbols only


if __name__ == "__main__":
    sys.exit(main())
