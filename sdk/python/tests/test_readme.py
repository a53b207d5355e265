from __future__ import annotations

import re
import sys
from pathlib import Path

from edgeway_driver import Quality
from edgeway_driver.testing import Gateway

README = (Path(__file__).parents[1] / "README.md").read_text()


async def test_the_driver_in_the_readme_runs_and_is_short(gateway: Gateway, tmp_path: Path) -> None:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    whole = blocks[0]
    assert len([line for line in whole.splitlines() if line]) <= 40
    driver, sensors = tmp_path / "driver.py", tmp_path / "sensors"
    driver.write_text(whole)
    sensors.write_text("1.5\n2.5\n")
    async with gateway.start(sys.executable, str(driver)):
        session = await gateway.session()
        link = await session.open({"path": str(sensors)})
        plan = await link.plan([{}], [{"at": 1}, {"at": 9}, {"at": -1}])
        assert [rejection.point for rejection in plan.rejected] == [2]
        await link.connect()
        readings = list(await link.exec(plan.steps[0].step))
        assert [reading.value for reading in readings] == [2.5, None]
        assert readings[1].quality is Quality.BAD_CONFIG
