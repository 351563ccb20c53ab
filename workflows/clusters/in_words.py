"""From pydantic's complaints about a profile to sentences with the nearest known name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from ..campaign.file.explain import explain
from ..campaign.file.problems import Problem
from ..campaign.file.yaml_document import YamlDocument


def mistakes(error: ValidationError, document: YamlDocument, model: type[BaseModel]) -> list[Problem]:
    """Turn the errors of a model into problems of its file.

    Parameters
    ----------
    error : pydantic.ValidationError
        What the model raised.
    document : YamlDocument
        The file.
    model : type of BaseModel
        The model.

    Returns
    -------
    list of Problem
        One for each error.
    """
    return explain(error, document, schema=model.model_json_schema)


def first_mistake(error: ValidationError, data: Any, model: type[BaseModel]) -> str:
    """Tell the first error of settings that come from no file.

    Parameters
    ----------
    error : pydantic.ValidationError
        What the model raised.
    data : object
        What the model was given.
    model : type of BaseModel
        The model.

    Returns
    -------
    str
        A sentence.
    """
    sentence = mistakes(error, YamlDocument("", data), model)[0].sentence
    return sentence if sentence.endswith("?") else f"{sentence}."
