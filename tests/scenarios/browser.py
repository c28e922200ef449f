"""A real browser for tests: Chromium without a window, and what one wants to know of a page."""

import json
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


class Browser:
    """Chromium without a window. What it asks the network for, and what it complains of, is
    noted."""

    def __init__(self, top: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        # Root may start it only without its sandbox.
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                         "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={top}/b"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.top = top
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                                       options=options)

    def quit(self) -> None:
        """End it."""
        self.driver.quit()

    def open(self, page: str, width: int = 1280, scheme: str = "light") -> None:
        """Show a page of this width."""
        path = self.top / "page.html"
        path.write_text(page)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.get(path.as_uri())

    def run(self, script: str):
        """What a script of ours finds: the page's own policy forbids only its own."""
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What stands in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since the last time: addresses."""
        found = []
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            # The page of a new window is the browser's own.
            if event["method"] == "Network.requestWillBeSent" and \
                    not event["params"]["documentURL"].startswith("chrome"):
                found.append(event["params"]["request"]["url"])
        return found
