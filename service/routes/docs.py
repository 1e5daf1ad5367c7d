"""The API for people to read at /docs: the OpenAPI document as plain HTML, since the usual viewers load their code from other hosts."""

import json
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
summary { cursor: pointer; padding: .3rem 0; } code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #f3f5f8; padding: .8rem; overflow: auto; } td, th { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
b { display: inline-block; min-width: 4rem; }
"""


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """All operations with their parameters and bodies."""
    spec = request.app.openapi()
    operations = "".join(_operation(method, path, item) for path, methods in spec["paths"].items() for method, item in methods.items())
    schemas = "".join(_schema(name, schema) for name, schema in sorted(spec["components"]["schemas"].items()))
    title = escape(spec["info"]["title"])
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title} API</title><style>{_STYLE}</style><h1>{title} API</h1><p>{escape(spec['info']['description'])}</p>"
        f'<p>Machine-readable: <a href="/openapi.json">openapi.json</a></p><h2>Operations</h2>{operations}<h2>Shapes</h2>{schemas}</html>'
    )


def _operation(method: str, path: str, item: dict) -> str:
    rows = "".join(_parameter(parameter) for parameter in item.get("parameters", ()))
    table = f"<table>{rows}</table>" if rows else ""
    shapes = {"body": item.get("requestBody"), **{f"{status}": answer for status, answer in item["responses"].items()}}
    lines = "".join(f"<li><code>{name}</code>: {_content(shape)}</li>" for name, shape in shapes.items() if shape)
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
        f"<p>{escape(item.get('description', ''))}</p>{table}<ul>{lines}</ul></details>"
    )


def _parameter(parameter: dict) -> str:
    schema = {key: value for key, value in parameter["schema"].items() if key not in ("title", "description")}
    note = escape(parameter.get("description", ""))
    return f"<tr><td><code>{escape(parameter['name'])}</code><td>{parameter['in']}<td><code>{escape(json.dumps(schema))}</code><td>{note}"


def _content(shape: dict) -> str:
    schemas = [media.get("schema", {}) for media in shape.get("content", {}).values()]
    names = " | ".join(_names(schema) for schema in schemas)
    return f"{escape(shape.get('description', ''))} {names}"


def _names(schema: dict) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    return " | ".join(_names(each) for each in schema["anyOf"]) if "anyOf" in schema else escape(schema.get("type", ""))


def _schema(name: str, schema: dict) -> str:
    text = escape(json.dumps(schema, ensure_ascii=False, indent=2))
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>'
