"""The base of the scalar types: text that was checked once and carries its meaning from then on."""

import re
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema


def refusal(allowed: str, fix: str) -> PydanticCustomError:
    """An error that `stackfile.section` turns into a Problem with these words."""
    return PydanticCustomError("elab", "{allowed}", {"allowed": allowed, "fix": fix})


class Scalar(str):
    """A string of a checked form. Subclasses say the form in ``allowed`` and an example in ``example``."""

    allowed: ClassVar[str]
    example: ClassVar[str]
    pattern: ClassVar[str | None] = None
    accepts_numbers: ClassVar[bool] = False
    found_by: ClassVar[str | None] = None
    """How one finds out what to write, where nobody knows it by heart and there is no default."""

    @classmethod
    def check(cls, text: str) -> None:
        """Raise ValueError (with a sentence of its own, or empty) when the text has another form than ``pattern``."""
        if not re.fullmatch(cls.pattern or "", text):
            raise ValueError

    @classmethod
    def _validated(cls, value: Any) -> Self:  # noqa: ANN401  what a stack file holds can be anything
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(value, str) and not (cls.accepts_numbers and number):
            raise refusal(cls.allowed, f'write it as text, for example "{cls.example}"')
        text = f"{value}".strip()
        try:
            cls.check(text)
        except ValueError as error:
            write = f'write for example "{cls.example}"' + (f": {cls.found_by}" if cls.found_by else "")
            raise refusal(cls.allowed, write if cls.found_by else str(error) or write) from None
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._validated)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        kind: Any = ["string", "number"] if cls.accepts_numbers else "string"
        shown: JsonSchemaValue = {"type": kind, "description": cls.allowed, "examples": [cls.example]}
        return shown | ({"pattern": cls.pattern} if cls.pattern else {})
