"""What is stored: complaints with their triages, roll-ups of them, hotspots."""

from triage.store.complaints import AddResult, Filters, Page, record_id
from triage.store.hotspots import OPEN, Action, Precision
from triage.store.rollups import Counted
from triage.store.runs import Run
from triage.store.store import Store
from triage.store.texts import StoredTexts

__all__ = ["OPEN", "Action", "AddResult", "Counted", "Filters", "Page", "Precision", "Run", "Store", "StoredTexts", "record_id"]
