"""Slips of the finger in well-known domains: suggested, never corrected, and never a reason to refuse."""

from difflib import get_close_matches

from mailer.addresses import Address

# Where nearly everybody who mistypes means to be. A domain in this list is right by itself.
KNOWN = (
    "qq.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "foxmail.com", "139.com", "189.cn",
    "aliyun.com", "vip.163.com", "gmail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
    "me.com", "msn.com", "aol.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru", "proton.me",
    "protonmail.com", "zoho.com",
)  # fmt: skip
# Slips that are as near to one as to another, or further from what is meant than the measure allows.
SLIPS = {
    "163.con": "163.com", "163.cm": "163.com", "163.om": "163.com", "136.com": "163.com", "162.com": "163.com",
    "126.con": "126.com", "qq.con": "qq.com", "qq.cm": "qq.com", "qq.cn": "qq.com", "qqq.com": "qq.com",
    "gmial.com": "gmail.com", "gmai.com": "gmail.com", "gamil.com": "gmail.com", "gnail.com": "gmail.com",
    "gmail.cn": "gmail.com", "gmail.con": "gmail.com", "googlemail.con": "googlemail.com", "yeah.com": "yeah.net",
    "hotmial.com": "hotmail.com", "outlok.com": "outlook.com", "iclould.com": "icloud.com",
    "foxmial.com": "foxmail.com",
}  # fmt: skip
# Short domains are near to many that exist: 163.com to 165.com, me.com to mq.com. For those the table alone speaks.
SHORTEST = 8
LIKENESS = 0.87


def suggest(address: Address) -> str | None:
    """The address that was perhaps meant, or nothing."""
    domain = address.domain
    if domain in KNOWN:
        return None
    meant = SLIPS.get(domain)
    if meant is None and len(domain) >= SHORTEST:
        long_ones = [each for each in KNOWN if len(each) >= SHORTEST]
        meant = next(iter(get_close_matches(domain, long_ones, n=1, cutoff=LIKENESS)), None)
    local = address.email.rpartition("@")[0]
    return f"{local}@{meant}" if meant else None
