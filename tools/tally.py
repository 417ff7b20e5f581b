#!/usr/bin/env python3
"""Counts what a ctest run did: every GoogleTest case, and every other ctest test as one.

usage: tally.py BUILD_DIR             reads ctest.xml and gtest/*.xml there, writes `tally`: "passed failed"
       tally.py --interop OUT FILE.json…   reads what the interop programs wrote, writes OUT: "passed failed"
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(build: pathlib.Path) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    counted_programs: set[str] = set()
    for report in sorted((build / "gtest").glob("*.xml")):
        suites = xml.parse(report).getroot()
        counted_programs.add(report.stem)
        for case in suites.iter("testcase"):
            if case.get("status") == "notrun" or case.find("skipped") is not None:
                skipped += 1
            elif case.find("failure") is not None:
                failed += 1
            else:
                passed += 1
    for test in xml.parse(build / "ctest.xml").getroot().iter("testcase"):
        good = test.get("status") == "run"
        if test.get("status") in ("disabled", "notrun"):
            skipped += 1
        elif not counted_programs & {test.get("name"), f"{test.get('name')}_test"}:
            passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
        elif not good and failed == 0:
            failed += 1  # the program died after or beside its cases: a crash, a leak, a timeout
    return passed, failed, skipped


def count_interop(reports: list[pathlib.Path]) -> tuple[int, int, int]:
    statuses = [case["status"] for report in reports for case in json.loads(report.read_text(encoding="utf-8"))["cells"]]
    passed, failed = statuses.count("passed"), statuses.count("failed")
    return passed, failed, len(statuses) - passed - failed


def main() -> int:
    if sys.argv[1] == "--interop":
        reports = [pathlib.Path(name) for name in sys.argv[3:] if pathlib.Path(name).exists()]
        if reports:
            passed, failed, skipped = count_interop(reports)
            pathlib.Path(sys.argv[2]).write_text(f"{passed} {failed}\n", encoding="utf-8")
            print(f"interop: {passed} passed, {failed} failed" + (f", {skipped} not run" if skipped else ""))
        return 0
    build = pathlib.Path(sys.argv[1])
    if not (build / "ctest.xml").exists():
        print("tests: ctest wrote no report")
        return 1
    passed, failed, skipped = count(build)
    (build / "tally").write_text(f"{passed} {failed}\n", encoding="utf-8")
    print(f"tests: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
