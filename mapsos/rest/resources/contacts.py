"""Contacts, as this interface writes them."""

from __future__ import annotations

from mapsos.mapfile.model import Provider


def describe_contact(provider: Provider) -> dict[str, str | None]:
    """The ten fields of a contact; what the mapfile does not say is null."""
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
