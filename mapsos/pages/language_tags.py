"""Languages by the names that standards have for them: from a code of ISO 639 or a tag of BCP 47 to a tag of BCP 47."""

from __future__ import annotations

import re

# ISO 639-1 after ISO 639-2, both in the terminology's form; BCP 47 wants the shorter of the two.
_TWO_LETTERS = dict(
    pair.split(":")
    for pair in """
    aar:aa abk:ab afr:af aka:ak amh:am ara:ar arg:an asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm bel:be ben:bn
    bis:bi bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cha:ch che:ce chu:cu chv:cv cor:kw cos:co cre:cr cym:cy dan:da
    deu:de div:dv dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fry:fy ful:ff
    gla:gd gle:ga glg:gl glv:gv grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig
    ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr
    kaz:kk khm:km kik:ki kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt
    ltz:lb lub:lu lug:lg mah:mh mal:ml mar:mr mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr
    nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa pli:pi pol:pl
    por:pt pus:ps que:qu roh:rm ron:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slv:sl sme:se smo:sm sna:sn snd:sd
    som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl
    tha:th tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wln:wa
    wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
    """.split()
)
# The bibliographic codes of ISO 639-2, where they are others.
_TWO_LETTERS |= dict(
    pair.split(":")
    for pair in """
    alb:sq arm:hy baq:eu bur:my chi:zh cze:cs dut:nl fre:fr geo:ka ger:de gre:el ice:is mac:mk mao:mi may:ms per:fa
    rum:ro slo:sk tib:bo wel:cy
    """.split()
)

# A language, perhaps a script, a region, variants and what follows (BCP 47, section 2.1, as far as its shape goes).
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*(-[a-z0-9](-[a-z0-9]{2,8})+)*")


def read_tag(text: str) -> str | None:
    """The tag of BCP 47 (RFC 5646) of a language named by its tag or by a code of ISO 639; None for what names none.

    The language of three letters becomes that of two where there is one (``ger-AT`` is ``de-AT``), in lower case; what
    stands for a region is in capitals. An underscore counts as a hyphen, as in names of locales.
    """
    found = text.strip().lower().replace("_", "-")
    if not _TAG.fullmatch(found):
        return None
    language, *others = found.split("-")
    return "-".join((_TWO_LETTERS.get(language, language), *_write_subtags(others)))


def read_language(tag: str) -> str:
    """The language of a tag, without script, region and variant."""
    return tag.partition("-")[0]


def _write_subtags(subtags: list[str]) -> list[str]:
    """Subtags as RFC 5646, section 2.1.1, writes them: regions in capitals, scripts with one; not after a singleton."""
    written = []
    plain = True
    for subtag in subtags:
        plain = plain and len(subtag) > 1
        if plain and subtag.isalpha() and len(subtag) in (2, 4):
            written.append(subtag.upper() if len(subtag) == 2 else subtag.title())
        else:
            written.append(subtag)
    return written
