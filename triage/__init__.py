"""complaint-triage: complaints in, triages out, triages add up to hotspots. Importing this loads no model."""
