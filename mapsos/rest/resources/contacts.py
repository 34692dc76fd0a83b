"""Write contacts of this interface."""

from __future__ import annotations

from mapsos.mapfile.model import Provider


def describe_contact(provider: Provider) -> dict[str, str | None]:
    """Return the ten fields of a contact; None for fields without metadata."""
    return {
        "individualName": provider.person,
        "positionName": provider.position,
        "phone": provider.voice_telephone,
        "facsimile": provider.facsimile_telephone,
        "deliveryPoint": provider.address,
        "city": provider.city,
        "administrativeArea": provider.state_or_province,
        "postalCode": provider.postcode,
        "country": provider.country,
        "electronicMailAddress": provider.electronic_mail_address,
    }
