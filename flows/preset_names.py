"""Names of presets, apart from their settings: the command line knows them before anything is loaded."""

from enum import StrEnum


class Preset(StrEnum):
    """Whose rules are followed."""

    CALIBRATED = "calibrated"
    KS_CLASSIC = "ks-classic"
    PSI_CLASSIC = "psi-classic"
    EVIDENTLY = "evidently"
    NANNYML = "nannyml"
    ALIBI = "alibi"
    SAGEMAKER = "sagemaker"
