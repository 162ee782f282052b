"""Adds up what the parts of a run counted: requests, statuses, operations."""

import collections
import json
import pathlib
import sys

by_status, by_operation = collections.Counter(), collections.defaultdict(collections.Counter)
for part in pathlib.Path(sys.argv[1]).glob("answers-*.json"):
    for name, status, count in json.loads(part.read_text()):
        by_status[status] += count
        by_operation[name][status] += count
print(f"{sum(by_status.values())} requests judged")
for status, count in sorted(by_status.items()):
    print(f"  {status}: {count}")
for name, counts in sorted(by_operation.items()):
    if " on " not in name:
        print(f"  {name}: " + ", ".join(f"{s}: {c}" for s, c in sorted(counts.items())))
kept = {"by_status": by_status, "by_operation": by_operation}
pathlib.Path(sys.argv[2]).write_text(json.dumps(kept, indent=1, sort_keys=True))
