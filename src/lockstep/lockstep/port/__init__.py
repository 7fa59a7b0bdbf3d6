"""From a verified Python component to another language: prompt, scaffold, regression tests,
records."""

from ..errors import PortError
from .prompt import Prompt, create_prompt, prompt_of
from .scaffold import scaffold
from .send import send_prompt
from .subject import subject_of, where_verified

__all__ = [
    "PortError",
    "Prompt",
    "create_prompt",
    "prompt_of",
    "scaffold",
    "send_prompt",
    "subject_of",
    "where_verified",
]
