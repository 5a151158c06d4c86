"""Closed lists of the domain: codes for machines, English names for gettext.

`N_` marks a name for the catalogues without translating it; pages translate it for their reader. Codes are stored and
travel in files; names never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from techex.errors import N_ as N_


class TransferForm(StrEnum):
    """How a technology may change hands."""

    ASSIGNMENT = "assignment"
    LICENCE_EXCLUSIVE = "licence_exclusive"
    LICENCE_NONEXCLUSIVE = "licence_nonexclusive"
    JOINT_RESEARCH = "joint_research"
    TECHNICAL_ASSISTANCE = "technical_assistance"
    CAPITAL_CONTRIBUTION = "capital_contribution"
    FRANCHISE = "franchise"
    EQUIPMENT_WITH_KNOWHOW = "equipment_with_knowhow"
    SERVICE_CONTRACT = "service_contract"


TRANSFER_FORMS: Mapping[str, str] = {
    TransferForm.ASSIGNMENT: N_("Assignment"),
    TransferForm.LICENCE_EXCLUSIVE: N_("Exclusive licence"),
    TransferForm.LICENCE_NONEXCLUSIVE: N_("Non-exclusive licence"),
    TransferForm.JOINT_RESEARCH: N_("Joint research"),
    TransferForm.TECHNICAL_ASSISTANCE: N_("Technical assistance and know-how"),
    TransferForm.CAPITAL_CONTRIBUTION: N_("Capital contribution or spin-off"),
    TransferForm.FRANCHISE: N_("Franchise"),
    TransferForm.EQUIPMENT_WITH_KNOWHOW: N_("Equipment with know-how"),
    TransferForm.SERVICE_CONTRACT: N_("Service contract"),
}

IP_STATUSES: Mapping[str, str] = {
    "none": N_("None applied for"),
    "know_how": N_("Secret know-how"),
    "applied": N_("Applied for, not granted"),
    "granted": N_("Granted"),
    "plant_variety": N_("Plant variety right"),
    "copyright": N_("Copyright or software"),
}

OWNERSHIPS: Mapping[str, str] = {
    "institution": N_("Owned by the institution"),
    "state": N_("Owned by the state"),
    "shared": N_("Shared ownership"),
    "private": N_("Privately owned"),
}

REACHES: Mapping[str, str] = {
    "province": N_("Own province"),
    "region": N_("Own region"),
    "country": N_("Own country"),
    "world": N_("The whole world"),
}

ORGANISATION_KINDS: Mapping[str, str] = {
    "enterprise": N_("Enterprise"),
    "university": N_("University"),
    "institute": N_("Institute"),
    "exchange_operator": N_("Exchange operator"),
    "public_body": N_("Public body"),
    "association": N_("Association"),
    "investor": N_("Investor"),
    "international_organisation": N_("International organisation"),
}

# Readiness to stage, after the bands of the domain description.
STAGES: tuple[tuple[range, str], ...] = (
    (range(1, 3), N_("Concept")),
    (range(3, 4), N_("Under development")),
    (range(4, 6), N_("Lab tested")),
    (range(6, 9), N_("Available for demonstration")),
    (range(9, 10), N_("On the market")),
)


def stage_of(trl: int) -> str:
    """The English name of the stage that belongs to a technology readiness level 1-9; raises ValueError elsewhere."""
    for levels, name in STAGES:
        if trl in levels:
            return name
    raise ValueError(f"a technology readiness level is 1 to 9, not {trl}")


# Fields of science and technology: six groups and their second level, after Circular 24/2025/TT-BKHCN (OECD FORD).
FIELD_GROUPS: Mapping[str, str] = {
    "1": N_("Natural sciences"),
    "2": N_("Engineering and technology"),
    "3": N_("Medical and pharmaceutical sciences"),
    "4": N_("Agricultural sciences"),
    "5": N_("Social sciences"),
    "6": N_("Humanities"),
}

FIELDS: Mapping[str, str] = {
    "101": N_("Mathematics and statistics"),
    "102": N_("Computer and information sciences"),
    "103": N_("Physics"),
    "104": N_("Chemistry"),
    "105": N_("Earth and environmental sciences"),
    "106": N_("Biology"),
    "199": N_("Other natural sciences"),
    "201": N_("Civil engineering"),
    "202": N_("Electrical, electronic and information engineering"),
    "203": N_("Mechanical engineering"),
    "204": N_("Chemical engineering"),
    "205": N_("Materials and metallurgy"),
    "206": N_("Medical engineering"),
    "207": N_("Environmental engineering"),
    "208": N_("Environmental biotechnology"),
    "209": N_("Industrial biotechnology"),
    "210": N_("Nanotechnology"),
    "211": N_("Food and beverage technology"),
    "299": N_("Other engineering and technology"),
    "301": N_("Basic medicine"),
    "302": N_("Clinical medicine"),
    "303": N_("Health sciences"),
    "304": N_("Pharmacy"),
    "305": N_("Medical biotechnology"),
    "399": N_("Other medical sciences"),
    "401": N_("Crop science"),
    "402": N_("Livestock science"),
    "403": N_("Veterinary science"),
    "404": N_("Forestry"),
    "405": N_("Fisheries and aquaculture"),
    "406": N_("Agricultural biotechnology"),
    "499": N_("Other agricultural sciences"),
    "501": N_("Psychology"),
    "502": N_("Economics and business"),
    "503": N_("Education"),
    "504": N_("Sociology"),
    "505": N_("Law"),
    "506": N_("Political science"),
    "507": N_("Social and economic geography"),
    "508": N_("Media and communication"),
    "599": N_("Other social sciences"),
    "601": N_("History and archaeology"),
    "602": N_("Languages and literature"),
    "603": N_("Philosophy, ethics and religion"),
    "604": N_("Arts"),
    "699": N_("Other humanities"),
}

# Sections A to V of ISIC revision 5, on which the Vietnamese classification of 2025 is built.
INDUSTRIES: Mapping[str, str] = {
    "A": N_("Agriculture, forestry and fishing"),
    "B": N_("Mining and quarrying"),
    "C": N_("Manufacturing"),
    "D": N_("Electricity, gas and steam supply"),
    "E": N_("Water supply, sewerage and waste management"),
    "F": N_("Construction"),
    "G": N_("Wholesale and retail trade"),
    "H": N_("Transport and storage"),
    "I": N_("Accommodation and food service"),
    "J": N_("Publishing, broadcasting and content"),
    "K": N_("Telecommunication and computing"),
    "L": N_("Finance and insurance"),
    "M": N_("Real estate"),
    "N": N_("Professional, scientific and technical services"),
    "O": N_("Administrative and support services"),
    "P": N_("Public administration and defence"),
    "Q": N_("Education services"),
    "R": N_("Human health and social work"),
    "S": N_("Arts, sports and recreation"),
    "T": N_("Other services"),
    "U": N_("Households as employers"),
    "V": N_("Extraterritorial organisations"),
}

SDGS: Mapping[int, str] = {
    1: N_("No poverty"),
    2: N_("Zero hunger"),
    3: N_("Good health and well-being"),
    4: N_("Quality education"),
    5: N_("Gender equality"),
    6: N_("Clean water and sanitation"),
    7: N_("Affordable and clean energy"),
    8: N_("Decent work and economic growth"),
    9: N_("Industry, innovation and infrastructure"),
    10: N_("Reduced inequalities"),
    11: N_("Sustainable cities and communities"),
    12: N_("Responsible consumption and production"),
    13: N_("Climate action"),
    14: N_("Life below water"),
    15: N_("Life on land"),
    16: N_("Peace, justice and strong institutions"),
    17: N_("Partnerships for the goals"),
}

# Languages a listing may be written in, by their own names: a label beside a text speaks to those who read it.
LANGUAGES: Mapping[str, str] = {
    "vi": "Tiếng Việt",
    "en": "English",
    "id": "Bahasa Indonesia",
    "nl": "Nederlands",
    "ko": "한국어",
    "ja": "日本語",
    "zh": "中文",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "ru": "Русский",
    "th": "ไทย",
    "lo": "ລາວ",
    "km": "ខ្មែរ",
    "ms": "Bahasa Melayu",
}
