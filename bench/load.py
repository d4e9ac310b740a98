"""What Launcher adds to other commands of a project: the demo with it and without it and django-htmx, in turns.

`check` sets Django up and checks the project, as most commands do before they begin; to load the URLs and the template
tags is part of that. Processor time is what is counted, of the whole process: a busy machine changes it less than the
time on the clock.
"""

from __future__ import annotations

import os
import statistics
import subprocess

from bench._demo import demo_project
from bench._project import Project, conditions, milliseconds

ROUNDS = 15
TARGET = 1.1
"""With Launcher / without."""
WITHOUT = """
from project.settings import *

INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in ("launcher", "django_htmx")]
"""


def main() -> None:
    """Measure in turns, and print medians, ranges and the ratio."""
    with demo_project(files={"settings_without_launcher.py": WITHOUT}) as project:
        found: dict[str, list[float]] = {"with": [], "without": []}
        for number in range(ROUNDS + 1):
            for name, settings in (("with", "project.settings"), ("without", "settings_without_launcher")):
                seconds = _seconds(project, settings)
                if number:  # not counted before: what is not compiled is compiled then
                    found[name].append(seconds)
        project.enter()  # what the conditions are
    print(f"manage.py check in the demo, medians of {ROUNDS} with their ranges; {conditions()}")
    for name, seconds_found in found.items():
        spread = f"{milliseconds(min(seconds_found))} to{milliseconds(max(seconds_found))}"
        print(f"  {name:<38}{milliseconds(statistics.median(seconds_found))}  ({spread})")
    ratio = statistics.median(found["with"]) / statistics.median(found["without"])
    print(f"  with / without                        {ratio:8.3f}  (target: at most {TARGET})")
    print(f"  fastest with / fastest without        {min(found['with']) / min(found['without']):8.3f}")


def _seconds(project: Project, settings: str) -> float:
    """Return the processor time of one check."""
    process = subprocess.Popen(
        [project.python, "manage.py", "check"],
        stdout=subprocess.DEVNULL,
        cwd=project.folder,
        env={**project.environment, "DJANGO_SETTINGS_MODULE": settings},
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
