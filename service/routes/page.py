"""The operations page, as `make web` built it."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"
_MISSING = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>投诉分诊</title><p>页面尚未构建：make web</p></html>'
_HEADERS = {
    # Nothing is loaded from another host; the charts set style attributes.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
router = APIRouter(include_in_schema=False)


@router.get("/")
def page() -> Response:
    """The page, or a line that says how to build it."""
    index = DIST / "index.html"
    return FileResponse(index, headers=_HEADERS) if index.is_file() else HTMLResponse(_MISSING, headers=_HEADERS)


def add_page(app: FastAPI) -> None:
    """Serve the page and its assets."""
    app.include_router(router)
    app.mount("/assets", StaticFiles(directory=DIST / "assets", check_dir=False))
