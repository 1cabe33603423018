"""A plan that finds nothing to do, of a thousand small runs."""

from tests.bench.again import plan_again
from tests.bench.data import filled
from tests.bench.setting import Setting
from tests.bench.table import seconds

TERRAFORM = 3.3
"""Seconds in which Terraform 1.11 planned 1,000 unchanged `terraform_data`: its
engine alone, without any network, on another machine."""


def many(setting: Setting) -> None:
    """Compare with the same requests, and say what Terraform needs."""
    sizes = setting.sizes
    folder = setting.folder / "many"
    names = [f"run-{n:04}" for n in range(sizes.small)]
    with filled(folder / "server", sizes.small_rows) as remote:
        for name in names:
            remote.add_run(name, sizes.small_rows)
        again = plan_again(
            folder / "all", remote, names, sizes.small_rows, repeats=sizes.repeats
        )
    setting.table.head("many: nothing to do in small runs", other="floor")
    setting.table.line(
        f"{sizes.small:,} x {sizes.small_rows:,} rows",
        seconds(again.seconds),
        seconds(again.floor),
        again.ratio,
        peak=again.mebibytes,
    )
    setting.table.note(
        f"Terraform's engine took {TERRAFORM} s for 1,000 resources without a network, "
        "on another machine"
    )
