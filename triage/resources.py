"""Where the product's own files lie: beside the packages in a checkout, inside the package in an installed wheel."""

from pathlib import Path
from typing import Any

import yaml

from triage.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "data").is_dir() else _PACKAGE.parent

DATA = _ROOT / "data"
MODELS = _ROOT / "models"


def read_text(path: Path) -> str:
    """A file the product cannot do without. Raises: ConfigError, in one line, when it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}") from None


def read_yaml(path: Path) -> Any:
    """As `read_text`, parsed. Raises: ConfigError also when it is not YAML."""
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
