"""The script that makes .venv, with a Python and a pip that only pretend."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent

# Stands for the host's Python: real code runs, `-m venv` makes an environment that only notes
# what pip is asked for, and `-m pip` refuses the way a system's Python does.
HOST_PYTHON = """\
#!/bin/sh
case "$1 $2" in
"-m venv")
    mkdir -p "$4/bin"
    printf '#!/bin/sh\\n[ "$1" = -c ] || echo "$PWD $*" >>{log}\\n' >"$4/bin/python"
    chmod +x "$4/bin/python" ;;
"-m pip")
    echo 'error: externally-managed-environment' >&2
    exit 1 ;;
*) exec {python} "$@" ;;
esac
"""
TOO_OLD = "#!/bin/sh\nexit 1\n"
NO_VENV = """\
#!/bin/sh
case "$*" in
*ensurepip*) exit 1 ;;
*) exec {python} "$@" ;;
esac
"""


class Checkout:
    """A copy of what bootstrap needs, with a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "check out"
        self.bin = folder / "bin"
        self.log = folder / "pip.log"
        self.top.mkdir()
        self.bin.mkdir()
        for name in ("bootstrap", "pyproject.toml", "constraints.txt"):
            shutil.copy(TOP / name, self.top)
        for tool in ("sh", "cat", "dirname", "mkdir", "chmod", "env"):
            (self.bin / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
        self.program("id", "#!/bin/sh\necho 1000\n")

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text.replace("{python}", sys.executable).replace("{log}", str(self.log)))
        path.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.top / "bootstrap"],
            cwd="/",
            env={"PATH": str(self.bin), "HOME": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_script_is_plain_sh() -> None:
    shell = shutil.which("dash") or "/bin/sh"
    subprocess.run([shell, "-n", TOP / "bootstrap"], check=True)
    assert os.access(TOP / "bootstrap", os.X_OK)


def test_it_works_from_anywhere_where_the_system_python_refuses_pip(checkout: Checkout) -> None:
    checkout.program("python3", HOST_PYTHON)
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert checkout.installed() == [
        f"{checkout.top} -m pip install --quiet --upgrade pip>=25.1",
        f"{checkout.top} -m pip install --quiet --group operate -c constraints.txt",
    ]
    assert "externally-managed" not in done.stderr


def test_every_step_is_one_line(checkout: Checkout) -> None:
    checkout.program("python3", HOST_PYTHON)
    lines = checkout.run().stdout.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("bootstrap: ") for line in lines)


def test_a_second_run_installs_nothing(checkout: Checkout) -> None:
    checkout.program("python3", HOST_PYTHON)
    checkout.run()
    before = checkout.installed()
    assert checkout.run().stdout == "bootstrap: .venv is up to date\n"
    assert checkout.installed() == before


def test_a_changed_constraint_makes_it_anew(checkout: Checkout) -> None:
    checkout.program("python3", HOST_PYTHON)
    checkout.run()
    with (checkout.top / "constraints.txt").open("a") as file:
        file.write("# newer\n")
    checkout.run()
    assert len(checkout.installed()) == 4


def test_no_python_at_all_is_said_with_the_fix(checkout: Checkout) -> None:
    done = checkout.run()
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "no Python 3.11 or later on PATH; fix: install one" in line


def test_an_old_python3_is_passed_over_for_a_newer_one(checkout: Checkout) -> None:
    checkout.program("python3", TOO_OLD)
    assert checkout.run().returncode == 2
    checkout.program("python3.12", HOST_PYTHON)
    assert "making .venv with python3.12" in checkout.run().stdout


def test_a_python_without_venv_is_said_with_the_package(checkout: Checkout) -> None:
    checkout.program("python3", NO_VENV)
    checkout.program("apt-get", "#!/bin/sh\nexit 1\n")
    checkout.program("sudo", "#!/bin/sh\nexit 1\n")
    done = checkout.run()
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert line.endswith(f"fix: sudo apt-get install python{version}-venv")


def test_the_missing_package_is_installed_where_sudo_asks_nothing(checkout: Checkout) -> None:
    checkout.program("python3", NO_VENV)
    checkout.program("sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    checkout.program("true", "#!/bin/sh\n")
    # The package brings what the host's Python lacked.
    brings = checkout.bin / "with-venv"
    checkout.program("with-venv", HOST_PYTHON)
    checkout.program(
        "apt-get", f'#!/bin/sh\n[ "$2" = update ] || cat "{brings}" >"{checkout.bin}/python3"\n'
    )
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert "-venv\n" in done.stdout
    assert len(checkout.installed()) == 2
