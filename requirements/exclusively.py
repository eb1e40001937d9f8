"""`python exclusively.py FILE COMMAND…`: runs a command when no other holds FILE, so that two `make install` in one
tree do not undo each other's work. Standard library only: it runs before anything is installed.
"""

import fcntl
import os
import sys

if __name__ == "__main__":
    held = os.open(sys.argv[1], os.O_RDONLY)
    # Inherited by the command and its children: the lock ends with the last of them, even where this one is killed.
    fcntl.fcntl(held, fcntl.F_SETFD, 0)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("Another installation is running in this tree: waiting for it to end.\n")
        fcntl.flock(held, fcntl.LOCK_EX)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the Makefile's own command
