"""Adds up what the parts of a run counted: requests, statuses, operations."""

import collections
import json
import pathlib
import sys

by_status = collections.Counter()
by_operation, lawful = (collections.defaultdict(collections.Counter) for _ in range(2))
for part in pathlib.Path(sys.argv[1]).glob("answers-*.json"):
    said = json.loads(part.read_text())
    for name, status, count in said["answers"]:
        by_status[status] += count
        by_operation[name][status] += count
    for name, why, count in said["lawful"]:
        lawful[name][why] += count
print(f"{sum(by_status.values())} requests judged")
for status, count in sorted(by_status.items()):
    print(f"  {status}: {count}")
for name, counts in sorted(by_operation.items()):
    if " on " not in name:
        print(f"  {name}: " + ", ".join(f"{s}: {c}" for s, c in sorted(counts.items())))
total = sum(sum(counts.values()) for counts in lawful.values())
formed = sum(counts["well-formed"] for counts in lawful.values())
print(f"of {total} generated lawful requests {formed} were well-formed to the backend; the others:")
for name, counts in sorted(lawful.items()):
    for why, count in counts.items():
        if why != "well-formed":
            print(f"  {name}: {count} of {sum(counts.values())}: {why}")
kept = {"by_status": by_status, "by_operation": by_operation, "lawful": lawful}
pathlib.Path(sys.argv[2]).write_text(json.dumps(kept, indent=1, sort_keys=True))
