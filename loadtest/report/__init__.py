"""What a campaign hands over: terminal, summary.json, junit.xml, report.html and live progress.

Refresh the shipped schema after a change of `loadtest.summary.Summary`:

    python -c "import json, loadtest.summary as s; print(json.dumps(s.schema(), indent=2))" \
        > loadtest/report/summary.schema.json
"""
