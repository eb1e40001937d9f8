"""The font stacks a newsletter may choose from. No web fonts: nothing is loaded from anywhere."""

from dataclasses import dataclass

from mailer.i18n import N_


@dataclass(frozen=True, slots=True)
class FontStack:
    """`css` is a ``font-family`` value; `office` the same for Outlook on Windows, which falls back to Times on any
    family it does not know; `latin` what goes before both where the language is not Chinese; `label` a gettext id for
    forms.
    """

    css: str
    office: str
    latin: str
    label: str

    def css_in(self, language: str) -> str:
        return self._in(language, self.css)

    def office_in(self, language: str) -> str:
        # Outlook looks at the first family only, so that must be one that every Windows has.
        return self._in(language, self.office)

    def _in(self, language: str, families: str) -> str:
        # A Chinese font draws ’ and “ a character wide, which tears an English word apart.
        return families if language.startswith("zh") else f"{self.latin}, {families}"


STACKS: dict[str, FontStack] = {
    "sans": FontStack(
        '"PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", SimSun, sans-serif',
        '"Microsoft YaHei", SimSun, sans-serif',
        "Arial, Helvetica",
        N_("Sans-serif (Hei)"),
    ),
    "serif": FontStack(
        '"Songti SC", STSong, "Noto Serif CJK SC", SimSun, serif',
        "SimSun, serif",
        'Georgia, "Times New Roman"',
        N_("Serif (Song)"),
    ),
    "fangsong": FontStack(
        'FangSong_GB2312, FangSong, STFangsong, "Noto Serif CJK SC", SimSun, serif',
        "FangSong, SimSun, serif",
        '"Times New Roman", Times',
        N_("Fangsong, as in official documents"),
    ),
}
# Mastheads and titles in the serif that print uses for them.
TITLE_STACKS: dict[str, FontStack] = {
    "serif": FontStack(
        'FZXiaoBiaoSong-B05S, STZhongsong, "Songti SC", "Noto Serif CJK SC", SimSun, serif',
        "STZhongsong, SimSun, serif",
        STACKS["serif"].latin,
        STACKS["serif"].label,
    ),
}
