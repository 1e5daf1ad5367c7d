"""Where the product's own files lie: beside the packages in a checkout, inside the package in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "data").is_dir() else _PACKAGE.parent

DATA = _ROOT / "data"
MODELS = _ROOT / "models"
