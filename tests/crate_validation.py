"""The validator of RO-Crates, without network."""

import json
from pathlib import Path

from requests_cache import CachedRequest, CachedResponse, CachedSession
from rocrate.vocabs import RO_CRATE
from rocrate_validator import services
from rocrate_validator.models import Severity

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# The context that comes with the package rocrate is of RO-Crate 1.3, which gives these terms of 1.1
# other addresses; all others that our crates use are the same in both.
TERMS = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


def issues(crate: Path, profile: str, cache: Path) -> list[str]:
    """What a crate, a folder or a zip, lacks of what a profile requires.

    Args:
        crate: a folder or a zip.
        profile: by the validator's name; those that it builds on are checked, too.
        cache: a file that is not there yet, for what the validator would ask the network.
    """
    with CachedSession(str(cache), expire_after=-1) as session:
        terms = RO_CRATE["@context"] | TERMS
        response = CachedResponse(
            status_code=200,
            url=CONTEXT,
            headers={"Content-Type": "application/ld+json"},
            request=CachedRequest(method="GET", url=CONTEXT),
            content=json.dumps({"@context": terms}).encode(),
        )
        session.cache.save_response(response)
    result = services.validate(
        {
            "rocrate_uri": str(crate),
            "profile_identifier": profile,
            "requirement_severity": Severity.REQUIRED,
            "offline": True,
            "cache_path": cache,
        }
    )
    return [f"{issue.message} ({issue.violatingEntity})" for issue in result.get_issues()]
