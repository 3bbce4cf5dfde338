"""The system's Chromium, for tests that look at pages in it."""

import os
import shutil

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
NO_BROWSER = "no chromium here (apt-get install chromium, or CHROMIUM=PATH)"
