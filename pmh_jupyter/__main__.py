import sys

from pmh_jupyter.cli import main

sys.exit(main())
