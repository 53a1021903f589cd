"""What extauthz costs and how fast it is: `make bench SECTION=tokens`."""

import os
import sys
from pathlib import Path

# Replicas are started by exec, so gRPC has nothing to do about forks, and nothing to say.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
# The simulators and servers of the tests are used here too.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
